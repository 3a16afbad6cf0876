import { Worker } from 'node:worker_threads'
import { UsageError } from '../core/invariant.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import { type JobSummary, type ReplayJob, runJob } from './replay-job.ts'
import { shareMarket, type SharedMarket } from './shared-market.ts'

export type RunJobsOptions = {
  market: HistoryMarket
  /** Threads at most; one runs in this thread. */
  workers: number
  /** Called as each job ends, in whatever order they do. */
  onDone?: (done: number, of: number) => void
}

/** Below this many jobs a thread costs more than it saves: each has to load the program first. */
const JOBS_WORTH_A_THREAD = 2

type Reply = { index: number; summary?: JobSummary; failure?: { name: string; message: string } }

/**
 * Replays many jobs on one market, on as many threads as asked for. The summaries come in the order of the jobs, and
 * are the same with any number of threads. Rejects with the first failure, in the order of the jobs.
 */
export async function runJobs(
  jobs: readonly ReplayJob[],
  { market, workers, onDone }: RunJobsOptions,
): Promise<JobSummary[]> {
  const threads = Math.min(workers, Math.floor(jobs.length / JOBS_WORTH_A_THREAD))
  if (threads <= 1) {
    const summaries: JobSummary[] = []
    for (const job of jobs) {
      summaries.push(await runJob(job, market))
      onDone?.(summaries.length, jobs.length)
    }
    return summaries
  }
  const shared = shareMarket(market)
  const replies: Reply[] = []
  let next = 0
  let done = 0
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        const index = next++
        if (index >= jobs.length) return resolve()
        worker.postMessage({ index, job: jobs[index] })
      }
      worker.on('message', (reply: Reply) => {
        replies[reply.index] = reply
        onDone?.(++done, jobs.length)
        give()
      })
      worker.on('error', reject)
      worker.on('exit', (code) => reject(new Error(`a replay thread ended with code ${code}`)))
      give()
    })
  const pool = Array.from({ length: threads }, () => startWorker(shared))
  try {
    await Promise.all(pool.map(work))
  } finally {
    await Promise.all(pool.map((worker) => worker.terminate()))
  }
  return replies.map(({ summary, failure }) => {
    if (summary !== undefined) return summary
    throw failure?.name === 'UsageError'
      ? new UsageError(failure.message)
      : new Error(failure?.message ?? 'a replay thread gave no answer')
  })
}

/**
 * A larger nursery than the default saves a tenth of the time: a replay makes many small things and forgets them at
 * once.
 */
const NURSERY_MB = 64

const startWorker = (market: SharedMarket): Worker =>
  new Worker(new URL('./replay-worker.mjs', import.meta.url), {
    workerData: { market },
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
  })
