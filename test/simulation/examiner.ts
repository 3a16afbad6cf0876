import { dec, sum, type Money } from '../../lib/core/decimal.ts'
import { type EpochMs, fromIso, MINUTE_MS, SECOND_MS, toIso } from '../../lib/core/time.ts'
import { positionOf } from '../../lib/ledger/accounting.ts'
import { readAll } from '../../lib/store/read-all.ts'
import type { Store } from '../../lib/store/store.ts'
import type { Bracket } from '../../schemas/order.ts'
import type { FakeVenue, TrueOrder, VenueTruth } from '../support/coinbase/fake-venue.ts'
import type { Life } from './life.ts'
import { MoneyWatch } from './money-watch.ts'
import type { Observer } from './observer.ts'
import type { Hand, Scenario } from './scenario.ts'
import type { Simulator } from './simulator.ts'

type Pass = { startedAt: number; wasOpen: boolean; nakedFor: number }

/** How often, at least, the venue is looked at while nothing is asked of it. */
const LOOK_MS = 5 * SECOND_MS
/** An order younger than this may be in no list, or was still on its way to the venue when lists were read. */
const UNSEEN_MS = 60 * SECOND_MS
/** For so long after somebody's hand at the venue, what it led to is not held against us. */
const HAND_MS = 3 * MINUTE_MS

/** Compares the venue as it really is with what the ledger believes, and holds both against the invariants. */
export class Examiner {
  longestNakedMs = 0
  private readonly sim: Simulator
  private readonly observer: Observer
  private readonly venue: FakeVenue
  /** Passes that a lagging venue may need for what is due within one. */
  private readonly patience: number
  private readonly money: MoneyWatch
  private readonly passes = new Map<Life, Pass>()
  private lastLook = 0
  private lastHandAt = 0
  /** Until then the venue does not show all that it knows. */
  private lagsUntil = 0
  private lastFlatAt: number
  /**
   * A hand has changed what is held or what rests: until all is flat again, an exit may open more than was approved.
   */
  private isExposureExcused = false
  /** Somebody has opened a position beside us: it is theirs, with or without a stop. */
  private isForeignHeld = false
  /**
   * Somebody has added to ours and taken that away again: the venue's average price is a mixture, and what is realised
   * and what is not differ until all is flat.
   */
  private isCostMixed = false
  /** Of these, as many are there still. */
  private additions = 0
  /** What somebody has added to was not ours in the first place. */
  private isForeignBase = false
  private hasMovedMoney = false
  private nakedSince: number | null = null
  private nakedPasses = 0
  private strayPasses = 0
  private oversizePasses = 0
  private unclosedPasses = 0
  private unequalPasses = 0
  private areFillsExcused = false

  constructor({
    sim,
    observer,
    venue,
    scenario,
  }: {
    sim: Simulator
    observer: Observer
    venue: FakeVenue
    scenario: Scenario
  }) {
    this.sim = sim
    this.observer = observer
    this.venue = venue
    this.money = new MoneyWatch(observer, scenario.limits)
    this.lastFlatAt = sim.now
    const { listLagMs = 0, pendingMs = 0, cancelMs = 0 } = scenario.switches
    this.patience = listLagMs + pendingMs + cancelMs > 0 ? 2 : 1
  }

  begun(life: Life): void {
    const { isOpen } = this.venue.truth()
    this.passes.set(life, {
      startedAt: this.sim.now,
      wasOpen: isOpen,
      nakedFor: this.nakedSince === null ? 0 : this.sim.now - this.nakedSince,
    })
  }

  ended(life: Life): void {
    this.look(true)
    if (life.isDisturbed) this.reset()
  }

  disturbed(): void {
    this.reset()
  }

  /** An order of ours is not shown for a while: who looks meanwhile sees as little as where all lists lag. */
  lagging(until: EpochMs): void {
    this.lagsUntil = Math.max(this.lagsUntil, until)
  }

