import { ETH } from '../support/instruments.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, dec, type Money, type Price, type Quantity } from '../../lib/core/decimal.ts'
import { MINUTE_MS, toIso, utcDay } from '../../lib/core/time.ts'
import { positionOf } from '../../lib/ledger/accounting.ts'
import type { LedgerEvent, OrderEnd } from '../../lib/ledger/events.ts'
import { createState, type Emission, transition, transitionAll } from '../../lib/ledger/transition.ts'
import { StrategyState } from '../../schemas/state.ts'
import { Trade } from '../../schemas/trade.ts'
import type { Fill, FillReason } from '../../schemas/order.ts'
import {
  closeIntent,
  CONTRACT,
  deepFreeze,
  entryIntent,
  fillOf,
  filled,
  money,
  START,
  STRATEGY,
  SYMBOL,
} from './support.ts'

/** One throw of the dice: which of the events possible now, how much, at what price, how much later. */
type Dice = { pick: number; size: number; cents: number; fee: bigint; skip: number; late: boolean }
const dice = fc.record({
  pick: fc.nat({ max: 999 }),
  size: fc.integer({ min: 1, max: 9 }),
  cents: fc.integer({ min: 100_00, max: 4000_00 }),
  // Fees finer than money is rounded to: a venue may say so.
  fee: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 13n }),
  skip: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 90 }) }, { weight: 1, arbitrary: fc.nat({ max: 4000 }) }),
  late: fc.boolean(),
})

/** All the oracle's amounts are integers of this many places. */
const PLACES = 12
const UNIT = 10n ** BigInt(PLACES)
const textOf = (units: bigint): string => canonical(dec(units.toString()).div(1).times(`1e-${PLACES}`))
function unitsOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  expect(fraction.length).toBeLessThanOrEqual(PLACES)
  const size = BigInt(whole) * UNIT + BigInt(fraction.padEnd(PLACES, '0'))
  return text.startsWith('-') ? -size : size
}
/** price x quantity x contract size, exact: two, no and one places. */
/** A quotient rounded away from zero to the eight decimals of money. */
const ceilOf = (dividend: bigint, divisor: bigint): bigint => {
  const grain = 10n ** BigInt(PLACES - 8)
  return ((dividend + divisor * grain - 1n) / (divisor * grain)) * grain
}
const notionalOf = (price: string, quantity: string): bigint => (unitsOf(price) * BigInt(quantity)) / 10n

/** What a bookkeeper who only sees fills, payments, transfers and marks would have: no cost basis, no phases. */
class Bookkeeper {
  cash = unitsOf('10000')
  held = 0n
  mark: { price: string; time: number } | null = null
  equity = unitsOf('10000')
  peak = unitsOf('10000')
  dayStart = unitsOf('10000')
  day = utcDay(START)
  entriesToday = 0
  fees = 0n
  funding = 0n
  adjustments = 0n
  transferred = 0n
  orphanFunding = 0n
  fills: Fill[] = []
  trades: { pnl: bigint; fees: bigint; funding: bigint; fills: string[]; isLoss: boolean }[] = []
  open: { cash: bigint; fees: bigint; funding: bigint; fills: string[]; since: number } | null = null

  private roll(time: number): void {
    if (utcDay(time) <= this.day) return
    this.day = utcDay(time)
    this.dayStart = this.equity
    this.entriesToday = 0
  }

  private value(price: string | null, time: number): void {
    if (price !== null && (this.mark === null || time >= this.mark.time)) this.mark = { price, time }
    // What is held, sold at the mark, plus what was ever paid and received for it.
    this.equity = this.cash + (this.mark === null ? 0n : (unitsOf(this.mark.price) * this.held) / 10n)
    if (this.equity > this.peak) this.peak = this.equity
  }

