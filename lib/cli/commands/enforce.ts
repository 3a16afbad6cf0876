import { composeExecution } from '../../compose/compose-ports.ts'
import { runEnforcement } from '../../execution/run-enforcement.ts'
import { reportPosition } from '../../ledger/position.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { EnforcementReport } from '../../../schemas/cli.ts'
import { section } from '../format.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import { writeDown } from '../write-down.ts'
import type { Answer } from './answer.ts'

/** `hourhand enforce`: one enforcement pass. */
export async function enforceCommand(session: Session): Promise<Answer> {
  requireConfig(session)
  const { world, config, target } = session
  const ports = await composeExecution(world)
  await writeDown(session, ports)
  const result = await runEnforcement(ports, { dryRun: world.dryRun })
  const { at, outcome, phase, exit, barsSeen, notes, state } = result
  const position = reportPosition(positionOf(state.phase))
  const document: EnforcementReport = {
    target,
    strategyId: config.id,
    at,
    mode: config.mode,
    outcome,
    phase,
    exit,
    barsSeen,
    notes,
    position,
  }
  const held =
    position === null
      ? 'flat'
      : `${position.side} ${position.quantity} from ${position.entryPrice}, protection ${position.protection}`
  const text = [
    headline(target, `enforcement at ${at}`),
    '',
    section('Outcome', [
      `${outcome}${exit === null ? '' : `: ${exit}`}; ${barsSeen} bars looked at`,
      ...notes.map((note) => `- ${note}`),
    ]),
    section('Position', [held]),
  ].join('\n')
  return { document: EnforcementReport.parse(document), text: `${text}\n`, exitCode: outcome === 'unclosed' ? 1 : 0 }
}
