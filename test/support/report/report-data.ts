import { configOf } from '../../support/instruments.ts'
import { money, price, ZERO_MONEY } from '../../../lib/core/decimal.ts'
import { hashOf } from '../../../lib/core/canonical-json.ts'
import { toIso } from '../../../lib/core/time.ts'
import { computeMetrics } from '../../../lib/report/metrics/compute-metrics.ts'
import type { Decision } from '../../../schemas/decision.ts'
import type { Story } from '../../../schemas/replay.ts'
import type { ReportData } from '../../../schemas/report.ts'
import type { DecisionSummary, TradeSummary } from '../../../schemas/state.ts'
import type { Trade } from '../../../schemas/trade.ts'
import type { GuardRuleName } from '../../../schemas/verdict.ts'
import { equityOf, type Played, playTrades, prngOf, SLOT_MS, START_EQUITY, walkBars } from './history.ts'
import { coarser, cycleIdAt, decisionOf, type Telling, tellStory } from './stories.ts'

export type ReportShape = {
  seed?: number
  days?: number
  /** Trades wanted; fewer come out where they do not fit. */
  trades?: number
  stories?: boolean
  open?: boolean
  halted?: boolean
  model?: string | null
}

const FROM = Date.parse('2025-11-01T00:00:00Z')
const SYMBOL = 'ETP-20DEC30-CDE'
const REFUSING = [
  'cooldown',
  'reward_to_risk',
  'confidence',
  'stop_distance',
  'price_moved',
  'entries_per_day',
] as const satisfies readonly GuardRuleName[]

const slotsBetween = ({ entryTime, exitTime }: Pick<Trade, 'entryTime' | 'exitTime'>): number[] => {
  const first = Math.floor((Date.parse(entryTime) - FROM) / SLOT_MS)
  return Array.from(
    { length: Math.max(0, Math.ceil((Date.parse(exitTime) - FROM) / SLOT_MS) - first) },
    (_, index) => first + index,
  )
}

