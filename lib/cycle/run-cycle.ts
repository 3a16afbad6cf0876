import { intervalMsOf } from '../core/interval.ts'
import { ZERO_MONEY } from '../core/decimal.ts'
import { type EpochMs, floorTime, fromIso, toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import { buildPrompt, systemPromptOf } from '../decision/prompt.ts'
import { haltDemanded, type HaltDemand, judge, type Judgement } from '../guard/judge.ts'
import { positionOf } from '../ledger/accounting.ts'
import type { LedgerEvent } from '../ledger/events.ts'
import { transitionAll } from '../ledger/transition.ts'
import { buildSnapshot } from '../snapshot/build-snapshot.ts'
import { estimateTokens } from '../snapshot/estimate-tokens.ts'
import { CycleOutcome, type CycleRecord, type Prompt } from '../../schemas/cycle-record.ts'
import type { Instrument } from '../../schemas/instrument.ts'
import { type DecisionFailure, isEntry } from '../../schemas/decision.ts'
import type { DecisionSummary, Halt, StrategyState } from '../../schemas/state.ts'
import { askDecider, describeDeciderFailure } from './ask-decider.ts'
import { claimSlot, newRecord } from './claim.ts'
import { closePosition } from '../execution/close-position.ts'
import {
  commit,
  commitAfter,
  loadOrCreateState,
  requireForwardClock,
  retryOnConflict,
  settleOutbox,
} from '../execution/commit.ts'
import { dataProblems } from './data-problems.ts'
import { EntryNotCommitted, enterPosition } from '../execution/enter-position.ts'
import { gatherComplete } from './gather-complete.ts'
import { gatherGuardFacts } from './guard-facts.ts'
import type { CyclePorts } from './cycle-ports.ts'
import { instrumentOf, isSameContract } from '../execution/held-instrument.ts'
import { publish } from '../execution/publish.ts'
import { CannotEnforce } from '../execution/read-state.ts'
import { syncWithVenue } from '../execution/sync-with-venue.ts'
import { type NotAsked, whyNotAsk } from './why-not-ask.ts'

export type CycleRequest = {
  /** The instant the schedule meant; the cycle is keyed by the slot it lies in. */
  scheduledFor: EpochMs
  /** Does everything but write state and place orders. The caller gives ports whose writes go nowhere. */
  dryRun: boolean
}

/**
 * One decision cycle, in this order and no other: claim slot, reconcile with the venue, snapshot, decide,
 * validate, guard, size, persist intent, place, confirm, protect, record, emit.
 *
 * Rejects with UsageError, before anything is written, when the clock is behind what is recorded. Otherwise it
 * never rejects for anything that can be recorded: what goes wrong ends in a record with outcome `failed`, its reason,
 * and an event. A duplicate is `skipped`, a stale slot reconciles and is `skipped`, so is
 * a slot that is due while the cycle of an earlier one is still at work (`overrun`); a halted strategy reconciles
 * and is `halted`.
 */
export async function runCycle(ports: CyclePorts, { scheduledFor, dryRun }: CycleRequest): Promise<CycleRecord> {
  const { clock, config, telemetry } = ports
  const now = clock()
  const slot = floorTime(scheduledFor, intervalMsOf(config))
  const run = new Run(ports, newRecord(ports, slot, now), dryRun)
  try {
    await requireForwardClock(ports)
  } catch (error) {
    // It has been told already, and a slot that was not taken can be gone through by the release that can.
    if (error instanceof CannotEnforce) return run.failUntaken(error.message)
    throw error
  }
  // A slot that has not come yet is left for its time; a moment early is only the difference of two clocks.
  if (slot > now + limitsOf(config).clockToleranceMs)
    return {
      ...run.record,
      outcome: 'skipped',
      reason: `slot ${toIso(slot)} lies in the future: it is ${toIso(now)} now`,
    }
  try {
    if (!dryRun) {
      const claim = await claimSlot(ports, slot, now)
      // This invocation did nothing: what the other one did is in its record.
      if (claim.kind === 'taken') return { ...run.record, outcome: 'skipped', reason: claim.reason }
      if (claim.kind === 'overrun') {
        const { cycleId: subject } = claim.record
        await publish(ports, `${subject}-overrun`, { type: 'overrun', subject, detail: { reason: claim.reason } })
        return claim.record
      }
      run.take(claim.record)
    }
    return await run.toEnd(slot)
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    telemetry.log('error', 'cycle failed', { cycleId: run.record.cycleId, error })
    return run.fail(reason)
  }
}

/** The record that grows through one cycle, and the steps that make it grow. */
class Run {
  record: CycleRecord
  private readonly ports: CyclePorts
  private readonly dryRun: boolean
  private isClaimed = false
  /** What would have kept a dry run from going on, had it been a real one. */
  private barrier: Barrier | null = null
  private stepStartedAt: EpochMs
  /** Milliseconds spent on each step so far; goes into the record as it is saved. */
  private readonly timingsMs: Record<string, number> = {}

  constructor(ports: CyclePorts, record: CycleRecord, dryRun: boolean) {
    this.ports = ports
    this.record = record
    this.dryRun = dryRun
    this.stepStartedAt = ports.clock()
  }

  /** From here on the slot's record is this invocation's to write. */
  take(record: CycleRecord): void {
    this.record = record
    Object.assign(this.timingsMs, record.timingsMs)
    this.isClaimed = true
  }

  /** All the steps; begun again when the other function has committed while we were reading or thinking. */
  toEnd(slot: EpochMs): Promise<CycleRecord> {
    return retryOnConflict(this.ports, () => this.steps(slot))
  }

  private async steps(slot: EpochMs): Promise<CycleRecord> {
    const { ports } = this
    const { config, clock } = ports
    let state = await this.reconcile(await loadOrCreateState(ports))
    state = await this.followInstrument(state)
    if (this.record.progress === 'intended' && !this.dryRun) return this.finishIntended(state)
    // This slot's books were closed before its record was: the record only has to catch up.
    const done =
      state.lastSlot === this.record.slot
        ? state.memory.decisions.find(({ cycleId }) => cycleId === this.record.cycleId)
        : undefined
    if (done !== undefined && !this.dryRun) return this.finish(state, CycleOutcome.parse(done.outcome), done.note)
    const barrier =
      findBarrier(state, slot, clock(), intervalMsOf(config)) ?? findOtherInstrument(state, config.instrument)
    // The invocation that halted may have died before it could say so; a schedule that is off stays off.
    if (barrier?.outcome === 'halted' && !this.dryRun) await this.ports.schedule.disable(barrier.reason)
    if (barrier !== null && !this.dryRun) return this.finish(state, barrier.outcome, barrier.reason)
    this.barrier = barrier

    if (this.record.decision === null) {
      const notAsked = await this.lookAndDecide(state, slot)
      if (notAsked !== null) return this.endNotAsked(state, notAsked)
      // The model took its time; whatever has happened meanwhile is taken in before anything is judged.
      state = await this.reconcile(await loadOrCreateState(ports))
    }
    return this.judgeAndAct(state)
  }

  /** The books turn to the configured instrument once nothing is held in another. */
  private async followInstrument(state: StrategyState): Promise<StrategyState> {
    const { config, clock } = this.ports
    const { phase, instrument } = state
    const isFree = phase.kind === 'flat' && phase.abandoned === null
    if (this.dryRun || !isFree || isSameContract(instrument, config.instrument)) return state
    return commit(this.ports, state, [
      { type: 'instrument_changed', at: toIso(clock()), instrument: config.instrument },
    ])
  }

  private async reconcile(state: StrategyState): Promise<StrategyState> {
    const { sync = syncWithVenue } = this.ports
    const synced = await sync(this.ports, state, { act: !this.dryRun })
    if (synced.notes.length > 0)
      this.record = { ...this.record, reconciliation: [...this.record.reconciliation, ...synced.notes] }
    this.lap('reconcile')
    return synced.state
  }

  /** Builds the snapshot and asks the decider; answers why it was not asked, where no answer could have an effect. */
  private async lookAndDecide(state: StrategyState, slot: EpochMs): Promise<NotAsked | null> {
    const { config, clock, broker, decider, telemetry, buildView, isLean = false } = this.ports
    const { facts, asOf, waitedMs } = await gatherComplete(this.ports, slot)
    const reading = await broker.instrument(config.market.symbol)
    const snapshot = buildSnapshot({
      config,
      cycleId: this.record.cycleId,
      slot,
      asOf,
      facts,
      instrument: reading.instrument,
      state,
      waitedMs,
      ...(buildView === undefined ? {} : { buildView }),
    })
    const prompt = isLean && !decider.asksModel ? null : buildPrompt(snapshot, systemPromptOf(config.decider))
    this.lap('snapshot')
    const problems = dataProblems(snapshot)
    if (problems.length > 0) telemetry.log('warn', 'data is missing', { cycleId: this.record.cycleId, problems })
    await this.save({
      progress: 'snapshot',
      snapshot,
      dataProblems: problems,
      prompt,
      promptTokens: prompt === null ? null : estimateTokens(prompt.system + prompt.user),
    })
    // A dry run is there to show what the model would say, and places nothing anyway.
    if (decider.asksModel && !this.dryRun) {
      const known = await gatherGuardFacts(this.ports, state, { now: clock(), quote: facts.quote, ...reading })
      // A suspicion may be gone before the answer comes; an incident waits for a person.
      const guardFacts = { ...known, openIncidents: state.incidents.length }
      const notAsked = whyNotAsk({ config, snapshot, facts: guardFacts })
      if (notAsked !== null) {
        await this.save({ guardFacts, verdicts: notAsked.verdicts })
        return notAsked
      }
    }
    const decision = await askDecider(decider, { snapshot, prompt: prompt ?? NO_PROMPT }, telemetry)
    this.lap('decide')
    const promptTokens = decision.usage.inputTokens > 0 ? decision.usage.inputTokens : this.record.promptTokens
    await this.save({ progress: 'decided', decision, promptTokens })
    return null
  }

  /** Ends a slot in which nothing could be decided; a limit of the account that is breached halts as it always does. */
  private async endNotAsked(state: StrategyState, { reason, verdicts }: NotAsked): Promise<CycleRecord> {
    const demanded = haltDemanded(verdicts)
    return demanded === null
      ? this.finish(state, 'refused', reason)
      : this.finish(await this.halt(state, demanded), 'halted', `${demanded.rule}: ${demanded.reason}`)
  }

  private async halt(state: StrategyState, { rule, reason }: HaltDemand): Promise<StrategyState> {
    const at = toIso(this.ports.clock())
    const mark = this.record.guardFacts?.quote.mark
    const halted = await commit(this.ports, state, [
      ...(mark === undefined ? [] : [{ type: 'marked' as const, at, markPrice: mark }]),
      { type: 'halted', at, halt: { at, by: 'guard', rule, reason } },
    ])
    await this.ports.schedule.disable(reason)
    return halted
  }

  private async judgeAndAct(state: StrategyState): Promise<CycleRecord> {
    const { config, clock, market, broker } = this.ports
    const { snapshot, decision: outcome } = this.record
    if (snapshot === null || outcome === null)
      return this.finish(state, 'failed', 'the record lacks its snapshot or decision')
    const { decision } = outcome
    const now = clock()
    const [quote, reading] = await Promise.all([
      market.quote(config.market.symbol, now),
      broker.instrument(config.market.symbol),
    ])
    const guardFacts = await gatherGuardFacts(this.ports, state, { now, quote, ...reading })
    const judgement = judge({ config, decision, snapshot, facts: guardFacts })
    const order = judgement.result.kind === 'approved' ? judgement.result.order : null
    this.lap('guard')
    await this.save({ progress: 'judged', guardFacts, verdicts: judgement.verdicts, order })
    const { failure } = outcome
    if (this.dryRun && failure !== null)
      return this.finish(state, 'failed', describeDeciderFailure(failure, state.phase))
    if (this.dryRun)
      return this.finish(
        state,
        'dry_run',
        this.barrier === null
          ? wouldDo(judgement, this.record)
          : `would be ${this.barrier.outcome} (${this.barrier.reason}); without that, ${wouldDo(judgement, this.record)}`,
      )
    if (judgement.halt !== null) {
      const { rule, reason } = judgement.halt
      const halted = await this.halt(state, judgement.halt)
      // A halt keeps entries out, never exits: the close that was decided is carried out.
      return decision.action === 'close' && halted.phase.kind === 'open'
        ? this.close(halted)
        : this.finish(halted, 'halted', `${rule}: ${reason}`)
    }
    switch (decision.action) {
      case 'hold':
        return failure === null
          ? this.finish(state, 'held', decision.rationale)
          : this.finish(state, 'failed', describeDeciderFailure(failure, state.phase))
      case 'close':
        return this.close(state)
      case 'open_long':
      case 'open_short':
        return this.enter(state, judgement)
      default:
        return decision satisfies never
    }
  }

  private async close(state: StrategyState): Promise<CycleRecord> {
    if (state.phase.kind !== 'open') {
      const since = fromIso(this.record.slot)
      // Sent before the state moved or the invocation died, and filled by now.
      const isOurs = state.memory.trades.some(
        ({ exitReason, exitTime }) => exitReason === 'decision' && fromIso(exitTime) >= since,
      )
      return isOurs
        ? this.finish(state, 'closed', 'the decider closed the position')
        : this.finish(state, 'held', `close was decided, but the strategy is ${state.phase.kind}`)
    }
    const { tradeId } = state.phase.position
    const session = this.record.guardFacts?.session
    if (session?.isOpen === false)
      return this.finish(
        state,
        'held',
        `close was decided, but nothing trades at the venue now (${session.reason}): the position keeps its stop and target, and a later slot may close it`,
      )
    const closed = await this.reconcile(await closePosition(this.ports, state, 'decision'))
    this.lap('close')
    const isClosed = positionOf(closed.phase)?.tradeId !== tradeId
    return isClosed
      ? this.finish(closed, 'closed', 'the decider closed the position')
      : this.finish(closed, 'failed', `the close is not through: the strategy is ${closed.phase.kind}`)
  }

  private async enter(state: StrategyState, { result }: Judgement): Promise<CycleRecord> {
    const { decision } = this.record.decision ?? {}
    if (result.kind !== 'approved' || decision === undefined || !isEntry(decision)) {
      const reasons = result.kind === 'refused' ? result.reasons : ['no entry to make']
      await publish(this.ports, `${this.record.cycleId}-refused-${toIso(this.ports.clock())}`, {
        type: 'refused',
        subject: this.record.cycleId,
        detail: { action: decision?.action ?? null, reasons: reasons.join('; ') },
      })
      return this.finish(state, 'refused', reasons.join('; '))
    }
    // From here on a repetition must not enter again, whatever becomes of this attempt.
    await this.save({ progress: 'intended' })
    const regime = this.record.snapshot?.views.primary.regime.label ?? null
    const entered = await enterPosition(this.ports, state, {
      order: result.order,
      decision,
      cycleId: this.record.cycleId,
      regime,
    }).catch(async (error: unknown) => {
      // Nothing was committed and nothing sent: it may be judged again on the state as it is now.
      if (error instanceof EntryNotCommitted) await this.save({ progress: 'judged' })
      throw error
    })
    this.lap('place')
    this.record = { ...this.record, placement: entered.placement }
    return this.finishIntended(await this.reconcile(entered.state))
  }

  /** Tells what became of an entry that was committed, by this attempt or by one that crashed. */
  private async finishIntended(state: StrategyState): Promise<CycleRecord> {
    const { phase } = state
    const { cycleId, order } = this.record
    this.lap('confirm')
    const position = positionOf(phase)
    const opened =
      position?.thesis?.cycleId === cycleId || state.memory.trades.some((trade) => trade.id.startsWith(`${cycleId}-`))
    if (opened) {
      const how =
        position?.thesis?.cycleId !== cycleId
          ? 'entered, and out again'
          : position.protection.status === 'live'
            ? 'entered and protected'
            : 'entered; protection is not confirmed yet, enforcement goes on'
      return this.finish(state, 'entered', how)
    }
    if (phase.kind === 'opening')
      return this.finish(
        state,
        'failed',
        `the venue's answer to order ${order?.clientOrderId ?? ''} is unknown; enforcement resolves it, nothing new is opened meanwhile`,
      )
    const { placement } = this.record
    if (placement?.outcome === 'rejected')
      return this.finish(state, 'failed', `the venue refused the entry: ${placement.reason}`)
    if (placement === null)
      return this.finish(state, 'refused', 'the entry was never sent: the invocation ended before it could be')
    return this.finish(state, 'refused', 'the entry did not fill: the price was beyond the limit by then')
  }

  /** Closes the books of the slot: mark, memory, equity point, record; then the world may know. */
  private async finish(state: StrategyState, outcome: CycleOutcome, reason: string): Promise<CycleRecord> {
    const { config, clock, store, market, telemetry } = this.ports
    const at = toIso(clock())
    const { record } = this
    const failedIn = outcome !== 'failed' ? null : record.decision?.failure ? 'decide' : 'act'
    let after = state
    const failure = record.decision === null ? undefined : record.decision.failure
    const isRepetition =
      state.lastSlot !== null && state.lastSlot >= record.slot && !isFailedSlot(state, fromIso(record.slot))
    if (!this.dryRun && !isRepetition) {
      const mark =
        record.guardFacts?.quote.mark ??
        (await market.quote(config.market.symbol, clock()).then(
          (quote) => quote.mark,
          () => null,
        ))
      const summary: DecisionSummary = {
        cycleId: record.cycleId,
        at,
        action: record.decision?.decision.action ?? 'none',
        outcome,
        confidence: confidenceOf(record),
        note: (record.decision?.decision.rationale ?? reason).slice(0, 160),
      }
      const events: LedgerEvent[] = [
        ...(mark === null ? [] : [{ type: 'marked' as const, at, markPrice: mark }]),
        {
          type: 'slot_finished',
          at,
          slot: record.slot,
          summary,
          keep: config.memory.decisions,
          ...(failure === undefined ? {} : { failure }),
        },
      ]
      const books = transitionAll(state, events)
      const { accounting, phase } = books.state
      const { equity, cash, markPrice } = accounting
      await store.appendEquity(config.id, {
        at: record.slot,
        equity,
        cash,
        markPrice,
        phase: phase.kind,
        ...(accounting.transferred === ZERO_MONEY ? {} : { transferred: accounting.transferred }),
      })
      after = await commitAfter(this.ports, state, books)
    }
    if (!this.dryRun) after = await settleOutbox(this.ports, after, { own: true })
    this.lap('record')
    const { fills, orders } = await this.executionsOf(record)
    await this.save({
      progress: 'finished',
      outcome,
      reason,
      failedIn,
      finishedAt: at,
      phaseAfter: after.phase,
      fills,
      venueOrders: orders,
    })
    telemetry.log(outcome === 'failed' ? 'warn' : 'info', 'cycle finished', {
      cycleId: record.cycleId,
      outcome,
      reason,
    })
    if (failure && !this.dryRun) this.tellFailingDecider(after, failure)
    // Of a decider that fails the owner hears streak by streak, not slot by slot.
    if (failedIn === 'act')
      await publish(this.ports, `${record.cycleId}-failed-${at}`, {
        type: 'failed',
        subject: record.cycleId,
        detail: { reason },
      })
    return this.record
  }

  /** The log line and the metric of a slot whose decider failed; the alarm rings by the metric. */
  private tellFailingDecider({ deciderStreak }: StrategyState, { kind, message }: DecisionFailure): void {
    const { telemetry } = this.ports
    const slots = deciderStreak?.slots ?? 1
    telemetry.log('warn', 'the decider failed', {
      cycleId: this.record.cycleId,
      kind,
      message,
      slots,
      since: deciderStreak?.since ?? this.record.slot,
    })
    telemetry.metric('decider_failed', slots, 'Count')
  }

  /** The venue's own account of this cycle's order, for the record; costs nothing when there was none. */
  private async executionsOf({
    order,
    placement,
    claimedAt,
  }: CycleRecord): Promise<{ fills: CycleRecord['fills']; orders: CycleRecord['venueOrders'] }> {
    if (order === null || this.dryRun) return { fills: [], orders: [] }
    const { broker, telemetry } = this.ports
    const orderId = placement?.outcome === 'accepted' ? placement.orderId : null
    const answers = await Promise.all([
      broker.order(order.symbol, { clientOrderId: order.clientOrderId, orderId, since: fromIso(claimedAt) }),
      broker.openOrders(order.symbol),
      broker.fills(order.symbol, fromIso(claimedAt)),
    ]).catch((error: unknown) => {
      // All is done by now; that it cannot be told in full changes nothing of it.
      telemetry.log('warn', 'the record lacks what the venue says of its order', {
        cycleId: this.record.cycleId,
        error,
      })
      return null
    })
    if (answers === null) return { fills: [], orders: [] }
    const [placed, open, fills] = answers
    return {
      fills: [...fills],
      orders: [...(placed === null ? [] : [placed]), ...open.filter((one) => one.orderId !== placed?.orderId)],
    }
  }

  /** The record of a slot that was left untaken; nothing is stored. */
  failUntaken(reason: string): CycleRecord {
    return { ...this.record, progress: 'finished', outcome: 'failed', reason, finishedAt: toIso(this.ports.clock()) }
  }

  async fail(reason: string): Promise<CycleRecord> {
    const wasIntended = this.record.progress === 'intended'
    const failed: CycleRecord = {
      ...this.record,
      progress: 'finished',
      outcome: 'failed',
      reason,
      failedIn: this.record.decision === null ? 'read' : 'act',
      finishedAt: toIso(this.ports.clock()),
    }
    this.record = failed
    if (!this.dryRun && this.isClaimed) {
      // An entry may be under way: such a record stays unfinished so that a repetition follows it up.
      const stored: CycleRecord = { ...failed, progress: wasIntended ? 'intended' : 'finished' }
      await this.ports.store
        .saveCycle(stored, failed.attempt)
        // What made it fail may be what it holds: then at least the failure itself is kept.
        .catch(() =>
          this.ports.store.saveCycle(
            {
              ...stored,
              snapshot: null,
              prompt: null,
              decision: null,
              guardFacts: null,
              verdicts: [],
              fills: [],
              venueOrders: [],
            },
            failed.attempt,
          ),
        )
        .catch((error: unknown) => {
          this.ports.telemetry.log('error', 'the failure could not be recorded', { cycleId: failed.cycleId, error })
        })
    }
    await publish(this.ports, `${failed.cycleId}-failed-${failed.finishedAt}`, {
      type: 'failed',
      subject: failed.cycleId,
      detail: { reason },
    })
    return failed
  }

  private async save(changes: Partial<CycleRecord>): Promise<void> {
    this.record = { ...this.record, ...changes, timingsMs: { ...this.timingsMs } }
    if (this.dryRun) return
    const outcome = await this.ports.store.saveCycle(this.record, this.record.attempt)
    if (outcome === 'conflict') throw new LeaseLost(`another invocation has taken over ${this.record.cycleId}`)
  }

  private lap(step: string): void {
    const now = this.ports.clock()
    this.timingsMs[step] = (this.timingsMs[step] ?? 0) + now - this.stepStartedAt
    this.stepStartedAt = now
  }
}

/** For a decider that reads none. */
const NO_PROMPT: Prompt = { version: '', system: '', user: '', hash: '' }

type Barrier = { outcome: 'skipped' | 'halted' | 'refused'; reason: string }

/** Why a slot is not gone through with, or null: done or overtaken, halted, stale. */
/**
 * A position in an instrument that the configuration no longer names: its exits are watched, and nothing else is done.
 */
function findOtherInstrument(state: StrategyState, configured: Instrument): Barrier | null {
  const held = instrumentOf(state, configured)
  if (isSameContract(held, configured)) return null
  const what = held.id === configured.id ? `${held.id} at ${held.multiplier} ${held.unit} a contract` : held.id
  return {
    outcome: 'refused',
    reason: `the strategy still holds or has an order in ${what}, and the configuration names ${configured.id}: its exits go on as they are, and nothing is decided until it is closed; name the old instrument again, or close it with: hourhand halt --flatten`,
  }
}

function findBarrier(state: StrategyState, slot: EpochMs, now: EpochMs, slotMs: number): Barrier | null {
  const { lastSlot, halt } = state
  if (lastSlot !== null && fromIso(lastSlot) >= slot && !isFailedSlot(state, slot))
    return { outcome: 'skipped', reason: `slot ${toIso(slot)} is not after the last one done, ${lastSlot}` }
  if (halt !== null) return { outcome: 'halted', reason: describeHalt(halt) }
  if (floorTime(Math.max(now, slot), slotMs) !== slot)
    return {
      outcome: 'skipped',
      reason: `slot ${toIso(slot)} is stale: it is ${toIso(now)} now; reconciled, nothing entered`,
    }
  return null
}

/** Whether this is the last slot done and its decider failed: then it may be gone through again. */
const isFailedSlot = ({ lastSlot, deciderStreak }: StrategyState, slot: EpochMs): boolean =>
  deciderStreak !== null && lastSlot === deciderStreak.lastSlot && fromIso(deciderStreak.lastSlot) === slot

export const describeHalt = ({ by, at, reason }: Halt): string => `halted by ${by} since ${at}: ${reason}`

/** This invocation is late: its cycle is in other hands and it must not go on. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

function confidenceOf(record: CycleRecord): number | null {
  const decision = record.decision?.decision
  return decision !== undefined && isEntry(decision) ? decision.confidence : null
}

/** What a dry run would have done, in a sentence. */
function wouldDo({ result, halt }: Judgement, { decision }: CycleRecord): string {
  if (halt !== null) return `would halt: ${halt.rule}: ${halt.reason}`
  switch (result.kind) {
    case 'approved': {
      const { side, quantity, bracket, priceLimit } = result.order
      return `would ${side} ${quantity} contracts, no worse than ${priceLimit}, stop ${bracket.stopLossPrice}, target ${bracket.takeProfitPrice}`
    }
    case 'refused':
      return `would refuse the entry: ${result.reasons.join('; ')}`
    case 'no_entry':
      return `would ${decision?.decision.action ?? 'do nothing'}`
    default:
      return result satisfies never
  }
}
