import type { Money } from '../core/decimal.ts'
import { invariant } from '../core/invariant.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import { type DecisionFailure, isEntry } from '../../schemas/decision.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { SlotLine } from '../../schemas/replay.ts'
import type { QuietSlot } from './quiet-slot.ts'

/**
 * The line of a slot that a cycle was run for. `point` is the newest of the curve: of this slot, or, where the cycle
 * failed, of an earlier one.
 */
export function lineOf(record: CycleRecord, point: EquityPoint | undefined, initialCash: Money): SlotLine {
  const outcome = record.decision
  const decision = outcome?.decision ?? null
  const failure = outcome?.failure ?? null
  const { refusedBy, ...decided } = decidedOf(record)
  return {
    ...decided,
    ask:
      decision !== null && isEntry(decision)
        ? {
            side: decision.action === 'open_long' ? 'long' : 'short',
            stopLossPrice: decision.stopLossPrice,
            takeProfitPrice: decision.takeProfitPrice,
          }
        : null,
    refusedBy,
    failure: failure === null && record.outcome === 'failed' ? (record.reason ?? '') : describeFailure(failure),
    deciderFailure: failure?.kind ?? null,
    equity: point?.equity ?? initialCash,
    cash: point?.cash ?? initialCash,
    markPrice: point?.markPrice ?? null,
    inPosition: point !== undefined && point.phase !== 'flat',
    tokens: [outcome?.usage.inputTokens ?? 0, outcome?.usage.outputTokens ?? 0],
    costUsd: outcome === null ? 0 : outcome.usage.costUsd,
  }
}

/** What a cycle decided, and which rules refused it. */
export function decidedOf({
  slot,
  outcome,
  decision,
  verdicts,
}: CycleRecord): Pick<SlotLine, 'slot' | 'outcome' | 'action' | 'confidence' | 'refusedBy'> {
  // What stands in for a decision where the decider failed was decided by nobody.
  const made = (decision?.failure ?? null) === null ? decision?.decision : undefined
  return {
    slot,
    outcome: outcome ?? 'failed',
    action: made?.action ?? 'none',
    confidence: made !== undefined && isEntry(made) ? made.confidence : null,
    refusedBy: outcome === 'refused' ? verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule) : [],
  }
}

/** The line of a slot that needed no cycle. */
export function quietLine(point: EquityPoint | undefined, quiet: QuietSlot | null): SlotLine {
  invariant(point !== undefined && quiet !== null, 'a slot that was gone through has a point on the curve')
  const { at, equity, cash, markPrice, phase } = point
  const { outcome, decision } = quiet
  return {
    slot: at,
    outcome,
    action: decision?.decision.action ?? 'none',
    confidence: null,
    ask: null,
    refusedBy: [],
    failure: null,
    deciderFailure: null,
    equity,
    cash,
    markPrice,
    inPosition: phase !== 'flat',
    tokens: [0, 0],
    costUsd: 0,
  }
}

const describeFailure = (failure: DecisionFailure | null): string | null =>
  failure === null ? null : `${failure.kind}: ${failure.message}`