/** A report as a replay with a model would give it: the same shape, the same data, byte for byte. */
export function makeReportData({
  seed = 1,
  days = 60,
  trades: wanted = 200,
  stories: told = true,
  open = false,
  halted = false,
  model = 'claude-sonnet-5-5',
}: ReportShape = {}): ReportData {
  const prng = prngOf(seed)
  const config = configOf({
    id: 'eth-perp',
    decider: model === null ? { kind: 'rules' } : { kind: 'anthropic', model },
    news: {
      feeds: [
        { name: 'CoinWire', url: 'https://feeds.example/coinwire' },
        { name: 'Ledger Post', url: 'https://feeds.example/ledger' },
      ],
    },
  })
  const bars = walkBars(prng, FROM, days * 48)
  const played = playTrades(prng, bars, wanted, config.id)
  const closed = open ? played.slice(0, -1) : played
  const equity = equityOf(bars, closed)
  const telling: Telling = { prng, config, bars, ...coarser(bars), equity, played, symbol: SYMBOL, model }
  const { decisions, stories } = decide(telling, told)
  const trades = closed.map(({ trade, cycleId }) => ({ ...trade, cycleId }))
  const slots = bars.length
  const count = (words: readonly string[]) =>
    Object.fromEntries([...new Set(words)].sort().map((word) => [word, words.filter((other) => other === word).length]))
  const tokens = model === null ? { input: 0, output: 0 } : { input: slots * 2_950, output: slots * 210 }
  const inMarket = new Set(closed.flatMap(({ trade }) => slotsBetween(trade)))
  const metrics = computeMetrics({
    equity: equity.map((value, index) => ({
      at: toIso(FROM + index * SLOT_MS),
      equity: money(value.toFixed(2)),
      cash: money(value.toFixed(2)),
      markPrice: null,
      phase: inMarket.has(index) ? ('open' as const) : ('flat' as const),
    })),
    startEquity: money(START_EQUITY),
    from: FROM,
    to: FROM + slots * SLOT_MS,
    trades: closed.map(({ trade }) => trade),
    multiplier: config.instrument.multiplier,
    tokens,
    tokenCostUsd: (tokens.input * 3 + tokens.output * 15) / 1e6,
    trials: 14,
    trialDeviation: 0.021,
  })
  const from = toIso(FROM)
  const to = toIso(FROM + slots * SLOT_MS)
  const last = bars.at(-1)?.close ?? 1
  const hold = last / (bars[0]?.open ?? last) - 1
  const refusals = decisions.refusedBy.flatMap((rules) => (rules === '' ? [] : rules.split(',')))
  const randomReturns = Array.from({ length: 200 }, () => Math.round((-0.06 + 0.09 * prng.normal()) * 1e6) / 1e6).sort(
    (a, b) => a - b,
  )
  const beaten = randomReturns.filter((value) => value < metrics.totalReturn).length / randomReturns.length
  const held = open ? (played.at(-1)?.trade ?? null) : null
  return {
    schemaVersion: 1,
    title: `eth-perp on ${SYMBOL}, ${from.slice(0, 10)} to ${to.slice(0, 10)}`,
    kind: 'replay',
    strategyId: config.id,
    mode: 'paper',
    decider: config.decider.kind,
    model,
    promptHash: hashOf('prompt'),
    codeVersion: '0.1.0+3f2a91c',
    trialId: hashOf(`trial ${seed}`).slice(0, 16),
    config,
    data: {
      symbol: SYMBOL,
      timeframe: '30m',
      from,
      to,
      candlesHash: hashOf(bars.length),
      fundingHash: hashOf('funding'),
      referenceHash: null,
      newsHash: hashOf('news'),
      assumedFundingShare: 0.083,
    },
    counts: {
      bars: slots,
      quality: {
        expected: slots,
        real: slots - 7,
        carried: 3,
        missing: 4,
        gaps: 1,
        longestGap: { from, bars: 4 },
        duplicates: 2,
        conflicts: 1,
      },
      slots,
      entries: trades.length,
      refusals: decisions.outcome.filter((outcome) => outcome === 'refused').length,
      ambiguousBars: 11,
      heldBars: 4_120,
      ambiguousBarShare: 11 / 4_120,
      outcomes: count(decisions.outcome),
      refusalsByRule: count(refusals),
      answers: { asked: slots, failed: 0, byKind: {} },
      failures: { 'the candles of 2025-11-20T03:00:00Z are missing': 2 },
    },
    metrics,
    gates: [
      {
        gate: 'sharpe',
        result: (metrics.sharpe ?? 0) >= 1 ? 'pass' : 'fail',
        limit: 1,
        actual: metrics.sharpe,
        reason: `the Sharpe ratio is ${(metrics.sharpe ?? 0).toFixed(2)}, at least 1 is asked`,
      },
      {
        gate: 'max_drawdown',
        result: metrics.maxDrawdown <= 0.15 ? 'pass' : 'fail',
        limit: 0.15,
        actual: metrics.maxDrawdown,
        reason: `equity fell by ${(metrics.maxDrawdown * 100).toFixed(1)} % at most, 15 % is allowed`,
      },
      {
        gate: 'trades',
        result: trades.length >= 100 ? 'pass' : 'not_enough_evidence',
        limit: 100,
        actual: trades.length,
        reason: `${trades.length} trades, at least 100 are asked`,
      },
      {
        gate: 'deflated_sharpe',
        result: 'not_enough_evidence',
        limit: 0.95,
        actual: metrics.evidence.deflatedSharpe,
        reason: 'after 14 trials a result like this is no surprise without skill',
      },
      {
        gate: 'beats_holding',
        result: metrics.totalReturn > hold ? 'pass' : 'fail',
        limit: hold,
        actual: metrics.totalReturn,
        reason: `returned ${(metrics.totalReturn * 100).toFixed(1)} %, holding ${(hold * 100).toFixed(1)} %`,
      },
    ],
    baselines: {
      hold: {
        totalReturn: hold,
        sharpe: 0.41,
        maxDrawdown: 0.48,
        trades: 1,
        fees: money('6.3'),
        funding: money('-184.2'),
      },
      flat: { totalReturn: 0, sharpe: null, maxDrawdown: 0, trades: 0, fees: ZERO_MONEY, funding: ZERO_MONEY },
      rules: {
        totalReturn: -0.042,
        sharpe: -0.33,
        maxDrawdown: 0.121,
        trades: 311,
        fees: money('712.55'),
        funding: money('-20.4'),
      },
      random: {
        seeds: 200,
        entryRate: 0.071,
        totalReturns: randomReturns,
        median: randomReturns[100] ?? null,
        p05: randomReturns[10] ?? null,
        p95: randomReturns[190] ?? null,
        medianSharpe: -0.6,
        medianTrades: 198,
        percentile: beaten,
      },
    },
    attribution:
      trades.length === 0
        ? null
        : {
            riskUnit: money('48.2'),
            decisions: trades.length + 130,
            approved: trades.length,
            refused: 130,
            averageR: 0.011,
            averageApprovedR: 0.052,
            averageRefusedR: -0.081,
            decider: money('174.2'),
            guard: money('507.49'),
            exits: money('-83.1'),
            sizing: money(Number(metrics.pnl) - 174.2 - 507.49 + 83.1),
            pnl: metrics.pnl,
          },
    cutoff:
      model === null
        ? null
        : {
            at: toIso(FROM + 20 * 86_400_000),
            before: {
              totalReturn: 0.061,
              sharpe: 1.9,
              maxDrawdown: 0.04,
              trades: 66,
              fees: money('150'),
              funding: money('-9.1'),
            },
            after: {
              totalReturn: -0.012,
              sharpe: -0.2,
              maxDrawdown: 0.09,
              trades: 134,
              fees: money('301.3'),
              funding: money('-14.7'),
            },
          },
    halt: halted
      ? { at: to, by: 'guard', rule: 'drawdown', reason: 'equity is 15.2 % below its peak, the limit is 15 %' }
      : null,
    openPosition:
      held === null
        ? null
        : {
            side: held.side,
            quantity: held.quantity,
            entryPrice: held.entryPrice,
            openedAt: held.entryTime,
            bracket: {
              stopLossPrice: held.stopLossPrice ?? price(1),
              takeProfitPrice: held.takeProfitPrice ?? price(1),
            },
            protection: 'live',
            liquidationPrice: price(Math.round(Number(held.entryPrice) * (held.side === 'long' ? 0.7 : 1.3))),
            tradeId: held.id,
          },
    bars: {
      timeframe: '30m',
      time: bars.map(({ time }) => time / 1_000),
      open: bars.map((bar) => bar.open),
      high: bars.map((bar) => bar.high),
      low: bars.map((bar) => bar.low),
      close: bars.map((bar) => bar.close),
      volume: bars.map((bar) => bar.volume ?? 0),
    },
    equity: { time: bars.map(({ time }) => time / 1_000), value: equity.length === 0 ? [START_EQUITY] : equity },
    decisions,
    trades,
    stories,
  }
}

