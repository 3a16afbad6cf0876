import { configOf } from '../support/instruments.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { createIncrementalViews } from '../../lib/indicators/incremental-views.ts'
import { lookback } from '../../lib/indicators/lookback.ts'
import { BARS_SHOWN } from '../../lib/snapshot/build-snapshot.ts'
import { gatherMarketFacts } from '../../lib/snapshot/gather.ts'
import { Snapshot } from '../../schemas/snapshot.ts'
import {
  arrayMarket,
  BASE_STEP,
  busyHeadlines,
  busyState,
  CONFIG,
  flatState,
  HISTORY,
  MARKET as market,
  openPosition,
  quietNews,
  snapshotAt,
  START,
  truncate,
} from './fixtures.ts'

const { symbol } = CONFIG.market
const END = START + 330 * DAY_MS
const LATE = START + 320 * DAY_MS + 9.5 * HOUR_MS
const busyNews = (at: number) => ({
  headlines: async () => ({
    headlines: busyHeadlines(at),
    feeds: [{ source: 'Cointelegraph', ok: true, items: 12, problem: null }],
  }),
})
/** Any instant, on a boundary of bars or between two; early ones have short histories. */
const instant = fc.integer({ min: START + HOUR_MS, max: END - 1 })

describe('laws', () => {
  it('fits the strict schema and survives JSON, at any instant, flat and busy', async () => {
    await fc.assert(
      fc.asyncProperty(instant, fc.boolean(), async (asOf, isBusy) => {
        const snapshot = await snapshotAt(asOf, {
          market,
          ...(isBusy ? { state: busyState(asOf), news: busyNews(asOf) } : {}),
        })
        expect(Snapshot.parse(snapshot)).toEqual(snapshot)
        expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
      }),
      { seed: 11, numRuns: 40 },
    )
  })

  it('the same inputs give the same bytes', async () => {
    const facts = await gatherMarketFacts({ market, news: busyNews(LATE), config: CONFIG, asOf: LATE })
    const [first, second] = [
      await snapshotAt(LATE, { facts, state: busyState(LATE) }),
      await snapshotAt(LATE, { facts, state: busyState(LATE) }),
    ]
    expect(canonicalJson(second)).toBe(canonicalJson(first))
  })

  it('nothing after the instant changes it: history cut there, history that goes on, a source that leaks', async () => {
    const leaky = arrayMarket(HISTORY, { symbol, leaky: true })
    await fc.assert(
      fc.asyncProperty(instant, async (asOf) => {
        const news = { headlines: async () => ({ headlines: busyHeadlines(asOf), feeds: [] }) }
        const later = {
          headlines: async () => ({ headlines: [...busyHeadlines(asOf + DAY_MS), ...busyHeadlines(asOf)], feeds: [] }),
        }
        const cut = await snapshotAt(asOf, { market: arrayMarket(truncate(HISTORY, asOf), { symbol }), news })
        expect(canonicalJson(await snapshotAt(asOf, { market, news }))).toBe(canonicalJson(cut))
        const leaked = await snapshotAt(asOf, { market: leaky, news: later })
        // A source may not quote the future; all else it leaks is cut off here. Older headlines of the later feed stay.
        expect(canonicalJson({ ...leaked, news: cut.news })).toBe(canonicalJson(cut))
        expect(leaked.news.headlines.every(({ publishedAt }) => Date.parse(publishedAt ?? '') <= asOf)).toBe(true)
      }),
      { seed: 12, numRuns: 25 },
    )
  })

  it('no bar before the anchor of its window changes it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: END - 40 * DAY_MS, max: END - 1 }), async (asOf) => {
        const facts = await gatherMarketFacts({ market, news: quietNews, config: CONFIG, asOf })
        const everything = await market.candles({ symbol, timeframe: '30m', asOf, limit: 1e6 })
        const { from } = lookback('30m', asOf)
        expect(facts.primary.candles[0]?.time).toBe(from)
        expect(everything.candles.length).toBeGreaterThan(facts.primary.candles.length)
        const more = {
          ...facts,
          primary: everything,
          fourHour: await market.candles({ symbol, timeframe: '4h', asOf, limit: 1e6 }),
          daily: await market.candles({ symbol, timeframe: '1d', asOf, limit: 1e6 }),
        }
        expect(canonicalJson(await snapshotAt(asOf, { facts: more }))).toBe(
          canonicalJson(await snapshotAt(asOf, { facts })),
        )
      }),
      { seed: 13, numRuns: 15 },
    )
  })

  it('a walk through history with views carried forward gives the snapshots of a live cycle', async () => {
    const buildView = createIncrementalViews().build
    for (let step = 0; step < 260; step++) {
      const asOf = LATE + step * BASE_STEP
      const facts = await gatherMarketFacts({ market, news: quietNews, config: CONFIG, asOf })
      const walked = canonicalJson(await snapshotAt(asOf, { facts, buildView }))
      if (step % 13 === 0) expect(walked).toBe(canonicalJson(await snapshotAt(asOf, { facts })))
    }
  })
})

