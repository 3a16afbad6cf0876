import { clientOrderIdOf } from '../../../lib/core/ids.ts'
import { money, price, quantity } from '../../../lib/core/decimal.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Timeframe, toIso } from '../../../lib/core/time.ts'
import { buildPrompt } from '../../../lib/decision/prompt.ts'
import { toSignificant } from '../../../lib/indicators/significant.ts'
import { aggregateCandles } from '../../../lib/market/aggregate.ts'
import type { Prng } from '../../../lib/core/prng.ts'
import { summarisePerformance } from '../../../lib/snapshot/performance.ts'
import type { Decision } from '../../../schemas/decision.ts'
import type { Candle } from '../../../schemas/market.ts'
import type { Story } from '../../../schemas/replay.ts'
import type { Headline, Snapshot, TimeframeView } from '../../../schemas/snapshot.ts'
import type { DecisionSummary, TradeSummary } from '../../../schemas/state.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { GUARD_RULES, type GuardRuleName, type Verdict } from '../../../schemas/verdict.ts'
import { type Played, REGIMES, SLOT_MS } from './history.ts'

/** What all stories of a report are told from. */
export type Telling = {
  prng: Prng
  config: StrategyConfig
  bars: readonly Candle[]
  fourHour: readonly Candle[]
  daily: readonly Candle[]
  equity: readonly number[]
  played: readonly Played[]
  symbol: string
  model: string | null
}

export type Asked = {
  index: number
  decision: Decision
  atr: number
  regime: string | null
  played: Played | null
  refusedBy: readonly GuardRuleName[]
  trades: readonly TradeSummary[]
  decisions: readonly DecisionSummary[]
}

/** The story of one slot: snapshot, prompt, answer, verdicts, order, fills, as a cycle record keeps them. */
export function tellStory(telling: Telling, asked: Asked): Story {
  const { config, bars, model } = telling
  const { index, decision, refusedBy, played } = asked
  const slot = bars[index]?.time ?? 0
  const cycleId = cycleIdAt(config.id, slot)
  const snapshot = snapshotAt(telling, asked, slot, cycleId)
  const entering = decision.action === 'open_long' || decision.action === 'open_short'
  const trade = played?.trade ?? null
  const clientOrderId = clientOrderIdOf(config.id, slot, 'entry', 0)
  const side = decision.action === 'open_long' ? 'buy' : 'sell'
  return {
    cycleId,
    slot: toIso(slot),
    outcome:
      trade !== null ? 'entered' : refusedBy.length > 0 ? 'refused' : decision.action === 'close' ? 'closed' : 'held',
    reason:
      trade !== null ? 'entered and protected' : refusedBy.length > 0 ? `refused by ${refusedBy.join(', ')}` : null,
    snapshot,
    prompt: buildPrompt(snapshot),
    decision: {
      decision,
      decider: model === null ? 'rules' : 'anthropic',
      model,
      failure: null,
      attempts: model === null ? [] : attemptsOf(telling.prng, decision),
      usage:
        model === null
          ? { inputTokens: 0, outputTokens: 0, costUsd: 0 }
          : { inputTokens: 2_900 + (index % 400), outputTokens: 180 + (index % 90), costUsd: 0.0117 },
    },
    guardFacts: {
      now: toIso(slot + 4_000),
      quote: snapshot.quote,
      instrument: config.instrument,
      session: { isOpen: true, nextClose: null, reason: 'the paper venue never closes' },
      accounting: {
        cash: snapshot.account.cash,
        deposited: config.paper.initialCash,
        gross: money(Number(snapshot.account.equity) - 9_000),
        fees: money(asked.trades.length * 4.31),
        funding: money('-2.35761987'),
        adjustments: money(0),
        transferred: money(0),
        unexplained: money(0),
        equity: snapshot.account.equity,
        markPrice: snapshot.quote.mark,
        markedAt: toIso(slot),
        peakEquity: money(Math.max(10_000, Number(snapshot.account.equity))),
        day: toIso(slot).slice(0, 10),
        dayStartEquity: snapshot.account.equity,
        dayOpenEquity: null,
        lifetimePeakEquity: null,
        entriesToday: snapshot.account.entriesToday,
        consecutiveLosses: snapshot.account.consecutiveLosses,
        lastTradeClosedAt: asked.trades.at(-1)?.exitTime ?? null,
        lastTradeLost: (asked.trades.at(-1)?.pnl ?? '0').startsWith('-'),
        tradesClosed: asked.trades.length,
      },
      phase: { kind: 'flat', abandoned: null },
      halt: null,
      trades: [...asked.trades],
      liveBarriers: [],
      sizeCap: null,
      openIncidents: 0,
    },
    verdicts: entering
      ? GUARD_RULES.map((rule, place) => verdictOf(rule, !refusedBy.includes(rule), telling.prng, place))
      : [],
    order:
      trade === null
        ? null
        : {
            kind: 'entry',
            clientOrderId,
            symbol: telling.symbol,
            side,
            quantity: trade.quantity,
            priceLimit: price(Number(trade.entryPrice) + (side === 'buy' ? 2.5 : -2.5)),
            bracket: {
              stopLossPrice: trade.stopLossPrice ?? price(1),
              takeProfitPrice: trade.takeProfitPrice ?? price(1),
            },
            leverage: quantity(3),
          },
    fills:
      trade === null
        ? []
        : [
            {
              fillId: `paper-${index}`,
              orderId: `paper-order-${index}`,
              clientOrderId,
              symbol: telling.symbol,
              side,
              price: trade.entryPrice,
              quantity: trade.quantity,
              fee: money(Number(trade.fees) / 2),
              slippage: money(Number(trade.slippage) / 2),
              liquidity: 'taker',
              reason: 'entry',
              at: toIso(slot + 4_000),
            },
          ],
  }
}

