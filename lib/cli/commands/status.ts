import { composeExecution } from '../../compose/compose-ports.ts'
import { dec, minus } from '../../core/decimal.ts'
import { toIso } from '../../core/time.ts'
import { reconcile } from '../../cycle/reconcile/reconcile.ts'
import { gatherVenueFacts } from '../../cycle/venue-facts.ts'
import { createState, transitionAll } from '../../ledger/transition.ts'
import { dailyLoss, drawdown, positionOf, revalue, rollDay } from '../../ledger/accounting.ts'
import { isProtected, reportPosition } from '../../ledger/position.ts'
import { type Comparison, StatusReport } from '../../../schemas/cli.ts'
import type { StrategyState } from '../../../schemas/state.ts'
import type { VenueFacts } from '../../cycle/venue-facts.ts'
import { amount, section, signedPercent, table } from '../format.ts'
import type { Session } from '../session.ts'
import type { Answer } from './answer.ts'

/** `hourhand status`: the ledger beside the venue, every difference named. Changes nothing. */
export async function statusCommand({ world, config }: Session): Promise<Answer> {
  const ports = await composeExecution({ ...world, dryRun: true })
  const at = toIso(world.clock())
  const stored = await ports.store.loadState(config.id)
  const state = stored ?? createState(config.id, (await ports.broker.account()).cash, at)
  const facts = await gatherVenueFacts(ports, state)
  const quote = await ports.market.quote(config.market.symbol, world.clock())
  const position = positionOf(state.phase)
  // Figures as they are once the next pass has taken the venue's news in; the comparison shows what is still apart.
  const taken = transitionAll(state, reconcile(state, facts).events).state
  const accounting = revalue(rollDay(taken.accounting, at), positionOf(taken.phase), quote.mark, at)
  const comparison = compare(state, facts)
  const report: StatusReport = {
    strategyId: config.id,
    mode: config.mode,
    at,
    phase: state.phase.kind,
    halt: state.halt,
    accounting,
    position: reportPosition(position),
    venue: { name: ports.broker.name, account: facts.account, position: facts.position, openOrders: [...facts.openOrders] },
    comparison,
    incidents: state.incidents,
    lastSlot: state.lastSlot,
  }
  const text = [
    `Hourhand  ${config.id} · ${config.mode} · ${at}`,
    '',
    section('State', [
      `${state.phase.kind}${state.halt === null ? '' : `, HALTED by ${state.halt.by} since ${state.halt.at}: ${state.halt.reason}`}`,
      `last slot ${state.lastSlot ?? 'none yet'}, state version ${stored === null ? 'none yet' : state.version}`,
    ]),
    section('Account', [
      `equity ${amount(accounting.equity)}, cash ${amount(accounting.cash)}, day ${signedPercent(-dailyLoss(accounting))}, drawdown ${(drawdown(accounting) * 100).toFixed(2)} %`,
      `since the start: gross ${amount(accounting.gross)}, fees ${amount(accounting.fees)}, funding ${amount(accounting.funding)}, adjustments ${amount(accounting.adjustments)}`,
      `entries today ${accounting.entriesToday}, losses in a row ${accounting.consecutiveLosses}`,
    ]),
    section('Compare', table([['', 'ledger', `venue (${ports.broker.name})`, ''], ...comparison.map(({ what, ledger, venue, agrees }) => [what, ledger, venue, agrees ? '' : 'DIFFERS'])])),
    ...(state.incidents.length === 0 ? [] : [section('Incidents', state.incidents.map((incident) => `${incident.at} ${incident.kind}: ${incident.detail}`))]),
    ...(comparison.every(({ agrees }) => agrees) ? [] : [section('', ['a difference is taken in by the next enforcement pass: hourhand enforce'])]),
  ].join('\n')
  return { document: StatusReport.parse(report), text: `${text}\n`, exitCode: 0 }
}

function compare(state: StrategyState, facts: VenueFacts): Comparison[] {
  const held = positionOf(state.phase)
  const { position, account, openOrders } = facts
  const exits = openOrders.filter((order) => order.kind === 'protect')
  const ledgerPosition = held === null ? 'flat' : `${held.side} ${held.quantity}`
  const venuePosition = position === null ? 'flat' : `${position.side} ${position.quantity}`
  const wantsExits = held !== null && isProtected(held) ? 1 : 0
  return [
    { what: 'position', ledger: ledgerPosition, venue: venuePosition, agrees: ledgerPosition === venuePosition },
    { what: 'cash', ledger: amount(state.accounting.cash, 8), venue: amount(account.cash, 8), agrees: dec(minus(state.accounting.cash, account.cash)).abs().lt('0.01') },
    { what: 'live exits', ledger: String(wantsExits), venue: String(exits.length), agrees: wantsExits === exits.length },
  ]
}