describe('content', () => {
  it('shows the newest closed bars, and only those', async () => {
    const { views, issues } = await snapshotAt(LATE, { market })
    expect(issues).toEqual([])
    expect(views.primary.bars).toHaveLength(BARS_SHOWN.primary)
    expect(views.primary.bars.at(-1)?.time).toBe(LATE - BASE_STEP)
    expect(views.fourHour.bars.at(-1)?.time).toBe(START + 320 * DAY_MS + 4 * HOUR_MS)
    expect(views.daily.bars.at(-1)?.time).toBe(START + 319 * DAY_MS)
    expect(views.primary.indicators.ema200).not.toBeNull()
    expect(views.daily.indicators.ema200).not.toBeNull()
  })

  it('an hourly strategy looks at hourly bars', async () => {
    const config = configOf({ id: 'eth-perp', interval: '1h' })
    const { views } = await snapshotAt(LATE, { market, config })
    expect(views.primary.timeframe).toBe('1h')
    expect(views.primary.bars.at(-1)?.time).toBe(START + 320 * DAY_MS + 8 * HOUR_MS)
  })

  it('reference: changes by time, correlation with itself is one', async () => {
    const twin = arrayMarket({ ...HISTORY, reference: HISTORY.traded }, { symbol })
    const { reference } = await snapshotAt(LATE, { market: twin })
    const hourly = (await twin.candles({ symbol: 'other', timeframe: '1h', asOf: LATE, limit: 200 })).candles
    const closeBack = (hours: number) => hourly.at(-1 - hours)?.close ?? 0
    expect(reference?.correlation).toBe(1)
    expect(reference?.price).toBe(closeBack(0))
    expect(reference?.change1h).toBeCloseTo(closeBack(0) / closeBack(1) - 1, 9)
    expect(reference?.change24h).toBeCloseTo(closeBack(0) / closeBack(24) - 1, 9)
    expect(reference?.change7d).toBeCloseTo(closeBack(0) / closeBack(168) - 1, 9)
  })

  it('reference: an upside-down market correlates with minus one, a gap only costs its hours, a dead one has no correlation', async () => {
    const inverse = HISTORY.traded.map((bar) => ({
      ...bar,
      open: 4e6 / bar.open,
      close: 4e6 / bar.close,
      high: 4e6 / bar.low,
      low: 4e6 / bar.high,
    }))
    const at = async (reference: typeof inverse) =>
      (await snapshotAt(LATE, { market: arrayMarket({ ...HISTORY, reference }, { symbol }) })).reference
    expect((await at(inverse))?.correlation).toBe(-1)
    expect(
      (await at(inverse.filter(({ time }) => time < LATE - 30 * HOUR_MS || time > LATE - 20 * HOUR_MS)))?.correlation,
    ).toBe(-1)
    expect(
      (await at(inverse.filter(({ time }) => time < LATE - 100 * HOUR_MS || time > LATE - 20 * HOUR_MS)))?.correlation,
    ).toBeNull()
    expect((await at(inverse.map((bar) => ({ ...bar, open: 7, close: 7, high: 7, low: 7 }))))?.correlation).toBeNull()
  })

  it('reference: when its newest hour is not there it is left out, and said so', async () => {
    const snapshot = await snapshotAt(LATE, {
      market: arrayMarket(
        { ...HISTORY, reference: HISTORY.reference.filter(({ time }) => time < LATE - 3 * HOUR_MS) },
        { symbol },
      ),
    })
    expect(snapshot.reference).toBeNull()
    expect(snapshot.contextIssues).toMatchObject([
      { kind: 'missing', detail: expect.stringContaining('reference BIP-20DEC30-CDE') },
    ])
  })

  it('funding: interval from the rates themselves, jitter or not; a lone rate takes the contract’s', async () => {
    const funding = (rates: { time: number; rate: number }[]) =>
      snapshotAt(LATE, { market: arrayMarket({ ...HISTORY, funding: rates }, { symbol }) }).then(
        (snapshot) => snapshot.funding,
      )
    const eight = [3, 2, 1].map((back) => ({ time: LATE - back * 8 * HOUR_MS + back * 3, rate: back * 1e-4 }))
    expect(await funding(eight)).toEqual({ rate: 1e-4, intervalHours: 8, annualised: 0.1095, averageRate: 2e-4 })
    expect(await funding(eight.slice(-1))).toEqual({
      rate: 1e-4,
      intervalHours: 1,
      annualised: 0.876,
      averageRate: 1e-4,
    })
    expect(await funding([{ time: LATE - 4 * DAY_MS, rate: 1 }])).toBeNull()
    expect(await funding([])).toBeNull()
  })

  it('issues: gaps and staleness of the traded market, by timeframe; what the source says outside the window is left out', async () => {
    const facts = await gatherMarketFacts({ market, news: quietNews, config: CONFIG, asOf: LATE })
    const gappy = facts.primary.candles
      .filter(({ time }) => time < LATE - 10 * BASE_STEP || time >= LATE - 7 * BASE_STEP)
      .slice(0, -2)
    const reported = [
      { kind: 'duplicate' as const, at: toIso(LATE - 12 * BASE_STEP), count: 2, detail: 'twice' },
      { kind: 'duplicate' as const, at: toIso(LATE - DAY_MS), count: 2, detail: 'forgotten' },
      { kind: 'forming' as const, at: toIso(LATE - BASE_STEP), count: 1, detail: 'how exchanges answer' },
      { kind: 'duplicate' as const, at: toIso(LATE - 300 * DAY_MS), count: 2, detail: 'long ago' },
      { kind: 'gap' as const, at: toIso(LATE - 10 * BASE_STEP), count: 3, detail: 'the source noticed too' },
    ]
    const { issues } = await snapshotAt(LATE, { facts: { ...facts, primary: { candles: gappy, issues: reported } } })
    expect(issues).toEqual([
      {
        kind: 'stale',
        at: toIso(LATE - BASE_STEP),
        count: 2,
        detail: `30m: newest closed bar is ${toIso(LATE - 3 * BASE_STEP)}, expected ${toIso(LATE - BASE_STEP)}`,
      },
      {
        kind: 'gap',
        at: toIso(LATE - 10 * BASE_STEP),
        count: 3,
        detail: `30m: 3 bars missing before ${toIso(LATE - 7 * BASE_STEP)}`,
      },
      { kind: 'duplicate', at: toIso(LATE - 12 * BASE_STEP), count: 2, detail: '30m: twice' },
    ])
  })

  it('issues: no bar at all', async () => {
    const snapshot = Snapshot.parse(
      await snapshotAt(LATE, { market: arrayMarket({ traded: [], reference: [], funding: [] }, { symbol }) }),
    )
    expect(snapshot.issues.map(({ kind }) => kind)).toEqual(['missing', 'missing', 'missing'])
    expect(snapshot.contextIssues).toMatchObject([{ kind: 'missing' }])
    expect(snapshot.views.primary).toMatchObject({ barsUsed: 0, bars: [], regime: { label: 'unknown' } })
  })
})