  handed(does: Hand['does'] | 'take away'): void {
    this.lastHandAt = this.sim.now
    if (does !== 'cancel_exits') this.money.handed()
    if (does === 'open' || does === 'add') this.isForeignHeld = true
    if (does === 'open') this.isForeignBase = true
    if (does === 'add') {
      this.isCostMixed = true
      this.additions += 1
    }
    if (does === 'take away') this.additions -= 1
    // What is left is ours alone, and has to be whole.
    if (does === 'take away' && this.additions === 0) this.isForeignHeld = this.isForeignBase
    if (
      does === 'place_bracket' ||
      does === 'open' ||
      does === 'add' ||
      does === 'take away' ||
      does === 'liquidate' ||
      does === 'close' ||
      does === 'reduce'
    ) {
      this.areFillsExcused = true
      this.isExposureExcused = true
    }
    if (does === 'deposit' || does === 'withdraw') this.hasMovedMoney = true
    this.reset()
  }

  private reset(): void {
    this.nakedPasses = 0
    this.strayPasses = 0
    this.oversizePasses = 0
    this.unclosedPasses = 0
    this.unequalPasses = 0
  }

  /** After every event: exposure, and how long it has been without a stop. */
  look(isForced = false): void {
    if (!isForced && this.sim.now - this.lastLook < LOOK_MS) return
    this.lastLook = this.sim.now
    const truth = this.venue.truth()
    this.checkExposure(truth)
    this.checkIds(truth)
    this.money.look(truth)
    if (truth.position.contracts === 0) {
      this.lastFlatAt = this.sim.now
      this.isForeignHeld = false
      this.isForeignBase = false
      this.isCostMixed = false
    }
    // What an order made by hand has opened is its maker's, as what a hand has opened itself.
    const { contracts } = truth.position
    const lastFill = truth.fills.at(-1)
    const lastFilled = truth.orders.find(({ orderId }) => orderId === lastFill?.orderId)
    const hasOpened = lastFill !== undefined && contracts !== 0 && (lastFill.side === 'BUY') === contracts > 0
    if (hasOpened && lastFilled?.source === 'RETAIL_SIMPLE' && lastFilled.bracket !== null) this.isForeignHeld = true
    const isNaked =
      !this.isForeignHeld &&
      truth.position.contracts !== 0 &&
      !truth.orders.some((order) => isCover(order, truth, this.approvedBracket(truth)))
    if (!isNaked) this.nakedSince = null
    else this.nakedSince ??= this.sim.now
    if (this.nakedSince !== null && truth.isOpen)
      this.longestNakedMs = Math.max(this.longestNakedMs, this.sim.now - this.nakedSince)
  }

  /** However often an id is sent, the venue has one order of it. */
  private checkIds({ orders }: VenueTruth): void {
    const ids = orders.map(({ clientOrderId }) => clientOrderId).filter((id) => this.observer.intents.has(id))
    const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
    if (repeated !== undefined) this.observer.violation(1, `the venue has two orders under ${repeated}`)
  }

  /** Stop and target of the last entry that has filled: what is held was approved with them. */
  approvedBracket({ orders }: Pick<VenueTruth, 'orders'> = this.venue.truth()): Bracket | null {
    const filled = orders.filter(({ filled: size }) => size > 0).map(({ clientOrderId }) => clientOrderId)
    return filled.flatMap((id) => this.observer.intents.get(id)?.order?.bracket ?? []).at(-1) ?? null
  }

  entryMeant(): void {
    this.money.entryMeant(this.sim.now)
  }

  /**
   * A close is meant once no exit rests any more: beside one, both may fill. What the venue hides, or got just now,
   * cannot be seen.
   */
  closeSent(): void {
    const { sim, lagsUntil, lastHandAt } = this
    if (sim.now < lagsUntil || sim.now - lastHandAt < UNSEEN_MS) return
    const resting = this.venue
      .truth()
      .orders.find(({ isLive, bracket, createdAt }) => isLive && bracket !== null && sim.now - createdAt > UNSEEN_MS)
    if (resting !== undefined)
      this.observer.violation(14, `a close was sent while the exit ${resting.orderId} for ${resting.size} rests`)
  }