  take(event: LedgerEvent): void {
    const time = Date.parse(event.at)
    switch (event.type) {
      case 'filled':
        return this.takeFill(event.fill)
      case 'marked':
        this.roll(time)
        return this.value(event.markPrice, time)
      case 'funding_settled': {
        const amount = unitsOf(event.payment.amount)
        const paidAt = Date.parse(event.payment.at)
        this.roll(paidAt)
        this.cash += amount
        this.funding += amount
        if (this.open !== null && paidAt > this.open.since) this.open.funding += amount
        else this.orphanFunding += amount
        return this.value(null, paidAt)
      }
      case 'cash_adjusted': {
        const amount = unitsOf(event.amount)
        this.roll(time)
        this.cash += amount
        this.adjustments += amount
        // Money paid in is no gain: it must not make room for losses.
        if (amount > 0n) {
          this.peak += amount
          this.dayStart += amount
        }
        return this.value(null, time)
      }
      case 'transferred': {
        const amount = unitsOf(event.transfer.amount)
        this.roll(time)
        this.cash += amount
        this.transferred += amount
        // In the same proportion to equity as before, rounded up; without equity a deposit raises them by its amount.
        const after = this.equity + amount
        const follow = (base: bigint): bigint =>
          this.equity > 0n && after > 0n ? ceilOf(base * after, this.equity) : base + (amount > 0n ? amount : 0n)
        this.peak = follow(this.peak)
        this.dayStart = follow(this.dayStart)
        return this.value(null, time)
      }
      case 'resumed':
        this.peak = this.equity
        this.dayStart = this.equity
        return
      default:
        return
    }
  }

  private takeFill(fill: Fill): void {
    const time = Date.parse(fill.at)
    const direction = fill.side === 'buy' ? 1n : -1n
    const moved = -direction * notionalOf(fill.price, fill.quantity)
    this.roll(time)
    this.fills.push(fill)
    this.cash += moved - unitsOf(fill.fee)
    this.fees += unitsOf(fill.fee)
    this.held += direction * BigInt(fill.quantity)
    if (this.open === null) {
      this.open = { cash: 0n, fees: 0n, funding: 0n, fills: [], since: time }
      this.entriesToday += 1
    }
    this.open.cash += moved
    this.open.fees += unitsOf(fill.fee)
    this.open.fills.push(fill.fillId)
    this.value(fill.price, time)
    if (this.held !== 0n) return
    const { cash, fees, funding, fills } = this.open
    this.trades.push({ pnl: cash - fees + funding, fees, funding, fills, isLoss: cash - fees + funding < 0n })
    this.open = null
  }
}

/** Plays dice into a life of a strategy; every event is one its phase allows. */
class Life {
  state = deepFreeze(createState(STRATEGY, ETH, money('10000'), toIso(START)))
  now = START
  serial = 0
  lateEntry = 0
  readonly events: LedgerEvent[] = []
  readonly emissions: Emission[] = []
  readonly trades: Trade[] = []
  readonly keeper = new Bookkeeper()

  private fill(roll: Dice, side: 'buy' | 'sell', quantity: number, reason: FillReason): LedgerEvent {
    const time = roll.late ? Math.max(START, this.now - 3 * MINUTE_MS) : this.now
    return filled(
      fillOf({
        id: `f${this.serial}`,
        side,
        price: textOf(BigInt(roll.cents) * (UNIT / 100n)),
        quantity: `${quantity}`,
        fee: textOf(roll.fee),
        reason,
        time,
      }),
    )
  }

