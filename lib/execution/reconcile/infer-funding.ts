import { fundingIntervalOf } from '../../../schemas/instrument.ts'
import { canonical, dec, minus, money } from '../../core/decimal.ts'
import { directionOf } from '../../core/margin.ts'
import { floorTime, fromIso, toIso } from '../../core/time.ts'
import { positionOf } from '../../ledger/accounting.ts'
import type { FundingPayment } from '../../../schemas/order.ts'
import type { Position, StrategyState } from '../../../schemas/state.ts'
import type { VenueFacts } from '../venue-facts.ts'
import { CASH_TOLERANCE, expectedTransferOf, isAgreed } from './compare.ts'
import { Draft } from './draft.ts'
import { takeExecutions } from './take-executions.ts'

type Holding = Pick<Position, 'side' | 'openedAt' | 'entryNotional'>

/** What was opened and closed again since the venue was last asked. */
function tradeIn({ after: { history }, facts: { instrument } }: Draft): Holding | null {
  const trade = history.flatMap((line) => (line.kind === 'TRADE' ? [line.body] : [])).at(-1)
  if (trade === undefined) return null
  const { side, entryTime, entryPrice, quantity } = trade
  return {
    side,
    openedAt: entryTime,
    entryNotional: money(dec(entryPrice).times(quantity).times(instrument.multiplier)),
  }
}

/** Most that is taken for funding at once, as a fraction of the entry notional. */
const MOST_AT_ONCE = '0.003'

/**
 * The funding payment of a venue that does not list any, or null. Accrued at the last boundary on the position held
 * then, at the amount by which the venue's cash really moved: a position was held across a boundary, every fill is
 * known, ledger and venue hold the same, and cash differs by no more than funding can.
 *
 *   rate = -direction x amount / entry notional
 */
export function inferFunding(state: StrategyState, facts: VenueFacts): FundingPayment | null {
  const intervalMs = fundingIntervalOf(facts.instrument)
  if (facts.listsFunding || !facts.isSettled || intervalMs === null) return null
  const draft = new Draft(state, facts)
  takeExecutions(draft)
  // What it has moved is in the cash already.
  if (draft.deferred.size > 0) return null
  const after = positionOf(draft.state.phase)
  const position: Holding | null = after ?? positionOf(state.phase) ?? tradeIn(draft)
  if (position === null || !isAgreed(after, facts.position)) return null
  const lastFillAt = facts.fills.map(({ at }) => fromIso(at)).reduce((a, b) => Math.max(a, b), 0)
  const boundary = floorTime(after === null ? lastFillAt : fromIso(facts.at), intervalMs)
  if (boundary <= fromIso(position.openedAt)) return null
  const amount = minus(facts.account.cash, draft.state.accounting.cash)
  if (dec(amount).abs().lt(CASH_TOLERANCE) || dec(amount).abs().gt(dec(position.entryNotional).times(MOST_AT_ONCE)))
    return null
  // Announced as a deposit or withdrawal.
  if (expectedTransferOf(draft, amount) !== null) return null
  const rate = dec(amount).times(-directionOf(position.side)).div(position.entryNotional).round(10)
  const at = toIso(boundary)
  const name = `${facts.instrument.venueSymbol}-${at}-v`
  // Once a boundary: what goes missing again is something else.
  if (state.cursor.seenIds.some((id) => id.startsWith(name))) return null
  // Named by the state it is inferred from: whoever infers it, it is the same payment.
  return { fundingId: `${name}${state.version}`, at, rate: canonical(rate), amount }
}