  private checkExposure({ position, orders }: VenueTruth): void {
    const { contracts } = position
    if (contracts === 0) return
    const entries = orders.filter(
      (order) =>
        order.filled > 0 &&
        order.createdAt >= this.lastFlatAt - LOOK_MS &&
        this.observer.intents.get(order.clientOrderId)?.leg === 'entry',
    )
    const cycles = new Set(entries.map((order) => this.observer.intents.get(order.clientOrderId)?.cycleId))
    if (entries.length > 1)
      return this.observer.violation(
        1,
        `${entries.length} entries of ${cycles.size} cycles have filled: ${contracts} contracts are held`,
      )
    if (this.isExposureExcused) return
    const since = orders
      .filter((order) => this.observer.intents.get(order.clientOrderId)?.leg === 'entry' && order.filled > 0)
      .at(-1)
    if (since === undefined)
      return this.observer.violation(1, `${contracts} contracts are held and no entry has filled`)
    const limit = this.observer.approved([since.clientOrderId])
    const allowed = contracts > 0 ? limit.long : limit.short
    if (Math.abs(contracts) > allowed)
      this.observer.violation(1, `${contracts} contracts are held, ${JSON.stringify(limit)} were approved`)
  }

  /**
   * A pass or a cycle has ended, both of which reconcile. One that nothing went wrong in must have left things in
   * order.
   */
  passDone(life: Life, outcome: string): void {
    const pass = this.passes.get(life)
    const truth = this.venue.truth()
    // A cycle that finds its slot taken does nothing.
    if (
      pass === undefined ||
      outcome.startsWith('skipped') ||
      life.isDisturbed ||
      life.isOverlapped ||
      !pass.wasOpen ||
      !truth.isOpen ||
      this.lastHandAt >= pass.startedAt
    )
      return
    if (
      truth.position.contracts === 0 &&
      this.observer.state?.phase.kind === 'flat' &&
      !truth.orders.some(({ isLive }) => isLive)
    )
      this.isExposureExcused = false
    this.checkCloses(outcome)
    this.checkProtected(truth, pass)
    this.checkOversize(truth)
    this.checkStray(truth)
    this.checkEqual(truth)
    this.money.passDone(pass.startedAt, outcome, this.sim.now)
  }

  private checkProtected({ position, orders }: VenueTruth, pass: Pass): void {
    // A stop that was sent a moment ago is waited for until its deadline: a second one would rest beside it.
    const phase = this.observer.state?.phase
    const protection = phase?.kind === 'open' ? phase.position.protection : null
    const isUnderWay = protection?.status === 'intended' && this.sim.now <= fromIso(protection.deadline)
    if (isUnderWay || this.nakedSince === null || this.nakedSince > pass.startedAt) {
      this.nakedPasses = 0
      return
    }
    this.nakedPasses += 1
    if (this.nakedPasses < (pass.startedAt < this.lagsUntil ? 2 : this.patience)) return
    const elsewhere = orders.find((order) => isCover(order, { position }, null))
    if (elsewhere !== undefined)
      return this.observer.violation(
        11,
        `${position.contracts} contracts rest on ${JSON.stringify(elsewhere.bracket)} since ${toIso(this.nakedSince)}, after ${this.nakedPasses} passes that could do something about it; approved was ${JSON.stringify(this.approvedBracket())}`,
      )
    const live = orders
      .filter((order) => order.isLive)
      .map(({ kind, side, size, filled, isTriggered }) => ({ kind, side, size, filled, isTriggered }))
    this.observer.violation(
      2,
      `${position.contracts} contracts without a stop since ${toIso(this.nakedSince)}, after ${this.nakedPasses} passes that could do something about it; live: ${JSON.stringify(live)}; ledger ${this.observer.state?.phase.kind}`,
    )
  }