  /** Everything that may happen now. */
  private choices(roll: Dice): (() => LedgerEvent)[] {
    const { phase } = this.state
    const now = toIso(this.now)
    const id = `${this.serial}`
    const held = positionOf(phase)
    const size = held === null ? 0 : Number(held.quantity)
    const opening = held?.side === 'short' ? 'sell' : 'buy'
    const closing = held?.side === 'short' ? 'buy' : 'sell'
    const price = textOf(BigInt(roll.cents) * (UNIT / 100n)) as Price
    const always: (() => LedgerEvent)[] = [
      () => ({ type: 'marked', at: roll.late ? toIso(this.now - 2 * MINUTE_MS) : now, markPrice: price }),
      () => ({
        type: 'funding_settled',
        at: now,
        payment: {
          fundingId: `p${id}`,
          at: roll.late ? toIso(this.now - 30 * MINUTE_MS) : now,
          rate: '0.0001',
          amount: textOf((BigInt(roll.cents) - 200_000n) * (UNIT / 10n ** 8n)) as Money,
        },
      }),
      () => ({
        type: 'cash_adjusted',
        at: now,
        amount: textOf((BigInt(roll.cents) - 200_000n) * (UNIT / 100n)) as Money,
        reason: 'r',
        isIncident: true,
      }),
      () => ({
        type: 'transferred',
        at: now,
        transfer: {
          transferId: id,
          at: now,
          amount: textOf((BigInt(roll.cents) - 200_000n) * (UNIT / 100n)) as Money,
          source: 'venue',
          note: null,
        },
        isExplanation: false,
      }),
      () => ({ type: 'incident_noted', at: now, kind: 'k', detail: id }),
      () => ({ type: 'watched', at: now, until: now }),
      () => ({
        type: 'cursor_moved',
        at: now,
        cursor: { since: now, seenIds: this.keeper.fills.map(({ fillId }) => fillId).slice(-50) },
      }),
      () => ({
        type: 'slot_finished',
        at: now,
        slot: now,
        summary: { cycleId: id, at: now, action: 'hold', outcome: 'held', confidence: null, note: '' },
        keep: roll.size % 4,
      }),
      () => ({ type: 'halted', at: now, halt: { at: now, by: 'guard', rule: 'daily_loss', reason: id } }),
      () => ({ type: 'resumed', at: now }),
    ]
    const reduce = (reasons: FillReason[]): (() => LedgerEvent)[] =>
      reasons.map(
        (reason) => () => this.fill(roll, closing, roll.pick % 3 === 0 ? size : Math.min(roll.size, size), reason),
      )
    const exits = held === null ? [] : [...reduce(['stop_loss', 'take_profit', 'liquidation', 'external'])]
    const protect: (() => LedgerEvent)[] =
      held === null
        ? []
        : [
            () => ({
              type: 'protection_confirmed',
              at: now,
              orderId: `o${id}`,
              quantity: held.quantity,
              bracket: { stopLossPrice: price, takeProfitPrice: price },
            }),
            () => ({ type: 'protection_lost', at: now, reason: 'gone' }),
          ]
    const intendProtection = (): LedgerEvent => {
      const { order } = entryIntent(this.now, closing, `${size}`)
      return {
        type: 'protection_intended',
        at: now,
        attempt: held?.protectAttempts ?? 0,
        deadline: now,
        order: {
          kind: 'protect',
          clientOrderId: order.clientOrderId,
          symbol: SYMBOL,
          side: closing,
          quantity: `${size}` as Quantity,
          bracket: order.bracket,
        },
      }
    }
    const end =
      (['done', 'rejected', 'cancelled', 'expired', 'abandoned'] satisfies OrderEnd[])[roll.size % 5] ?? 'done'
    const status = roll.late ? ('unknown' as const) : ('accepted' as const)
    switch (phase.kind) {
      case 'flat': {
        const { abandoned } = phase
        const late =
          abandoned === null
            ? []
            : [
                () =>
                  this.fill(roll, abandoned.order.side, Math.min(roll.size, Number(abandoned.order.quantity)), 'entry'),
              ]
        const enter = (): LedgerEvent => ({
          type: 'entry_intended',
          at: now,
          intent: entryIntent(this.now, roll.late ? 'buy' : 'sell', `${3 + roll.size}`),
        })
        return [...always, enter, enter, enter, enter, ...late, ...late, ...late]
      }
      case 'opening': {
        const missing = Number(phase.intent.order.quantity) - Number(phase.filledQuantity)
        const more =
          missing === 0 ? [] : [() => this.fill(roll, phase.intent.order.side, Math.min(roll.size, missing), 'entry')]
        return [
          ...always,
          ...more,
          ...more,
          ...more,
          ...exits,
          ...protect,
          ...(held === null ? [] : [intendProtection]),
          () => ({ type: 'entry_acknowledged', at: now, status, orderId: null }),
          () => ({ type: 'entry_ended', at: now, end, reason: null }),
          () => ({ type: 'entry_ended', at: now, end, reason: null }),
        ]
      }
      case 'open':
        return [
          ...always,
          ...exits,
          ...exits,
          ...protect,
          intendProtection,
          () => this.fill(roll, opening, roll.size, 'entry'),
          () => ({
            type: 'close_intended',
            at: now,
            intent: closeIntent(this.now, closing, `${size}`, 'time_limit', held?.closeAttempts ?? 0),
          }),
        ]
      case 'closing':
        return [
          ...always,
          ...exits,
          ...reduce(['close', 'close', 'close', 'close']),
          ...protect,
          () => ({ type: 'close_acknowledged', at: now, status, orderId: 'x' }),
          () => ({ type: 'close_ended', at: now, end, reason: null }),
        ]
      default:
        return phase satisfies never
    }
  }

