import { ENDING_ETH } from '../support/dated-future.ts'
import { ETH } from '../support/instruments.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Money, money, type Price, price, type Quantity } from '../../lib/core/decimal.ts'
import { atOnePrice } from '../../lib/core/first-exit.ts'
import { directionOf, type PositionSide } from '../../lib/core/margin.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso, utcDay } from '../../lib/core/time.ts'
import { findHardExit } from '../../lib/execution/find-exit.ts'
import { dailyLoss, drawdown, revalue, rollDay } from '../../lib/ledger/accounting.ts'
import { createState } from '../../lib/ledger/transition.ts'
import { expiryExitDue } from '../../lib/instrument/expiry.ts'
import { firstPassToMake, type QuietQuestion } from '../../lib/replay/quiet-time.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Position, Protection, StrategyState } from '../../schemas/state.ts'
import { settings } from './support.ts'

const MIDNIGHT = Date.parse('2026-03-11T00:00:00Z')
const BASE = settings()
const QUANTITY = 10
const CONTRACT = 0.1
const LIVE: Protection = {
  status: 'live',
  orderId: 'o',
  quantity: '10' as Quantity,
  bracket: { stopLossPrice: '1' as Price, takeProfitPrice: '2' as Price },
  confirmedAt: toIso(0),
}

type Holding = {
  side: PositionSide
  stop: number
  target: number
  liquidation: number | null
  openedAt: number
  protection?: Protection
}

/** Ten contracts of a tenth, in from 2000. */
function positionOf({ side, stop, target, liquidation, openedAt, protection = LIVE }: Holding): Position {
  const nothing = '0' as Money
  const all = { quantity: `${QUANTITY}` as Quantity, multiplier: `${CONTRACT}` as Quantity }
  const costBasis = money(2000 * QUANTITY * CONTRACT)
  const entered = {
    ...all,
    peakQuantity: all.quantity,
    costBasis,
    entryNotional: costBasis,
    entryBase: '1' as Quantity,
    exitNotional: nothing,
    exitBase: '0' as Quantity,
  }
  const counts = {
    gross: nothing,
    fees: nothing,
    funding: nothing,
    slippage: nothing,
    riskAtEntry: null,
    fillIds: [],
    protectAttempts: 1,
    protectFailures: 0,
    closeAttempts: 0,
    isCloseUnheard: false,
    thesis: null,
  }
  return {
    tradeId: 't',
    side,
    ...entered,
    openedAt: toIso(openedAt),
    bracket: { stopLossPrice: price(stop), takeProfitPrice: price(target) },
    liquidationPrice: liquidation === null ? null : price(liquidation),
    protection,
    ...counts,
  }
}

type Books = { cash: number; equity: number; dayStart: number; peak: number }
const HALT = { at: toIso(0), by: 'guard' as const, rule: 'daily_loss', reason: 'r' }

function stateOf(
  position: Position,
  { cash, equity, dayStart, peak }: Books,
  { isHalted = false, watchedUntil = null as number | null, day = MIDNIGHT - HOUR_MS } = {},
): StrategyState {
  const start = createState('eth-perp', ETH, money(cash), position.openedAt)
  const accounting = {
    ...start.accounting,
    cash: money(cash),
    equity: money(equity),
    dayStartEquity: money(dayStart),
    peakEquity: money(peak),
    day: utcDay(day),
  }
  return {
    ...start,
    accounting,
    phase: { kind: 'open', position },
    halt: isHalted ? HALT : null,
    watchedUntil: watchedUntil === null ? null : toIso(watchedUntil),
  }
}

/** Whether a pass at `pass` would find anything, by what each part of a pass goes by, one bar at a time. */
function wouldAct({ state, config, bars, barMs }: QuietQuestion, pass: number): boolean {
  if (state.phase.kind !== 'open') return true
  const { position } = state.phase
  const bar = bars.find(({ time }) => time === pass - barMs)
  const next = bars.find(({ time }) => time === pass)
  if (bar === undefined || next === undefined || position.bracket === null || position.protection.status !== 'live')
    return true
  if (
    findHardExit({
      position,
      bars: [bar],
      barMs,
      mark: next.open,
      now: pass,
      exits: config.exits,
      expiryDue: expiryExitDue(state.instrument),
    }) !== null
  )
    return true
  // The venue's own: target and liquidation at their prices, met exactly or passed.
  const isLong = position.side === 'long'
  const target = Number(position.bracket.takeProfitPrice)
  if ([bar, atOnePrice(next.open)].some(({ high, low }) => (isLong ? high >= target : low <= target))) return true
  if (
    position.liquidationPrice !== null &&
    (isLong ? bar.low <= Number(position.liquidationPrice) : bar.high >= Number(position.liquidationPrice))
  )
    return true
  const watched = Math.max(
    Date.parse(position.openedAt),
    state.watchedUntil === null ? 0 : Date.parse(state.watchedUntil),
  )
  if (pass >= watched + 4 * HOUR_MS) return true
  if (state.halt !== null) return false
  const at = toIso(pass)
  const books = revalue(rollDay(state.accounting, at, 'always-open'), position, price(next.open), at)
  return dailyLoss(books) >= config.guard.maxDailyLoss || drawdown(books) >= config.guard.maxDrawdown
}