  /** What has to be closed is closed, halted or not. */
  private checkCloses(outcome: string): void {
    const isUnclosed = /^unclosed|the close is not through/.test(outcome)
    this.unclosedPasses = isUnclosed ? this.unclosedPasses + 1 : 0
    if (this.unclosedPasses > this.patience)
      this.observer.violation(
        7,
        `the position has to be closed and is not, after ${this.unclosedPasses} passes: ${outcome.slice(0, 300)}`,
      )
  }

  /** Exits that can do more than close would open the other side. */
  private checkOversize({ position, orders }: VenueTruth): void {
    const side = position.contracts > 0 ? 'SELL' : 'BUY'
    const working = orders
      .filter((order) => order.isLive && order.bracket !== null && order.side === side)
      .reduce((total, order) => total + order.size - order.filled, 0)
    const isOversize = position.contracts !== 0 && !this.isForeignHeld && working > Math.abs(position.contracts)
    this.oversizePasses = isOversize ? this.oversizePasses + 1 : 0
    if (this.oversizePasses > this.patience)
      this.observer.violation(3, `exits for ${working} rest on a position of ${position.contracts}`)
  }

  private checkStray({ position, orders }: VenueTruth): void {
    const stray = orders.filter((order) => order.isLive)
    if (position.contracts !== 0 || this.observer.state?.phase.kind !== 'flat' || stray.length === 0) {
      this.strayPasses = 0
      return
    }
    this.strayPasses += 1
    if (this.strayPasses > this.patience)
      this.observer.violation(
        3,
        `flat, and ${stray.map(({ kind, side, size }) => `${kind} ${side} ${size}`).join(', ')} still works`,
      )
  }

  private differences({ position, cash }: VenueTruth): string[] {
    const { state } = this.observer
    if (state === null) return []
    const held = positionOf(state.phase)
    const ledger = held === null ? 0 : Number(held.quantity) * (held.side === 'long' ? 1 : -1)
    const isCashEqual = this.isCostMixed || dec(cash).minus(state.accounting.cash).abs().lt('0.01')
    return [
      ...(ledger === position.contracts ? [] : [`position: ledger ${ledger}, venue ${position.contracts}`]),
      ...(isCashEqual ? [] : [`cash: ledger ${state.accounting.cash}, venue ${cash}`]),
    ]
  }

  private checkEqual(truth: VenueTruth): void {
    const differences = this.differences(truth)
    this.unequalPasses = differences.length === 0 || this.isForeignHeld ? 0 : this.unequalPasses + 1
    // A difference is looked at twice, half a minute apart; a fill or boundary may come in between.
    if (this.unequalPasses > 3 + this.patience)
      this.observer.violation(4, `after ${this.unequalPasses} passes: ${differences.join('; ')}`)
  }

