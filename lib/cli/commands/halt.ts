import { composeExecution } from '../../compose/compose-ports.ts'
import { toIso } from '../../core/time.ts'
import { commit, loadOrCreateState, retryOnConflict } from '../../cycle/commit.ts'
import type { ExecutionPorts } from '../../cycle/ports.ts'
import type { LedgerEvent } from '../../ledger/events.ts'
import type { StrategyState } from '../../../schemas/state.ts'
import { HaltReport } from '../../../schemas/cli.ts'
import type { Session } from '../session.ts'
import type { Answer } from './answer.ts'

/** `hourhand halt`: no entries from now on, until a person resumes. Exits go on. */
export async function haltCommand({ world, config }: Session, { reason }: { reason: string }): Promise<Answer> {
  const ports = await composeExecution(world)
  const at = toIso(world.clock())
  const state = await commitAnyway(ports, { type: 'halted', at, halt: { at, by: 'operator', rule: null, reason } })
  await ports.schedule.disable(reason)
  const text = `${config.id} is halted since ${state.halt?.at} by ${state.halt?.by}: ${state.halt?.reason}\nIt is now ${state.phase.kind}; enforcement goes on. Lift it with: npx hourhand resume\n`
  return { document: HaltReport.parse({ strategyId: config.id, halt: state.halt }), text, exitCode: 0 }
}

/** `hourhand resume`: lifts a halt. Day-start and peak equity begin again at present equity. */
export async function resumeCommand({ world, config }: Session): Promise<Answer> {
  const ports = await composeExecution(world)
  const before = await loadOrCreateState(ports)
  const state = before.halt === null ? before : await commitAnyway(ports, { type: 'resumed', at: toIso(world.clock()) })
  await ports.schedule.enable()
  const text = before.halt === null ? `${config.id} was not halted\n` : `${config.id} trades again; it was halted since ${before.halt.at}: ${before.halt.reason}\n`
  return { document: HaltReport.parse({ strategyId: config.id, halt: state.halt }), text, exitCode: 0 }
}

/** A person's word is committed over whatever state it meets. */
const commitAnyway = (ports: ExecutionPorts, event: LedgerEvent): Promise<StrategyState> => retryOnConflict(ports, async () => commit(ports, await loadOrCreateState(ports), [event]))
