import { composeExecution } from '../../compose/compose-ports.ts'
import { resumeStrategy } from '../../execution/halt-strategy.ts'
import { HaltReport } from '../../../schemas/cli.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { scheduleOf, scheduleWords } from '../schedule-words.ts'
import { headline, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

/** `hourhand resume`: lifts a halt and settles incidents. Day-start and peak equity begin again at present equity. */
export async function resumeCommand(session: Session): Promise<Answer> {
  const { config, target, world } = session
  const ports = await composeExecution(world)
  const { before, after, earlyHalt, refusal } = await resumeStrategy(ports)
  if (refusal === null) await ports.schedule.enable()
  const halt = before?.halt ?? earlyHalt
  const incidents = before?.incidents.length ?? 0
  const settled = incidents === 0 ? '' : `; ${incidents} ${incidents === 1 ? 'incident is' : 'incidents are'} settled`
  const since = halt === null ? 'it was not halted' : `it was halted since ${halt.at}: ${halt.reason}`
  const wasStopped = halt !== null || incidents > 0
  const text = [
    headline(target),
    ...(refusal === null ? [] : refusalLines(config, refusal)),
    refusal !== null
      ? since
      : wasStopped
        ? `${config.id} trades again; ${since}${settled}`
        : `${config.id} was not halted`,
    ...(refusal === null ? scheduleWords(session, 'on') : []),
  ].join('\n')
  const document: HaltReport = {
    target,
    strategyId: config.id,
    halt: after?.halt ?? null,
    phase: after?.phase.kind ?? 'none',
    flatten: null,
    schedule: scheduleOf(session),
  }
  return { document: HaltReport.parse(document), text: `${text}\n`, exitCode: refusal === null ? 0 : 1 }
}

/** Why it was not resumed, and what to do: on paper the one cause is that nothing is left. */
export const refusalLines = ({ id, mode }: Pick<StrategyConfig, 'id' | 'mode'>, reason: string): string[] =>
  mode === 'paper'
    ? [
        `NOT resumed: ${reason}. Nothing is left on the paper books to trade with; stops and targets of what is held stay.`,
        'Pay in with hourhand account moved, or begin a new strategy under another id.',
      ]
    : [
        `NOT resumed: ${reason}. No resume and no configuration passes that ceiling; stops and targets of what is held stay.`,
        `A daily ceiling ends with the UTC day. Past the drawdown ceiling ${id} trades no more: if money was taken out, say so with hourhand account moved; otherwise begin a new strategy under another id, on paper first.`,
      ]