export const cycleIdAt = (strategyId: string, slot: number): string =>
  `${strategyId}-${toIso(slot).replace(/[-:]/g, '').replace(/00Z$/, 'Z')}`

/** What a model says of an entry, in its own words. */
export function decisionOf(played: Pick<Played, 'confidence' | 'trade'>, words: number): Decision {
  const { side, stopLossPrice, takeProfitPrice, entryPrice } = played.trade
  return {
    action: side === 'long' ? 'open_long' : 'open_short',
    stopLossPrice: Number(stopLossPrice),
    takeProfitPrice: Number(takeProfitPrice),
    confidence: played.confidence,
    invalidation: `A 30m close ${side === 'long' ? 'below' : 'above'} ${stopLossPrice} or RSI back through 50 with falling volume.`,
    rationale: `${RATIONALES[words % RATIONALES.length]} Stop ${stopLossPrice} lies beyond the last swing, target ${takeProfitPrice} before the next shelf; from ${entryPrice} the reward pays for the risk after costs.`,
  }
}

const RATIONALES = [
  'EMA 12 has held above EMA 26 through the pullback, 4h trend is up with ADX rising, and volume came in on the bounce.',
  'Price rejects the upper Bollinger band for the third time while 4h momentum fades; MACD histogram turned and funding is crowded.',
  'Range of the last twelve hours broke on double volume; the daily regime allows it and the reference market moves the same way.',
  'A lower high under the 50-period average with weak breadth; headlines are neutral and volatility is in its middle third.',
  'RSI recovers from oversold at the lower edge of a range that has held since Tuesday, with correlation to BTC unusually low.',
]

