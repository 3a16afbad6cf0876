import type { Found } from '../store/inventory.ts'
import { FailedTarget } from '../../schemas/cli.ts'
import type { Answer } from './commands/answer.ts'
import { type Context, type Needs, openStored } from './context.ts'
import { headline, type Session, targetOfFound } from './session.ts'

/**
 * One answer about each strategy. One alone answers for itself and fails by itself; of several, one that fails keeps
 * none of the others from their answer, and the document is a list.
 */
export async function answerEach(
  context: Context,
  chosen: readonly Found[],
  needs: Needs,
  work: (session: Session) => Promise<Answer>,
): Promise<Answer> {
  tellProblem(context)
  const [only, ...others] = chosen
  if (only !== undefined && others.length === 0) return work(await openStored(context, only, needs))
  const answers: Answer[] = []
  for (const found of chosen) {
    try {
      answers.push(await work(await openStored(context, found, needs)))
    } catch (error) {
      answers.push(failed(context, found, error))
    }
  }
  return joined(answers)
}

/** Several answers as one. */
export const joined = (answers: readonly Answer[]): Answer => ({
  document: answers.map(({ document }) => document),
  text: answers.map(({ text }) => text).join('\n'),
  exitCode: answers.some(({ exitCode }) => exitCode === 1) ? 1 : 0,
})

/** The answer about one for which the command failed. */
export function failed(context: Context, found: Found, error: unknown): Answer {
  const target = targetOfFound(found, context.database)
  const message = error instanceof Error ? error.message : String(error)
  return {
    document: FailedTarget.parse({ target, error: message }),
    text: `${headline(target)}\nFAILED: ${message}\n`,
    exitCode: 1,
  }
}

/** Says on stderr that a table which could not be searched may hold more than is told. */
export function tellProblem({ inventory: { problem }, io }: Context): void {
  if (problem !== null) io.stderr(`${problem}\n`)
}