/** The snapshot at {@link LATE} with this mark price. */
const marked = async (mark: string, state = flatState(LATE)) => {
  const facts = await gatherMarketFacts({ market, news: quietNews, config: CONFIG, asOf: LATE })
  return snapshotAt(LATE, { facts: { ...facts, quote: { ...facts.quote, mark: price(mark) } }, state })
}

describe('account and position', () => {
  it.each([
    // 37 contracts of 0.1, cost 6845.925 = 3.7 x 1850.25.
    ['long', '1900.5', '185.925', 1.12290503],
    ['long', '1800', '-185.925', -1.12290503],
    ['short', '1900.5', '-185.925', -1.12290503],
    ['long', '1850.25', '0', 0],
  ] as const)('%s marked at %s: unrealised %s', async (side, mark, unrealisedPnl, unrealisedR) => {
    const snapshot = await marked(mark, {
      ...flatState(LATE),
      phase: { kind: 'open', position: openPosition(LATE - 95 * MINUTE_MS, { side }) },
    })
    expect(snapshot.position).toMatchObject({
      side,
      quantity: '37',
      entryPrice: '1850.25',
      unrealisedPnl,
      heldMinutes: 95,
    })
    expect(snapshot.position?.unrealisedR).toBeCloseTo(unrealisedR, 8)
    expect(snapshot.account.equity).toBe(money(10_000 + Number(unrealisedPnl)))
  })

  it('a position counts while opening and while closing; an average that is no tick is cut to twelve digits', async () => {
    const position = openPosition(LATE, { quantity: quantity('3'), costBasis: money('100'), riskAtEntry: null })
    const state = flatState(LATE)
    const order = { kind: 'close' as const, clientOrderId: 'x', symbol, side: 'sell' as const, quantity: quantity('3') }
    const intent = {
      order,
      reason: 'decision' as const,
      attempt: 0,
      status: 'intended' as const,
      orderId: null,
      intendedAt: toIso(LATE),
      deadline: toIso(LATE),
    }
    const closing = await marked('300', { ...state, phase: { kind: 'closing', position, intent } })
    expect(closing.position).toMatchObject({ entryPrice: '333.333333333', unrealisedPnl: '-10', unrealisedR: null })
  })

  it('day return and drawdown from the marked equity; a new day begins at the last equity of the old', async () => {
    const state = flatState(LATE)
    const books = {
      ...state.accounting,
      cash: money('9000'),
      equity: money('9500'),
      peakEquity: money('12000'),
      dayStartEquity: money('10000'),
      entriesToday: 4,
    }
    expect((await marked('1900', { ...state, accounting: books })).account).toMatchObject({
      equity: '9000',
      dayReturn: -0.1,
      drawdown: 0.25,
      entriesToday: 4,
    })
    const yesterday = { ...books, day: toIso(LATE - DAY_MS).slice(0, 10) }
    expect((await marked('1900', { ...state, accounting: yesterday })).account).toMatchObject({
      dayReturn: -0.05263157895,
      entriesToday: 0,
    })
    const spent = { ...books, cash: money('-5'), peakEquity: money('0'), dayStartEquity: money('0') }
    expect((await marked('1900', { ...state, accounting: spent })).account).toMatchObject({
      dayReturn: -1,
      drawdown: 1,
    })
  })
})