const HEADLINES = [
  'Ether funds see third week of inflows as staking yields edge higher',
  'Exchange outage leaves traders unable to close positions for forty minutes',
  'Central bank minutes show split over pace of rate cuts',
  'Layer-2 fees fall to record low after protocol upgrade',
  'Regulator delays decision on perpetual-style futures to next quarter',
  'Large holder moves 42,000 ETH to an exchange after two years of silence',
  'Analysts see range-bound trading into month-end options expiry',
  'Stablecoin issuer publishes quarterly attestation, reserves up 3 %',
  'Developers set date for next network upgrade test on public testnet',
  'Derivatives open interest climbs while spot volumes stay muted',
  'Mining firm pivots to hosting AI workloads, shares jump',
  'Court approves restructuring plan of bankrupt lender',
  'Cross-chain bridge halts withdrawals after suspicious activity',
  'Payment company extends crypto settlement to twelve more countries',
]

function attemptsOf(prng: Prng, decision: Decision) {
  const wire = { stopLossPrice: null, takeProfitPrice: null, confidence: null, invalidation: null, ...decision }
  const good = { raw: JSON.stringify(wire, null, 2), problem: null, note: null }
  if (prng.uniform() > 0.04) return [good]
  return [
    {
      raw: `Here is my decision:\n${JSON.stringify({ ...wire, confidence: '72%' })}`,
      problem: 'confidence: expected a number in [0, 1], got "72%"',
      note: null,
    },
    good,
  ]
}

function snapshotAt(
  { prng, config, bars, fourHour, daily, equity, symbol }: Telling,
  { index, atr, regime, trades, decisions }: Asked,
  slot: number,
  cycleId: string,
): Snapshot {
  const mark = bars[index]?.open ?? 1
  const half = Math.round(mark * 0.01) / 100
  const noise = () => toSignificant(prng.uniform())
  const label = REGIMES.find((known) => known === regime) ?? 'range'
  const view = (
    timeframe: Timeframe,
    all: readonly Candle[],
    stepMs: number,
    count: number,
    wide: number,
  ): TimeframeView => {
    const end = all.findLastIndex((bar) => bar.time + stepMs <= slot) + 1
    const near = (scale: number) => toSignificant(mark * (1 + scale * wide * prng.normal()))
    const percentile = noise()
    const adx14 = toSignificant(12 + 30 * prng.uniform())
    return {
      timeframe,
      barsUsed: 300 + (index % 60),
      bars: all.slice(Math.max(0, end - count), end),
      indicators: {
        rsi14: toSignificant(30 + 40 * prng.uniform()),
        ema12: near(0.002),
        ema26: near(0.004),
        ema50: near(0.008),
        ema200: timeframe === '1d' ? null : near(0.02),
        atr14: toSignificant(atr * wide),
        bollinger20: {
          upper: toSignificant(mark * (1 + 0.012 * wide)),
          middle: near(0.002),
          lower: toSignificant(mark * (1 - 0.011 * wide)),
        },
        macd: {
          macd: toSignificant(8 * prng.normal()),
          signal: toSignificant(8 * prng.normal()),
          histogram: toSignificant(3 * prng.normal()),
        },
        adx14,
      },
      realisedVolatility: toSignificant(0.4 + 0.5 * prng.uniform()),
      volatilityPercentile: percentile,
      regime: {
        label,
        direction: label === 'range' ? 0 : prng.uniform() < 0.5 ? 1 : -1,
        adx14,
        volatilityPercentile: percentile,
        bandWidth: toSignificant(0.01 + 0.05 * prng.uniform()),
        breakoutAtr: label === 'breakout' ? noise() : 0,
      },
    }
  }
  const day = Math.floor(slot / DAY_MS) * DAY_MS
  const hour = Math.floor(slot / HOUR_MS)
  const value = money(equity[index] ?? 10_000)
  const lastLosses = trades.length - 1 - trades.findLastIndex((trade) => !trade.pnl.startsWith('-'))
  return {
    schemaVersion: 1,
    strategyId: config.id,
    cycleId,
    slot: toIso(slot),
    asOf: toIso(slot + 2_000),
    symbol,
    quote: {
      at: toIso(slot + 2_000),
      bid: price(Math.round((mark - half) * 100) / 100),
      ask: price(Math.round((mark + half) * 100) / 100),
      last: price(mark),
      mark: price(mark),
    },
    views: {
      primary: view('30m', bars, SLOT_MS, 24, 1),
      fourHour: view('4h', fourHour, 4 * HOUR_MS, 12, 2.8),
      daily: view('1d', daily, DAY_MS, 7, 7),
    },
    funding: {
      rate: toSignificant(1e-5 * prng.normal()),
      intervalHours: 1,
      annualised: toSignificant(0.09 * prng.normal()),
      averageRate: toSignificant(1e-5 * prng.normal()),
    },
    openInterest: 120_000 + (index % 9_000),
    reference: {
      symbol: 'BIP-20DEC30-CDE',
      price: toSignificant(78_000 + 900 * prng.normal()),
      change1h: toSignificant(0.004 * prng.normal()),
      change24h: toSignificant(0.02 * prng.normal()),
      change7d: toSignificant(0.05 * prng.normal()),
      rsi14: toSignificant(35 + 30 * prng.uniform()),
      regime: {
        label: 'range',
        direction: 0,
        adx14: 17.31,
        volatilityPercentile: noise(),
        bandWidth: 0.021,
        breakoutAtr: 0,
      },
      correlation: noise(),
    },
    news: {
      headlines: headlinesAt(slot, hour),
      feeds: [
        { source: 'CoinWire', ok: true, items: 25, problem: null },
        {
          source: 'Ledger Post',
          ok: index % 37 !== 0,
          items: index % 37 === 0 ? 0 : 40,
          problem: index % 37 === 0 ? 'timed out after 5000 ms' : null,
        },
      ],
    },
    account: {
      equity: value,
      cash: value,
      dayReturn: toSignificant(0.006 * prng.normal()),
      drawdown: toSignificant(0.04 * prng.uniform()),
      entriesToday: trades.filter((trade) => Date.parse(trade.exitTime) >= day).length,
      consecutiveLosses: lastLosses,
    },
    position: null,
    decisions: [...decisions],
    performance: summarisePerformance(trades),
    issues: [],
    contextIssues:
      index % 50 === 0
        ? [{ kind: 'stale', at: toIso(slot - HOUR_MS), count: 1, detail: 'funding is an hour old' }]
        : [],
  }
}