/** A decision a slot, and a story for each that asked to enter. */
function decide(telling: Telling, told: boolean): Pick<ReportData, 'decisions' | 'stories'> {
  const { prng, bars, played, config } = telling
  const decisions: ReportData['decisions'] = { time: [], action: [], outcome: [], confidence: [], refusedBy: [] }
  const stories: Story[] = []
  const memory: DecisionSummary[] = []
  const closed: TradeSummary[] = []
  let next = 0
  for (const [index, bar] of bars.entries()) {
    const current = played[next]
    const entering = current?.entry === index ? current : null
    const holding = current !== undefined && index > current.entry
    const refused = entering === null && !holding && index > 40 && prng.uniform() < 0.05
    const refusedBy = refused ? REFUSING.filter((_, place) => prng.uniform() < 0.5 / (place + 1)) : []
    if (refused && refusedBy.length === 0) refusedBy.push('cooldown')
    const asked = entering ?? (refused ? likeTrade(telling, index) : null)
    const decision: Decision =
      asked === null
        ? {
            action: holding && index === current.exit && current.trade.exitReason === 'decision' ? 'close' : 'hold',
            rationale: 'Readings conflict; the reward is thin.',
          }
        : decisionOf(asked, index)
    const outcome =
      entering !== null ? 'entered' : refused ? 'refused' : decision.action === 'close' ? 'closed' : 'held'
    if (told && (asked !== null || decision.action === 'close'))
      stories.push(
        tellStory(telling, {
          index,
          decision,
          atr: asked?.atr ?? 20,
          regime: asked?.trade.regime ?? null,
          played: entering,
          refusedBy,
          trades: closed.slice(-30),
          decisions: memory.slice(-6),
        }),
      )
    decisions.time.push(bar.time / 1_000)
    decisions.action.push(decision.action)
    decisions.outcome.push(outcome)
    decisions.confidence.push(asked?.confidence ?? null)
    decisions.refusedBy.push(refusedBy.join(','))
    memory.push({
      cycleId: cycleIdAt(config.id, bar.time),
      at: toIso(bar.time),
      action: decision.action,
      outcome,
      confidence: asked?.confidence ?? null,
      note: decision.rationale.slice(0, 120),
    })
    if (current !== undefined && index >= current.exit) {
      const { id, side, regime, pnl, rMultiple, exitReason, exitTime, entryTime } = current.trade
      closed.push({
        id,
        side,
        regime,
        pnl,
        rMultiple,
        exitReason,
        exitTime,
        holdingMinutes: (Date.parse(exitTime) - Date.parse(entryTime)) / 60_000,
      })
      next += 1
    }
  }
  return { decisions, stories }
}

/** A trade that never was, for a decision that was refused. */
function likeTrade(
  { played, bars, prng }: Telling,
  index: number,
): Pick<Played, 'confidence' | 'trade' | 'atr'> | null {
  const model = played[0]
  if (model === undefined) return null
  const at = Math.round(bars[index]?.open ?? 0)
  const sign = prng.uniform() < 0.5 ? 1 : -1
  return {
    confidence: Math.round(prng.uniform() * 1e4) / 1e4,
    atr: model.atr,
    trade: {
      ...model.trade,
      side: sign > 0 ? 'long' : 'short',
      entryPrice: price(at),
      stopLossPrice: price(at - sign * 20),
      takeProfitPrice: price(at + sign * 35),
    },
  }
}