const passesOf = ({ from, until, barMs }: QuietQuestion): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((until - from) / barMs)) }, (_, index) => from + index * barMs)

/** Half-dollar steps about 2000, some of the bars missing. */
const walks = fc.array(
  fc.record({
    gap: fc.constantFrom(0, 0, 0, -8, 8),
    body: fc.integer({ min: -12, max: 12 }),
    up: fc.nat({ max: 10 }),
    down: fc.nat({ max: 10 }),
    isLost: fc.constantFrom(...Array.from({ length: 120 }, (_, index) => index === 0)),
  }),
  { minLength: 30, maxLength: 50 },
)

function barsOf(steps: typeof walks extends fc.Arbitrary<infer T> ? T : never, first: number, barMs: number): Candle[] {
  let level = 2000
  return steps.flatMap(({ gap, body, up, down, isLost }, index) => {
    const open = level + gap / 2
    const close = open + body / 2
    level = close
    return isLost
      ? []
      : [
          {
            time: first + index * barMs,
            open,
            high: Math.max(open, close) + up / 2,
            low: Math.min(open, close) - down / 2,
            close,
            volume: 1,
          },
        ]
  })
}

const half = (min: number, max: number) => fc.integer({ min: min * 2, max: max * 2 }).map((halves) => halves / 2)
const questions = fc
  .record({
    steps: walks,
    barMs: fc.constantFrom(MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS),
    /** Bars before midnight. */
    before: fc.integer({ min: 1, max: 40 }),
    side: fc.constantFrom('long' as const, 'short' as const),
    stopAway: half(5, 160),
    targetAway: half(5, 160),
    liquidationAway: fc.option(half(20, 260), { nil: null }),
    liquidationDistance: fc.constantFrom(0, 0, 0.01, 0.03),
    skip: fc.nat({ max: 12 }),
    count: fc.nat({ max: 30 }),
    heldBars: fc.nat({ max: 240 }),
    watchedBars: fc.option(fc.nat({ max: 240 }), { nil: null }),
    maxHoldingMinutes: fc.option(fc.integer({ min: 1, max: 10 * 60 }), { nil: null }),
    books: fc.record({
      cash: half(300, 500),
      equityGain: half(-20, 20),
      dayGain: half(-40, 40),
      peakGain: half(0, 40),
    }),
    limits: fc.record({
      maxDailyLoss: fc.constantFrom(0.02, 0.05, 0.1, 1),
      maxDrawdown: fc.constantFrom(0.03, 0.08, 0.15, 1),
    }),
    isHalted: fc.boolean(),
  })
  .map(
    ({
      steps,
      barMs,
      before,
      side,
      stopAway,
      targetAway,
      liquidationAway,
      liquidationDistance,
      skip,
      count,
      heldBars,
      watchedBars,
      maxHoldingMinutes,
      books,
      limits,
      isHalted,
    }): QuietQuestion => {
      const first = MIDNIGHT - before * barMs
      const direction = directionOf(side)
      const from = first + (1 + Math.min(skip, steps.length - 1)) * barMs
      const openedAt = from - barMs - heldBars * MINUTE_MS
      const position = positionOf({
        side,
        stop: 2000 - direction * stopAway,
        target: 2000 + direction * targetAway,
        liquidation: liquidationAway === null ? null : 2000 - direction * liquidationAway,
        openedAt,
      })
      const equity = books.cash + books.equityGain
      const dayStart = equity - books.dayGain
      const state = stateOf(
        position,
        { cash: books.cash, equity, dayStart, peak: Math.max(equity, dayStart) + books.peakGain },
        {
          isHalted,
          watchedUntil: watchedBars === null ? null : from - watchedBars * MINUTE_MS,
          day: Math.min(from, MIDNIGHT - 1),
        },
      )
      const config = { ...BASE, guard: { ...BASE.guard, ...limits }, exits: { maxHoldingMinutes, liquidationDistance } }
      return { state, config, bars: barsOf(steps, first, barMs), barMs, from, until: from + count * barMs + 1 }
    },
  )

