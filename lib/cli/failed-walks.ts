import { toIso } from '../core/time.ts'
import { answersIn, areUsable, describeUnusable } from '../evidence/answers.ts'
import { FailedWalks } from '../../schemas/cli.ts'
import { section, wrap } from './format.ts'
import type { Answer } from './commands/answer.ts'
import { modelOf } from './summarise-walk.ts'
import type { Walk, WalkRequest } from './walk-history.ts'

/** One walk of a comparison or an audit, as it is named there. */
export type NamedWalk = { name: string; sample: number | null; walk: Walk; history: WalkRequest['history'] }

/**
 * What a comparison comes to once a walk in it has too many failed answers: nothing is compared with silence, so no
 * walk is shown with a return and none is counted as a trial. null while the last walk is usable.
 */
export function failedAnswer(title: string, walks: readonly NamedWalk[]): Answer | null {
  const last = walks.at(-1)
  if (last === undefined) return null
  const answers = answersIn(last.walk.lines)
  if (areUsable(answers)) return null
  const label = last.sample === null ? last.name : `${last.name} #${last.sample}`
  const { from, to } = last.history
  const document = FailedWalks.parse({
    from: toIso(from),
    to: toIso(to),
    problem: `${label}: ${describeUnusable(answers)}; nothing is compared`,
    walks: walks.map(({ name, sample, walk, history }) => ({
      name,
      decider: walk.decider,
      model: modelOf(history.config),
      sample,
      answers: answersIn(walk.lines),
    })),
  })
  const text = `${[
    `Hourhand  ${title} · ${document.from} to ${document.to}`,
    '',
    section('Failed', wrap(document.problem)),
    section(
      'Answers',
      document.walks.map(({ name, answers: { asked, failed } }) => `${name}: ${asked} asked, ${failed} failed`),
    ),
  ].join('\n')}\n`
  return { document, text, exitCode: 1 }
}
