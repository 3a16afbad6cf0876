import { composeExecution } from '../../compose/compose-ports.ts'
import { toIso } from '../../core/time.ts'
import { commit, loadOrCreateState, retryOnConflict, settleOutbox } from '../../cycle/commit.ts'
import { type Flattening, flattenPosition } from '../../cycle/flatten-position.ts'
import type { ExecutionPorts } from '../../cycle/ports.ts'
import { positionOf } from '../../ledger/accounting.ts'
import type { LedgerEvent } from '../../ledger/events.ts'
import { HaltReport } from '../../../schemas/cli.ts'
import type { StrategyState } from '../../../schemas/state.ts'
import { section } from '../format.ts'
import type { Session } from '../session.ts'
import type { Answer } from './answer.ts'

/**
 * `hourhand halt`: no entries from now on, until a person resumes. Exits go on. With `flatten` what is held is then
 * closed at market: exit 1 when it is not flat after that. The halt is durable before anything is asked of the venue,
 * and stands whatever the venue does.
 */
export async function haltCommand(
  { world, config }: Session,
  { reason, flatten }: { reason: string; flatten: boolean },
): Promise<Answer> {
  const ports = await composeExecution(world)
  const at = toIso(world.clock())
  const state = await commitAnyway(ports, { type: 'halted', at, halt: { at, by: 'operator', rule: null, reason } })
  await ports.schedule.disable(reason)
  const halted = `${config.id} is halted since ${state.halt?.at} by ${state.halt?.by}: ${state.halt?.reason}`
  const resume = 'enforcement goes on. Lift it with: npx hourhand resume'
  const report = { strategyId: config.id, halt: state.halt }
  if (!flatten)
    return {
      document: HaltReport.parse({ ...report, phase: state.phase.kind, flatten: null }),
      text: `${halted}\nIt is now ${state.phase.kind}; ${resume}\n`,
      exitCode: 0,
    }

  let result: Flattening
  try {
    result = await flattenPosition(ports)
  } catch (error) {
    // The halt is in force all the same, and has to be told together with what did not work.
    const why = error instanceof Error ? error.message : String(error)
    const document = HaltReport.parse({
      ...report,
      phase: state.phase.kind,
      flatten: { isFlat: false, held: ['not known'], notes: [why] },
    })
    return {
      document,
      text: `${halted}\nIt could NOT be flattened: ${why}\nThe halt is in force, and ${resume}\n`,
      exitCode: 1,
    }
  }
  const held = result.isFlat ? [] : stillThere(result)
  const document = HaltReport.parse({
    ...report,
    halt: result.state.halt,
    phase: result.state.phase.kind,
    flatten: { isFlat: result.isFlat, held, notes: result.notes },
  })
  const verdict = result.isFlat ? `It is flat: nothing is held, no exit rests; ${resume}` : `It is NOT flat; ${resume}`
  const details = [
    ...(held.length === 0 ? [] : [section('Held', held)]),
    ...(result.notes.length === 0
      ? []
      : [
          section(
            'Done',
            result.notes.map((note) => `- ${note}`),
          ),
        ]),
  ]
  const remedy = result.isFlat
    ? []
    : ['Run hourhand halt --flatten again, or close it at the venue by hand and then run hourhand reconcile.']
  return { document, text: `${[halted, verdict, ...details, ...remedy].join('\n')}\n`, exitCode: result.isFlat ? 0 : 1 }
}

/** What is still held or at work, in words. */
function stillThere({ state, facts }: Flattening): string[] {
  const held = positionOf(state.phase)
  const { position, openOrders } = facts
  return [
    `ledger: ${state.phase.kind}${held === null ? '' : `, ${held.side} ${held.quantity}`}`,
    `venue: ${position === null ? 'flat' : `${position.side} ${position.quantity} from ${position.averageEntryPrice}`}`,
    ...openOrders.map(
      ({ orderId, kind, side, quantity, status }) => `order ${orderId}: ${kind} ${side} ${quantity}, ${status}`,
    ),
  ]
}

/** `hourhand resume`: lifts a halt and settles incidents. Day-start and peak equity begin again at present equity. */
export async function resumeCommand({ world, config }: Session): Promise<Answer> {
  const ports = await composeExecution(world)
  const before = await loadOrCreateState(ports)
  const isStopped = before.halt !== null || before.incidents.length > 0
  const state = isStopped ? await commitAnyway(ports, { type: 'resumed', at: toIso(world.clock()) }) : before
  await ports.schedule.enable()
  const settled =
    before.incidents.length === 0
      ? ''
      : `; ${before.incidents.length} ${before.incidents.length === 1 ? 'incident is' : 'incidents are'} settled`
  const since =
    before.halt === null ? 'it was not halted' : `it was halted since ${before.halt.at}: ${before.halt.reason}`
  const text = isStopped ? `${config.id} trades again; ${since}${settled}\n` : `${config.id} was not halted\n`
  return {
    document: HaltReport.parse({ strategyId: config.id, halt: state.halt, phase: state.phase.kind, flatten: null }),
    text,
    exitCode: 0,
  }
}

/** A person's word is committed over whatever state it meets. */
async function commitAnyway(ports: ExecutionPorts, event: LedgerEvent): Promise<StrategyState> {
  const state = await retryOnConflict(ports, async () => commit(ports, await loadOrCreateState(ports), [event]))
  return settleOutbox(ports, state, { own: true })
}
