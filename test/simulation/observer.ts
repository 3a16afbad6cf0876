import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { z } from 'zod'
import { dec, price } from '../../lib/core/decimal.ts'
import { clientOrderIdOf } from '../../lib/core/ids.ts'
import { fromIso } from '../../lib/core/time.ts'
import type { PlaceableOrder } from '../../lib/venue/broker.ts'
import type { WireRequest } from '../../lib/venue/coinbase/wire.ts'
import type { Item } from '../../lib/store/item-store.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { Bracket, EntryOrder, Placement } from '../../schemas/order.ts'
import type { Decision } from '../../schemas/decision.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { Simulator } from './simulator.ts'

/** 1 to 14, as in README of this folder; 0 is an error of the simulated code that nothing should have caused. */
export type Violation = { invariant: number; at: string; text: string }

type Intent = { leg: 'entry' | 'protect' | 'close'; deadline: number; cycleId: string | null; order: EntryOrder | null }

/** What the observer asks of the one who sees the venue as it is. */
type Witness = {
  /** The bracket approved for what is held; null where nobody approved any. */
  approvedBracket(): Bracket | null
  /** An entry has been committed. */
  entryMeant(): void
  /** A close leaves a process. */
  closeSent(): void
}

/** Sees everything that is stored, sent and told, as it happens, and objects at once to what must never happen. */
export class Observer {
  readonly faults = new Map<string, number>()
  readonly requests = new Map<string, number>()
  readonly violations: Violation[] = []
  readonly toldById = new Map<string, DomainEvent>()
  readonly intents = new Map<string, Intent>()
  readonly errors: string[] = []
  state: StrategyState | null = null
  examiner: Witness | null = null
  /** Set once a person has lifted a halt: what limits count from has moved. */
  hasResumed = false
  /** Brackets decided at each slot, by whoever was asked for it. */
  private readonly brackets = new Map<number, Bracket[]>()
  /** What is really held, in contracts, signed. */
  venuePosition: () => number = () => 0
  /** Deposits less withdrawals so far, and as they were when the books were opened. */
  venueDeposited: () => string = () => '0'
  depositedAtStart = '0'
  isScheduleOn = true
  /** By client id and deadline: an intent's. */
  private readonly sends = new Map<string, number>()
  private readonly sim: Simulator
  private readonly trace: (line: string) => void

  constructor(sim: Simulator, trace: (line: string) => void) {
    this.sim = sim
    this.trace = trace
  }

  /** At most one of each kind in a life: the first tells what happened, the rest follows from it. */
  violation(invariant: number, text: string): void {
    if (this.violations.some((known) => known.invariant === invariant)) return
    const at = new Date(this.sim.now).toISOString()
    this.violations.push({ invariant, at, text })
    this.trace(`VIOLATION ${invariant}: ${text}`)
  }