  step(roll: Dice): void {
    this.serial += 1
    this.now += roll.skip * MINUTE_MS
    const choices = this.choices(roll)
    const event = deepFreeze(choices[roll.pick % choices.length]?.())
    if (event === undefined) throw new Error('no choice')
    const before = this.state
    const { state, history, emissions } = transition(before, event)
    this.state = deepFreeze(state)
    this.events.push(event)
    this.emissions.push(...emissions)
    for (const entry of history) if (entry.kind === 'TRADE') this.trades.push(Trade.parse(entry.body))
    this.keeper.take(event)
  }

  check(): void {
    const { accounting, phase } = this.state
    const { keeper } = this
    const position = positionOf(phase)
    const units = (text: string): bigint => unitsOf(text)

    expect(units(accounting.cash)).toBe(
      units(accounting.deposited) +
        units(accounting.gross) -
        units(accounting.fees) +
        units(accounting.funding) +
        units(accounting.adjustments) +
        units(accounting.transferred),
    )
    const { fees, funding, adjustments, transferred } = accounting
    expect([fees, funding, adjustments, transferred].map(units)).toEqual([
      keeper.fees,
      keeper.funding,
      keeper.adjustments,
      keeper.transferred,
    ])
    const signed = position === null ? 0n : BigInt(position.quantity) * (position.side === 'long' ? 1n : -1n)
    expect(signed).toBe(keeper.held)
    expect(position !== null).toBe(keeper.open !== null)
    // The bookkeeper's cash has paid for what is held; the ledger's has not.
    const basis = position === null ? 0n : units(position.costBasis) * (position.side === 'long' ? 1n : -1n)
    expect(units(accounting.cash) - basis).toBe(keeper.cash)
    expect(units(accounting.equity)).toBe(keeper.equity)
    expect(units(accounting.peakEquity)).toBe(keeper.peak)
    expect(keeper.peak >= keeper.equity).toBe(true)
    expect([accounting.day, units(accounting.dayStartEquity), accounting.entriesToday]).toEqual([
      keeper.day,
      keeper.dayStart,
      keeper.entriesToday,
    ])

    // Trades: the bookkeeper's, one by one, and together with what is open they are the whole.
    expect(
      this.trades.map((trade) => [units(trade.pnl), units(trade.fees), units(trade.funding), trade.fillIds]),
    ).toEqual(keeper.trades.map(({ pnl, fees, funding, fills }) => [pnl, fees, funding, fills]))
    for (const trade of this.trades)
      expect(units(trade.pnl)).toBe(units(trade.gross) - units(trade.fees) + units(trade.funding))
    const parts = [...this.trades, ...(position === null ? [] : [position])]
    const total = (of: (part: { gross: string; fees: string; funding: string }) => string): bigint =>
      parts.reduce((sum, part) => sum + units(of(part)), 0n)
    expect([
      total(({ gross }) => gross),
      total(({ fees }) => fees),
      total(({ funding }) => funding) + keeper.orphanFunding,
    ]).toEqual([units(accounting.gross), units(accounting.fees), units(accounting.funding)])
    const filed = [...this.trades.flatMap(({ fillIds }) => fillIds), ...(position?.fillIds ?? [])]
    expect(filed).toEqual(keeper.fills.map(({ fillId }) => fillId))

    let streak = 0
    for (const { isLoss } of keeper.trades) streak = isLoss ? streak + 1 : 0
    expect(accounting.consecutiveLosses).toBe(streak)
    expect(accounting.lastTradeClosedAt).toBe(this.trades.at(-1)?.exitTime ?? null)
    const last = this.trades.at(-1)
    expect(accounting.lastTradeLost).toBe(
      last !== undefined &&
        (last.pnl.startsWith('-') || last.exitReason === 'liquidation' || last.exitReason === 'external'),
    )

    expect(StrategyState.parse(this.state)).toEqual(this.state)
    expect(StrategyState.parse(JSON.parse(JSON.stringify(this.state)))).toEqual(this.state)
  }
}

