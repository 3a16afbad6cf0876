import { intervalMsOf } from '../core/interval.ts'
import { AnswersStopped } from '../decision/answer-watch.ts'
import type { Budget } from '../decision/budget.ts'
import { metricsOf } from '../evidence/summarise-run.ts'
import type { Journal } from '../replay/journal.ts'
import { type ReplayResult, runReplay } from '../replay/run-replay.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { Metrics } from '../../schemas/metrics.ts'
import type { Io } from './io.ts'
import { openDecider, type RecordOptions } from './open-decider.ts'
import type { OpenHistory } from './open-history.ts'
import { createProgress } from './progress.ts'

export type WalkRequest = {
  history: Pick<OpenHistory, 'config' | 'market' | 'news' | 'from' | 'to'>
  options: RecordOptions
  purse: Budget
  /** Which of repeated answers of a model. */
  sample?: number
  journal?: Journal | null
  /** What the progress line calls it. */
  label?: string
}

export type Walk = ReplayResult & { decider: string; elapsedMs: number }

/**
 * One walk of the configured decider through history, with progress on stderr; a journal is gone on with and written
 * to.
 */
export async function walkHistory(
  { history, options, purse, sample, journal = null, label = 'replay' }: WalkRequest,
  environment: Environment,
  io: Io,
): Promise<Walk> {
  const { config, market, news, from, to } = history
  const slots = Math.ceil((to - from) / intervalMsOf(config))
  const opened = await openDecider(
    config.decider,
    { ...options, slots, purse, ...(sample === undefined ? {} : { sample }) },
    environment,
    io,
  )
  const progress = createProgress(io)
  const startedAt = io.clock()
  const before = journal?.resumed ?? null
  let done = before?.lines.length ?? 0
  try {
    const result = await runReplay({
      config,
      market,
      decider: opened.decider,
      news,
      from,
      to,
      resumeAt: before?.at ?? null,
      onSlot: (step) => {
        journal?.write(step)
        done += 1
        progress.show(`${label}: ${done} of ${slots} slots, ${step.line.slot}, equity ${step.line.equity}`)
      },
    })
    const whole =
      before === null
        ? result
        : { ...result, lines: [...before.lines, ...result.lines], trades: [...before.trades, ...result.trades] }
    return { ...whole, decider: opened.decider.name, elapsedMs: io.clock() - startedAt }
  } catch (error) {
    if (!(error instanceof AnswersStopped)) throw error
    const remedy = journal === null ? '' : ': it goes on from the first slot that was not answered'
    throw new AnswersStopped(
      `${label} stopped at ${error.message}. There is no result, no trial and no evidence of it. Mend the cause and run the same command again${remedy}`,
      { cause: error },
    )
  } finally {
    progress.clear()
    await opened.close()
  }
}

/** What a walk came to, without the intervals that take a while. */
export const metricsOfWalk = (walk: Walk, { config, from, to }: WalkRequest['history']): Metrics =>
  metricsOf(walk, { config, from, to, resamples: 0 })
