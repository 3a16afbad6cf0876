import { fromIso } from '../../core/time.ts'
import type { LedgerEvent } from '../../ledger/events.ts'
import { takeStep, type Transition } from '../../ledger/transition.ts'
import type { Incident, StrategyState } from '../../../schemas/state.ts'
import type { ExitReason } from '../../../schemas/trade.ts'
import type { VenueFacts } from '../venue-facts.ts'

/** What has to be done at the venue so that it is as the ledger wants it. */
export type Action =
  /** `naked`: the trade whose owner has to hear of it, since no event of the ledger's tells. */
  | { kind: 'cancel'; orderId: string; why: string; naked?: string }
  | { kind: 'protect' }
  | { kind: 'flatten'; reason: ExitReason }

export type Reconciliation = {
  /** What the ledger learns, in order. */
  events: LedgerEvent[]
  /** The state that follows from it, with what is to be told of it. */
  after: Transition
  actions: Action[]
  /** For people and for the record. */
  notes: string[]
}

/** Collects events while keeping the state that follows from them. */
export class Draft {
  /** The state so far, with what follows from it. */
  readonly after: Transition
  readonly facts: VenueFacts
  readonly events: LedgerEvent[] = []
  readonly actions: Action[] = []
  readonly notes: string[] = []
  /** Fills that are left for the next reading, by id. */
  readonly deferred = new Set<string>()
  private readonly seen: Incident[] = []

  constructor(state: StrategyState, facts: VenueFacts) {
    this.after = { state, history: [], emissions: [] }
    this.facts = facts
  }

  get state(): StrategyState {
    return this.after.state
  }

  add(event: LedgerEvent, note?: string): void {
    takeStep(this.after, event)
    this.events.push(event)
    if (note !== undefined) this.notes.push(note)
  }

  /** Leaves a fill for the next reading, as if it had not been listed yet. */
  defer(fillId: string, note: string): void {
    this.deferred.add(fillId)
    this.notes.push(note)
  }

  /** Notes an incident once, and stops new entries. */
  incident(kind: string, detail: string): void {
    if (this.state.incidents.some((known) => known.kind === kind && known.detail === detail)) return
    const { at } = this.facts
    this.add({ type: 'incident_noted', at, kind, detail }, `${kind}: ${detail}`)
    this.add({ type: 'halted', at, halt: { at, by: 'incident', rule: null, reason: `${kind}: ${detail}` } })
  }

  /**
   * Notes that something is odd. Answers with the instant it was first seen once it has stayed long enough to be
   * believed, else with null. What changes while it stays is still the same oddity where `isOneOfItsKind`.
   */
  suspect(kind: string, detail: string, { isOneOfItsKind = false } = {}): string | null {
    const known = this.state.suspicions.find((one) => one.kind === kind && (isOneOfItsKind || one.detail === detail))
    const suspicion = known ?? { at: this.facts.at, kind, detail }
    this.seen.push(suspicion)
    if (known === undefined) this.notes.push(`${kind}, seen for the first time: ${detail}`)
    // Lists lag, answers cross.
    return fromIso(this.facts.at) - fromIso(suspicion.at) >= this.facts.limits.suspicionMs ? suspicion.at : null
  }

  /** The suspicion has been acted on. */
  resolve(kind: string): void {
    const rest = this.seen.filter((one) => one.kind !== kind)
    this.seen.splice(0, this.seen.length, ...rest)
  }

  /** Suspicions that were not confirmed by this reading are explained and go. */
  settleSuspicions(): void {
    const before = this.state.suspicions
    const isSame =
      before.length === this.seen.length &&
      before.every((one, index) => one.detail === this.seen[index]?.detail && one.kind === this.seen[index]?.kind)
    if (!isSame) this.add({ type: 'suspected', at: this.facts.at, suspicions: [...this.seen] })
  }
}