describe('any life of a strategy', () => {
  it('adds up to the last digit after every event, by a bookkeeper who knows fills only', () => {
    const seen = { trades: 0, longs: 0, shorts: 0, late: 0, days: 0, phases: new Set<string>() }
    fc.assert(
      fc.property(fc.array(dice, { minLength: 30, maxLength: 90 }), (rolls) => {
        const life = new Life()
        for (const roll of rolls) {
          const wasFlat = life.state.phase.kind === 'flat'
          life.step(roll)
          life.check()
          seen.phases.add(life.state.phase.kind)
          if (wasFlat && life.state.phase.kind === 'open') seen.late += 1
        }
        seen.trades += life.trades.length
        seen.longs += life.trades.filter(({ side }) => side === 'long').length
        seen.shorts += life.trades.filter(({ side }) => side === 'short').length
        seen.days += new Set(life.events.map(({ at }) => at.slice(0, 10))).size - 1
        // Folding all at once is the same as one by one.
        const start = createState(STRATEGY, ETH, money('10000'), toIso(START))
        const folded = transitionAll(start, life.events)
        expect(folded.state).toEqual(life.state)
        expect(folded.emissions).toEqual(life.emissions)
        expect(folded.history.filter(({ kind }) => kind === 'TRADE').map(({ body }) => body)).toEqual(life.trades)
      }),
      { seed: 20261102, numRuns: 30 },
    )
    // The lives were worth living.
    expect([...seen.phases].toSorted()).toEqual(['closing', 'flat', 'open', 'opening'])
    for (const count of [seen.trades, seen.longs, seen.shorts, seen.late, seen.days]) expect(count).toBeGreaterThan(10)
  })

  it('a fill seen before is refused: while its trade is open, and after it as long as the cursor remembers', () => {
    fc.assert(
      fc.property(fc.array(dice, { minLength: 20, maxLength: 60 }), (rolls) => {
        const life = new Life()
        for (const roll of rolls) {
          life.step(roll)
          const seenIds = life.keeper.fills.map(({ fillId }) => fillId)
          const remembering = transition(life.state, {
            type: 'cursor_moved',
            at: toIso(life.now),
            cursor: { since: toIso(START), seenIds },
          }).state
          for (const event of life.events) {
            if (event.type !== 'filled') continue
            if (positionOf(life.state.phase)?.fillIds.includes(event.fill.fillId))
              expect(() => transition(life.state, event)).toThrow(/already|reverse|belongs/)
            expect(() => transition(remembering, event)).toThrow(/already/)
          }
        }
      }),
      { seed: 3, numRuns: 30 },
    )
  })
})

it('the contract size of these tests is the one the bookkeeper reckons with', () => expect(CONTRACT).toBe('0.1'))
