import { parentPort, workerData } from 'node:worker_threads'
import { type ReplayJob, runJob, type JobSummary } from './replay-job.ts'
import { openSharedMarket, type SharedMarket } from './shared-market.ts'

/** A thread that replays one job after another on a market it shares with others. */
const market = openSharedMarket((workerData as { market: SharedMarket }).market)

parentPort?.on('message', ({ index, job }: { index: number; job: ReplayJob }) => {
  runJob(job, market).then(
    (summary: JobSummary) => parentPort?.postMessage({ index, summary }),
    (error: unknown) =>
      parentPort?.postMessage({
        index,
        failure: {
          name: error instanceof Error ? error.name : 'Error',
          message: error instanceof Error ? error.message : String(error),
        },
      }),
  )
})