  fault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
    this.trace(`fault: ${kind}`)
  }

  log(life: string, level: string, message: string, fields: unknown): void {
    this.trace(
      `${life} ${level}: ${message} ${JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? `${value.name}: ${value.message}` : value))}`,
    )
  }

  /** A write has taken effect. */
  stored(item: Item): void {
    if (item.sk !== 'STATE') return
    const next = JSON.parse(item.body) as StrategyState
    const before = this.state
    if (before === null) this.depositedAtStart = this.venueDeposited()
    if (before !== null && next.version !== before.version + 1)
      this.violation(8, `state version ${next.version} was written over ${before.version}`)
    this.followDecider(before, next)
    if (before !== null && before.halt !== null && next.halt === null) this.hasResumed = true
    this.state = next
    this.noteIntents(next)
    this.trace(
      `state ${next.version}: ${next.phase.kind}${next.halt === null ? '' : ' HALTED'}${next.suspicions.map(({ kind }) => ` ?${kind}`).join('')}${next.incidents.map(({ kind }) => ` !${kind}`).join('')}`,
    )
  }

  /**
   * A streak of failed decisions begins and ends with an event in the very write that moves it, and grows by one slot
   * at a time.
   */
  private followDecider(before: StrategyState | null, next: StrategyState): void {
    const [was, is] = [before?.deciderStreak ?? null, next.deciderStreak]
    const isSame = canonicalJson(was) === canonicalJson(is)
    const told = isSame ? [] : (next.outbox?.events.map(({ type }) => type) ?? [])
    const due = isSame ? null : was === null ? 'decider_failing' : is === null ? 'decider_recovered' : null
    const heard = told.filter((type) => type === 'decider_failing' || type === 'decider_recovered')
    if (canonicalJson(heard) !== canonicalJson(due === null ? [] : [due]))
      this.violation(
        10,
        `the decider's streak moved and [${heard.join(', ')}] was to be told instead of ${due ?? 'nothing'}`,
      )
    const grew = (is?.slots ?? 0) - (was?.slots ?? 0)
    if (is !== null && grew !== (was?.lastSlot === is.lastSlot ? 0 : 1))
      this.violation(10, `the decider's streak grew by ${grew} from slot ${was?.lastSlot ?? 'none'} to ${is.lastSlot}`)
  }

  private noteIntents({ phase, halt, strategyId }: StrategyState): void {
    const note = (id: string, intent: Intent): void => {
      const known = this.intents.get(id)
      if (known?.deadline === intent.deadline) return
      // A close that the venue never heard of is meant again under its id, so that only one of them can take effect.
      if (known !== undefined && intent.leg !== 'close') this.violation(1, `the ${intent.leg} ${id} was meant twice`)
      this.intents.set(id, intent)
      if (intent.leg !== 'entry') return
      this.examiner?.entryMeant()
      const slot = intent.cycleId === null ? null : slotOf(intent.cycleId)
      if (slot !== null && id !== clientOrderIdOf(strategyId, slot, 'entry', 0))
        this.violation(
          1,
          `the entry of ${intent.cycleId} does not have the id of its slot: a second one of it would not be recognised`,
        )
      const { bracket } = intent.order ?? {}
      if (
        slot !== null &&
        bracket !== undefined &&
        !(this.brackets.get(slot) ?? []).some((each) => isSame(each, bracket))
      )
        this.violation(11, `the entry of ${intent.cycleId} has exits that nobody decided: ${JSON.stringify(bracket)}`)
      if (halt !== null) this.violation(7, `an entry was meant while halted by ${halt.by}`)
      // Whoever decides has looked before.
      const held = this.venuePosition()
      if (held !== 0) this.violation(4, `an entry was meant while the venue holds ${held}`)
    }
    if (phase.kind === 'opening')
      note(phase.intent.order.clientOrderId, {
        leg: 'entry',
        deadline: fromIso(phase.intent.deadline),
        cycleId: phase.intent.cycleId,
        order: phase.intent.order,
      })
    if (phase.kind === 'closing')
      note(phase.intent.order.clientOrderId, {
        leg: 'close',
        deadline: fromIso(phase.intent.deadline),
        cycleId: null,
        order: null,
      })
    const protection = phase.kind === 'flat' ? undefined : phase.position?.protection
    if (protection?.status === 'intended')
      note(protection.order.clientOrderId, {
        leg: 'protect',
        deadline: fromIso(protection.deadline),
        cycleId: null,
        order: null,
      })
  }

  /** A request leaves a process. */
  sent({ method, endpoint, body }: WireRequest): void {
    const label = `${method} ${endpoint}`
    this.requests.set(label, (this.requests.get(label) ?? 0) + 1)
    if (label !== 'POST orders' && label !== 'POST orders/close_position') return
    const id = String(body?.['client_order_id'])
    const intent = this.intents.get(id)
    const meant = `${id} ${intent?.deadline}`
    const times = (this.sends.get(meant) ?? 0) + 1
    this.sends.set(meant, times)
    this.trace(`sent ${label} ${JSON.stringify(body)}`)
    if (times > 1) this.violation(1, `order ${id} was sent ${times} times for one intent`)
    if (intent === undefined)
      return this.violation(1, `order ${id} was sent without an intent in the ledger: ${JSON.stringify(body)}`)
    if (this.sim.now > intent.deadline)
      this.violation(5, `the ${intent.leg} ${id} was sent ${this.sim.now - intent.deadline} ms past its deadline`)
    if (intent.leg === 'close') this.examiner?.closeSent()
    this.checkExitsSent(id, intent, body ?? {})
    const phase = this.state?.phase
    const unresolved = phase?.kind === 'opening' ? phase.intent.order.clientOrderId : null
    if (intent.leg === 'entry' && unresolved !== null && unresolved !== id)
      this.violation(5, `the entry ${id} was sent while ${unresolved} is unresolved`)
  }

  /** What was decided at a slot, as the decider said it. */
  decided(slot: number, decision: Decision): void {
    if (decision.action !== 'open_long' && decision.action !== 'open_short') return
    const { stopLossPrice, takeProfitPrice } = decision
    const bracket = { stopLossPrice: price(stopLossPrice), takeProfitPrice: price(takeProfitPrice) }
    this.brackets.set(slot, [...(this.brackets.get(slot) ?? []), bracket])
  }

  /** The wire carries the stop and target that were approved, and the size. */
  private checkExitsSent(id: string, { leg, order }: Intent, body: Readonly<Record<string, unknown>>): void {
    if (leg === 'close') return
    const sent = wireBracket(body[leg === 'entry' ? 'attached_order_configuration' : 'order_configuration'])
    const approved = leg === 'entry' ? (order?.bracket ?? null) : (this.examiner?.approvedBracket() ?? null)
    if (sent !== null && approved !== null && !isSame(sent, approved))
      this.violation(
        11,
        `the ${leg} ${id} was sent with ${JSON.stringify(sent)}, approved was ${JSON.stringify(approved)}`,
      )
  }

  /** A request has reached the venue. */
  reached({ method, endpoint }: WireRequest, { status, text }: { status: number; text: string }): void {
    if (method === 'POST') this.trace(`venue answers ${endpoint}: ${status} ${text.slice(0, 300)}`)
  }

  placed(order: PlaceableOrder, placement: Placement): void {
    this.trace(`placed ${order.kind} ${order.side} ${order.quantity}: ${JSON.stringify(placement)}`)
  }

  told(event: DomainEvent): void {
    const known = this.toldById.get(event.id)
    this.trace(`event ${event.type} ${event.id} ${JSON.stringify(event.detail)}`)
    if (known !== undefined && canonicalJson(known) !== canonicalJson(event))
      this.violation(9, `event ${event.id} was told twice, differently: ${known.type} and ${event.type}`)
    this.toldById.set(event.id, event)
  }

  scheduleIs(how: 'on' | 'off' | null, reason: string): void {
    if (how === null) return
    this.isScheduleOn = how === 'on'
    this.trace(`schedule ${how} ${reason}`)
  }

  /** Entries that were meant, by the cycle that meant them. */
  entriesOf(cycleId: string): string[] {
    return [...this.intents].flatMap(([id, intent]) =>
      intent.leg === 'entry' && intent.cycleId === cycleId ? [id] : [],
    )
  }

  /** Largest exposure that any of the given orders allows, in contracts with the sign of its side. */
  approved(ids: readonly string[]): { long: number; short: number } {
    const sizes = { long: 0, short: 0 }
    for (const id of ids) {
      const order = this.intents.get(id)?.order
      if (!order) continue
      const side = order.side === 'buy' ? 'long' : 'short'
      sizes[side] = Math.max(sizes[side], Number(dec(order.quantity)))
    }
    return sizes
  }
}

const isSame = (one: Bracket, other: Bracket): boolean =>
  dec(one.stopLossPrice).eq(other.stopLossPrice) && dec(one.takeProfitPrice).eq(other.takeProfitPrice)

const WireBracket = z.looseObject({
  trigger_bracket_gtc: z.looseObject({ limit_price: z.string(), stop_trigger_price: z.string() }),
})

/** Stop and target in an order's body; null where it has none. */
function wireBracket(configuration: unknown): Bracket | null {
  const { data } = WireBracket.safeParse(configuration)
  if (data === undefined) return null
  const { limit_price: target, stop_trigger_price: stop } = data.trigger_bracket_gtc
  return { stopLossPrice: price(stop), takeProfitPrice: price(target) }
}

/** The slot in a cycle's id, `eth-perp-20260310T1200Z`. */
function slotOf(cycleId: string): number | null {
  const [, year, month, day, hour, minute, second = '00'] =
    /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?Z$/.exec(cycleId) ?? []
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