/** Eight headlines that roll on, one about every hour and a half, as feeds do. */
function headlinesAt(slot: number, hour: number): Headline[] {
  return Array.from({ length: 8 }, (_, age) => {
    const number = Math.floor(hour / 1.5) - age
    const at = Math.floor(number * 1.5 * HOUR_MS)
    const title = HEADLINES[((number % HEADLINES.length) + HEADLINES.length) % HEADLINES.length] ?? ''
    return {
      title: `${title} (${(number * 7919) % 997})`,
      source: number % 2 === 0 ? 'CoinWire' : 'Ledger Post',
      publishedAt: toIso(at),
      ageMinutes: Math.round((slot - at) / MINUTE_MS),
    }
  })
}

function verdictOf(rule: GuardRuleName, passed: boolean, prng: Prng, place: number): Verdict {
  const actual = Math.round(prng.uniform() * 1e5) / 1e5
  const numeric = place % 3 !== 0
  return {
    rule,
    passed,
    limit: numeric ? 0.05 * (1 + (place % 4)) : 'none',
    actual: numeric ? actual : 'none',
    reason: passed
      ? `${rule.replaceAll('_', ' ')} is within its limit at ${actual}`
      : `${rule.replaceAll('_', ' ')} is at ${actual}, beyond its limit`,
  }
}

export const coarser = (bars: readonly Candle[]) => ({
  fourHour: aggregateCandles(bars, '30m', '4h'),
  daily: aggregateCandles(bars, '30m', '1d'),
})