describe('passes that are left out', () => {
  it('would have found nothing, none of them', () => {
    const seen = { leftOut: 0, made: 0, quiet: 0 }
    fc.assert(
      fc.property(questions, (question) => {
        const first = firstPassToMake(question)
        const leftOut = passesOf(question).filter((pass) => pass < (first ?? question.until))
        expect(leftOut.filter((pass) => wouldAct(question, pass)).map(toIso)).toEqual([])
        if (first !== null) expect(passesOf(question)).toContain(first)
        seen.leftOut += leftOut.length
        if (first === null) seen.quiet += 1
        else seen.made += 1
      }),
      { seed: 20261102, numRuns: 1_500 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(200)
  })

  it('are all that would have found nothing, where no limit of the account and no distance is in doubt', () => {
    const reasons = { made: 0, quiet: 0 }
    fc.assert(
      fc.property(questions, (asked) => {
        const question = {
          ...asked,
          state: { ...asked.state, halt: HALT },
          config: { ...asked.config, exits: { ...asked.config.exits, liquidationDistance: 0 } },
        }
        const expected = passesOf(question).find((pass) => wouldAct(question, pass)) ?? null
        expect(firstPassToMake(question)).toBe(expected)
        reasons[expected === null ? 'quiet' : 'made'] += 1
      }),
      { seed: 20261103, numRuns: 1_500 },
    )
    for (const count of Object.values(reasons)) expect(count).toBeGreaterThan(200)
  })
})

describe.each(['long', 'short'] as const)('the bar behind a pass, with a %s from 2000', (side) => {
  const direction = directionOf(side)
  const of = (away: number) => 2000 + direction * away
  const from = MIDNIGHT - 6 * HOUR_MS
  const held = positionOf({ side, stop: of(-20), target: of(40), liquidation: of(-30), openedAt: from - HOUR_MS })
  /** Of the bars behind the third pass, one that reaches so far down and up, and where the next one opens. */
  const barsWith = (worst: number, best: number, next = 0): Candle[] =>
    Array.from({ length: 10 }, (_, index) => {
      const [a, b] = index === 2 ? [of(worst), of(best)] : [of(-5), of(5)]
      const open = of(index === 3 ? next : 0)
      return {
        time: from + (index - 1) * MINUTE_MS,
        open,
        high: Math.max(a, b, open),
        low: Math.min(a, b, open),
        close: 2000,
        volume: 1,
      }
    })
  const rich = { cash: 10_000, equity: 10_000, dayStart: 10_000, peak: 10_000 }
  const config = settings({
    guard: { maxDailyLoss: 0.05, maxDrawdown: 0.15 },
    exits: { maxHoldingMinutes: null, liquidationDistance: 0 },
  })
  const ask = (bars: Candle[], more: Partial<QuietQuestion> = {}) =>
    firstPassToMake({
      state: stateOf(held, rich, { day: from }),
      config,
      bars,
      barMs: MINUTE_MS,
      from,
      until: from + 6 * MINUTE_MS + 1,
      ...more,
    })
  const THIRD = from + 2 * MINUTE_MS

  it.each<[string, Candle[], number | null]>([
    ['just clear of stop and target', barsWith(-19.99, 39.99), null],
    ['the stop met exactly', barsWith(-20, 0), THIRD],
    ['the target met exactly', barsWith(0, 40), THIRD],
    ['the stop passed', barsWith(-25, 0), THIRD],
    ['the next price at the stop', barsWith(-5, 5, -20), THIRD],
    ['the next price at the target', barsWith(-5, 5, 40), THIRD],
    ['the bar behind it missing', barsWith(-5, 5).filter((_, index) => index !== 2), from + MINUTE_MS],
    ['no bar opening with the last one', barsWith(-5, 5).slice(0, 7), from + 6 * MINUTE_MS],
    ['no bars at all', [], from],
  ])('%s', (_what, bars, expected) => expect(ask(bars)).toBe(expected))

  it.each<[string, number | null, number | null, number | null]>([
    ['no time limit', null, null, null],
    ['a time limit a pass away', 62, null, THIRD],
    ['a time limit a little before a pass', 61.5, null, THIRD],
    ['one that comes after all of them', 67, null, null],
    ['one that is over', 30, null, from],
    ['a look-out mark due', null, from + 3 * MINUTE_MS - 4 * HOUR_MS, from + 3 * MINUTE_MS],
    ['a look-out mark that is older than the entry', null, from - 8 * HOUR_MS, null],
    ['both: the earlier', 64, from + 3 * MINUTE_MS - 4 * HOUR_MS, from + 3 * MINUTE_MS],
  ])('%s', (_what, maxHoldingMinutes, watchedUntil, expected) => {
    const timed = { ...config, exits: { ...config.exits, maxHoldingMinutes } }
    // The entry an hour back, or so far that only the mark of the last look counts.
    const opened =
      watchedUntil === null || watchedUntil < from - 4 * HOUR_MS || maxHoldingMinutes !== null
        ? from - HOUR_MS
        : from - 5 * HOUR_MS
    const openedAt = maxHoldingMinutes !== null && watchedUntil !== null ? from - 5 * HOUR_MS : opened
    const limit =
      maxHoldingMinutes !== null && watchedUntil !== null
        ? { ...timed, exits: { ...timed.exits, maxHoldingMinutes: maxHoldingMinutes + 4 * 60 } }
        : timed
    expect(
      ask(barsWith(-5, 5), {
        config: limit,
        state: stateOf({ ...held, openedAt: toIso(openedAt) }, rich, { watchedUntil, day: from }),
      }),
    ).toBe(expected)
  })

  it('a contract that is about to end makes the first pass at or after the instant, and none before', () => {
    const due = expiryExitDue(ENDING_ETH) ?? 0
    const ends = (minutes: number) => ({
      ...ENDING_ETH,
      // The exit is due two hours before a midnight: the end of the contract moves it by whole days only.
      calendar: 'always-open' as const,
      lastTrade: toIso(Date.parse(ENDING_ETH.lastTrade) + minutes * MINUTE_MS),
    })
    const start = due - 2 * MINUTE_MS
    const bars = Array.from({ length: 12 }, (_bar, index) => ({
      time: start + (index - 5) * MINUTE_MS,
      open: 2000,
      high: 2000,
      low: 2000,
      close: 2000,
      volume: 1,
    }))
    const opened = stateOf({ ...held, openedAt: toIso(start - HOUR_MS) }, rich, { day: start })
    const question = {
      config: { ...config, exits: { ...config.exits, maxHoldingMinutes: null } },
      bars,
      barMs: MINUTE_MS,
    }
    const ask = (instrument: typeof opened.instrument) =>
      firstPassToMake({ ...question, state: { ...opened, instrument }, from: start, until: start + 5 * MINUTE_MS })
    expect(ask(ends(0))).toBe(due)
    expect(ask(ends(24 * 60))).toBeNull()
    expect(ask(ETH)).toBeNull()
  })

  it('nothing open, nothing live under it, no exits known: the first pass is made; no pass at all: none is', () => {
    const bars = barsWith(-5, 5)
    const state = stateOf(held, rich)
    expect(ask(bars, { state: { ...state, phase: { kind: 'flat', abandoned: null } } })).toBe(from)
    expect(ask(bars, { state: stateOf({ ...held, protection: { status: 'none' } }, rich) })).toBe(from)
    expect(ask(bars, { state: stateOf({ ...held, bracket: null }, rich) })).toBe(from)
    expect(ask(bars, { until: from })).toBeNull()
  })

  it('a limit of the account met at the next price, also one that midnight has moved', () => {
    // One unit held: a price 15 worse is equity 15 less. Yesterday began at 300 and gained; today begins at what was
    // had at its end.
    const books = { cash: 400, equity: 400, dayStart: 300, peak: 400 }
    const strict = { ...config, guard: { ...config.guard, maxDailyLoss: 0.03, maxDrawdown: 0.9 } }
    const shifted = (start: number) => barsWith(-16, 5, -15).map((bar) => ({ ...bar, time: bar.time - from + start }))
    const askAt = (start: number) =>
      ask(shifted(start), {
        from: start,
        until: start + 6 * MINUTE_MS + 1,
        config: strict,
        state: stateOf({ ...held, openedAt: toIso(start - HOUR_MS) }, books, { day: MIDNIGHT - DAY_MS }),
      })
    expect(askAt(MIDNIGHT - HOUR_MS)).toBeNull()
    expect(askAt(MIDNIGHT - 2 * MINUTE_MS)).toBe(MIDNIGHT)
    expect(
      ask(shifted(from), { config: strict, state: stateOf(held, { ...books, dayStart: 400 }, { day: from }) }),
    ).toBe(THIRD)
  })
})