describe('memory', () => {
  it('performance: by side and regime, exact sums, the newest trades in whatever order they are kept', async () => {
    const state = busyState(LATE)
    const shuffled = { ...state, memory: { ...state.memory, trades: state.memory.trades.toReversed() } }
    const config = { ...CONFIG, memory: { decisions: 2, trades: 4 } }
    const { performance, decisions } = await snapshotAt(LATE, { market, config, state: shuffled })
    // The last four are numbers 26 to 29: one win, of 27.
    expect(performance).toMatchObject({
      trades: 4,
      winRate: 0.25,
      pnl: money(183.27654321 - 3 * 97.12345678),
      averageR: -0.30505,
    })
    expect(performance.bySide).toMatchObject({ long: { trades: 2, winRate: 0 }, short: { trades: 2, winRate: 0.5 } })
    expect(Object.keys(performance.byRegime)).toEqual(['breakout', 'high_volatility', 'range', 'unknown'])
    expect(Object.values(performance.byRegime).reduce((total, { trades }) => total + trades, 0)).toBe(4)
    expect(decisions.map(({ cycleId }) => cycleId)).toEqual(['eth-perp-4', 'eth-perp-5'])
  })

  it('nothing yet: no rates, zero money', async () => {
    const { performance, decisions } = await snapshotAt(LATE, {
      market,
      config: { ...CONFIG, memory: { decisions: 0, trades: 0 } },
      state: busyState(LATE),
    })
    expect(performance).toEqual({
      trades: 0,
      winRate: null,
      averageR: null,
      pnl: '0',
      bySide: {
        long: { trades: 0, winRate: null, averageR: null, pnl: '0' },
        short: { trades: 0, winRate: null, averageR: null, pnl: '0' },
      },
      byRegime: {},
    })
    expect(decisions).toEqual([])
  })
})