  /** At the end, when all is quiet: everything has to be told for. Answers with the number of trades. */
  async conclude(store: Store, strategyId: string): Promise<number> {
    const { observer } = this
    const truth = this.venue.truth()
    const { state } = observer
    if (state === null) return 0
    const [trades, fills, orders, funding] = await Promise.all([
      readAll((page) => store.listTrades(strategyId, page)),
      readAll((page) => store.listFills(strategyId, page)),
      readAll((page) => store.listOrders(strategyId, page)),
      readAll((page) => store.listFunding(strategyId, page)),
    ])
    const isQuiet = this.sim.now - this.lastHandAt > HAND_MS && truth.isOpen && !this.isForeignHeld
    if (isQuiet) for (const difference of this.differences(truth)) observer.violation(4, `at the end: ${difference}`)
    if (isQuiet && (state.phase.kind === 'opening' || state.phase.kind === 'closing'))
      observer.violation(5, `still ${state.phase.kind} at the end`)
    const held = positionOf(state.phase)

    const owners = new Map<string, number>()
    for (const id of [...trades.flatMap(({ fillIds }) => fillIds), ...(held?.fillIds ?? [])])
      owners.set(id, (owners.get(id) ?? 0) + 1)
    for (const [id, count] of owners) if (count > 1) observer.violation(6, `fill ${id} is in ${count} trades`)
    const isExcused =
      this.areFillsExcused ||
      [...owners.keys()].some((id) => /stand-in|external|excess/.test(id)) ||
      state.incidents.some(({ kind }) => kind === 'foreign_fill' || kind === 'reversed')
    if (isQuiet && !isExcused)
      for (const fill of truth.fills)
        if (!owners.has(fill.entryId))
          observer.violation(6, `fill ${fill.entryId} (${fill.side} ${fill.contracts}) is in no trade`)
    for (const trade of trades) {
      const pnl = dec(trade.gross).minus(trade.fees).plus(trade.funding)
      if (!pnl.eq(trade.pnl)) observer.violation(6, `trade ${trade.id}: ${trade.pnl} is not ${pnl.toFixed()}`)
    }

    const { accounting } = state
    const total = (amounts: readonly Money[]): string => sum(...amounts)
    const expect = (what: string, is: string, should: string, tolerance = '0'): void => {
      if (dec(is).minus(should).abs().gt(tolerance))
        observer.violation(8, `${what}: ${is} in the books, ${should} in the history`)
    }
    expect('fees', accounting.fees, total(fills.filter(({ fillId }) => owners.has(fillId)).map(({ fee }) => fee)))
    expect('funding', accounting.funding, total(funding.map(({ amount }) => amount)))
    expect('trades', String(accounting.tradesClosed), String(trades.length))
    for (const id of owners.keys())
      if (!fills.some(({ fillId }) => fillId === id))
        observer.violation(8, `fill ${id} is in a trade and not in the history`)
    const known = new Set(orders.map(({ order }) => order.clientOrderId))
    for (const [id, intent] of observer.intents)
      if (!known.has(id)) observer.violation(8, `the ${intent.leg} ${id} was meant and is not in the history`)
    for (const { order, status } of orders) {
      const isHeldExit =
        held?.protection.status === 'intended' && held.protection.order.clientOrderId === order.clientOrderId
      if (isQuiet && !isHeldExit && (status === 'intended' || status === 'accepted' || status === 'unknown'))
        observer.violation(8, `the ${order.kind} ${order.clientOrderId} ends as ${status} in the history`)
    }
    if (state.outbox !== null) observer.violation(8, `the outbox of ${state.outbox.at} was never cleared`)
    // Fees, funding and profit explain the cash: nothing but deposits is left over.
    if (isQuiet && !isExcused) {
      const unexplained = dec(accounting.adjustments).minus(truth.deposited).plus(observer.depositedAtStart)
      // Money that comes or goes in the same minute as funding cannot be told from it.
      if (unexplained.abs().gt(this.hasMovedMoney ? '2' : '0.05'))
        observer.violation(4, `${unexplained.toFixed()} of cash is explained by no fill, fee, funding or deposit`)
    }
    return trades.length
  }
}

/** A live stop of at least the size held, at the approved prices where some were approved. */
function isCover(order: TrueOrder, { position }: Pick<VenueTruth, 'position'>, approved: Bracket | null): boolean {
  const side = position.contracts > 0 ? 'SELL' : 'BUY'
  return (
    order.isLive &&
    order.status === 'OPEN' &&
    order.bracket !== null &&
    (approved === null ||
      (dec(order.bracket.stopPrice).eq(approved.stopLossPrice) &&
        dec(order.bracket.targetPrice).eq(approved.takeProfitPrice))) &&
    !order.isTriggered &&
    order.side === side &&
    order.size - order.filled >= Math.abs(position.contracts)
  )
}
