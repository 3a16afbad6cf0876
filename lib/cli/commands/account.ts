import { z } from 'zod'
import { composeExecution } from '../../compose/compose-ports.ts'
import { hashOf } from '../../core/canonical-json.ts'
import { canonical, dec, isAbove, minus, type Money, money, ZERO_MONEY } from '../../core/decimal.ts'
import { UsageError } from '../../core/invariant.ts'
import { DAY_MS, toIso } from '../../core/time.ts'
import { commit, loadStoredState, requireForwardClock, retryOnConflict, settleOutbox } from '../../execution/commit.ts'
import type { ExecutionPorts } from '../../execution/ports.ts'
import { CASH_TOLERANCE } from '../../execution/reconcile/compare.ts'
import { syncWithVenue } from '../../execution/sync-with-venue.ts'
import type { LedgerEvent } from '../../ledger/events.ts'
import { AccountMovedReport } from '../../../schemas/cli.ts'
import type { Transfer } from '../../../schemas/order.ts'
import type { StrategyState } from '../../../schemas/state.ts'
import { NothingFound } from '../choose-stored.ts'
import { section } from '../format.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

export const AccountMovedOptions = z.object({
  amount: z
    .string()
    .regex(/^[+-]?\d{1,12}(\.\d{1,8})?$/, {
      error: 'expected an amount such as 500 for a deposit or -500 for a withdrawal',
    })
    .refine((text) => Number(text) !== 0, { error: 'expected an amount that is not zero' })
    .transform((text) => money(dec(text.replace('+', '')))),
  reason: z.string().min(1).max(400).nullable().default(null),
})
export type AccountMovedOptions = z.infer<typeof AccountMovedOptions>

/** An announced transfer that the venue does not show within this time is forgotten. */
const EXPECTED_FOR_MS = DAY_MS

type Outcome = AccountMovedReport['outcome']
const SAID: Record<Outcome, string> = {
  booked: 'booked: it is neither profit nor loss, and day return and drawdown are what they were',
  explained: 'the unexplained difference is explained: it is neither profit nor loss any more',
  expected: 'announced: the venue does not show it yet, and it will be booked as soon as it does, within a day',
  refused: 'refused: nothing was changed',
}

/**
 * `hourhand account moved AMOUNT`: money was paid in, or taken out (negative), by a person. It is booked as a transfer,
 * not as profit, loss, drawdown or funding: on paper at once; at a venue where its cash shows that amount; as the
 * explanation of an earlier difference; else it is expected for a day. An amount that contradicts a difference which is
 * there is refused with exit 1. Orders and the halt are left alone.
 */
export async function accountMovedCommand(session: Session, { amount, reason }: AccountMovedOptions): Promise<Answer> {
  requireConfig(session)
  const { world, config, target } = session
  const ports = await composeExecution(world)
  await requireForwardClock(ports)
  const at = toIso(world.clock())
  const transferId = `moved-${hashOf({ at, amount, id: world.invocationId }).slice(0, 20)}`
  const transfer: Transfer = { transferId, at, amount, source: 'operator', note: reason }
  const { outcome, state, difference } = await retryOnConflict(ports, () => bookTransfer(ports, transfer))
  const settled = await settleOutbox(ports, state, { own: true })
  const isRefused = outcome === 'refused'
  const report: AccountMovedReport = {
    target,
    strategyId: config.id,
    mode: config.mode,
    at,
    amount,
    outcome,
    difference,
    unexplained: settled.accounting.unexplained,
    transferred: settled.accounting.transferred,
    equity: settled.accounting.equity,
    isHalted: settled.halt !== null,
  }
  const text = [
    headline(target, `account moved ${amount} at ${at}`),
    '',
    section('Transfer', [
      SAID[outcome],
      ...(isRefused ? [contradiction(ports, amount, difference, settled)] : []),
      `equity ${settled.accounting.equity}, paid in and taken out so far ${settled.accounting.transferred}`,
    ]),
    ...(settled.halt === null
      ? []
      : [section('Halted', [settled.halt.reason, `when all is explained: npx hourhand resume ${session.flags}`])]),
  ].join('\n')
  return { document: AccountMovedReport.parse(report), text: `${text}\n`, exitCode: isRefused ? 1 : 0 }
}

type Booked = { outcome: Outcome; state: StrategyState; difference: Money }

async function bookTransfer(ports: ExecutionPorts, transfer: Transfer): Promise<Booked> {
  const { amount, at } = transfer
  const stored = await loadStoredState(ports)
  if (stored === null)
    throw new NothingFound(
      `${ports.config.mode} ${ports.config.id} has no state yet: what it begins with is what the account holds then`,
    )
  if (ports.broker.credit !== undefined) {
    const { equity } = stored.accounting
    if (!dec(equity).plus(amount).gt(0))
      throw new UsageError(
        `amount = ${amount}: paper ${ports.config.id} has an equity of ${equity}, and a withdrawal has to leave some of it; nothing was changed`,
      )
    await ports.broker.credit(transfer)
    const { state } = await syncWithVenue(ports, stored, { act: true })
    return { outcome: 'booked', state, difference: ZERO_MONEY }
  }
  const synced = await syncWithVenue(ports, stored, { act: true })
  const { state } = synced
  const difference = minus(synced.facts.account.cash, state.accounting.cash)
  const settle = async (outcome: Outcome, event: LedgerEvent): Promise<Booked> => ({
    outcome,
    state: await commit(ports, state, [event]),
    difference,
  })
  if (isSame(difference, amount))
    return settle('booked', {
      type: 'transferred',
      at,
      transfer: { ...transfer, amount: difference },
      isExplanation: false,
    })
  if (explains(amount, state.accounting.unexplained))
    return settle('explained', { type: 'transferred', at, transfer, isExplanation: true })
  if (!isSame(difference, ZERO_MONEY) || !isSame(state.accounting.unexplained, ZERO_MONEY))
    return { outcome: 'refused', state, difference }
  const until = toIso(ports.clock() + EXPECTED_FOR_MS)
  const { transferId, note } = transfer
  return settle('expected', { type: 'transfer_expected', at, expected: { transferId, amount, at, until, note } })
}

const isSame = (a: Money, b: Money): boolean => dec(minus(a, b)).abs().lte(CASH_TOLERANCE)

/** Part or all of a difference of the same sign. */
function explains(amount: Money, unexplained: Money): boolean {
  const isSameSign = isAbove(amount, ZERO_MONEY) === isAbove(unexplained, ZERO_MONEY)
  return isSameSign && dec(amount).abs().lte(dec(unexplained).abs().plus(CASH_TOLERANCE))
}

function contradiction(
  { broker }: ExecutionPorts,
  amount: Money,
  difference: Money,
  { accounting }: StrategyState,
): string {
  const { unexplained } = accounting
  const open = isSame(difference, ZERO_MONEY)
    ? `${unexplained} was taken over unexplained`
    : `${broker.name} holds ${canonical(dec(difference).abs())} ${isAbove(difference, ZERO_MONEY) ? 'more' : 'less'} cash than the ledger`
  return `${open}, which a transfer of ${amount} does not explain; give the amount that moved`
}
