import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ENDINGS, scriptedLife, shortLife } from './exhaustive.ts'
import { runScenario } from './run-scenario.ts'
import { QUIET_MINUTES, type Scenario, scenarioOf } from './scenario.ts'
import { count, describeTally, emptyTally, merge, type Tally } from './tally.ts'

const USAGE = `npm run simulate -- [--seeds N] [--from SEED]   random lives, seed after seed
npm run simulate -- --seed N                    one of them, told line by line
npm run simulate -- --exhaustive                scripted lives of a position, with a crash at every point
npm run simulate -- --pairs                     a short one, with a crash at every pair of points
Further: --workers N, --interval 15s (of random lives; 30m without it)`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    interval: { type: 'string', default: '30m' },
    exhaustive: { type: 'boolean', default: false },
    pairs: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    share: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** One life to live: a seed, or the scripted one with the points at which it crashes. */
type Job = { seed: number } | { scenario: Scenario; crashAt: number[] }

const LIVES = ENDINGS.flatMap((ending) => [true, false].map((attach) => scriptedLife(ending, attach)))

async function live(job: Job) {
  if ('seed' in job) return runScenario(scenarioOf(job.seed, values.interval))
  const report = await runScenario(job.scenario, { crashAt: new Set(job.crashAt) })
  return { ...report, name: `${report.name}, crash at ${job.crashAt.join(' and ')}` }
}

/** Every job of this run, in an order that spreads them evenly over shares. */
async function* jobs(): AsyncGenerator<Job> {
  if (!values.exhaustive && !values.pairs) {
    const from = Number(values.from)
    for (let seed = from; seed < from + Number(values.seeds ?? 400); seed++) yield { seed }
    return
  }
  for (const scenario of values.pairs ? [shortLife(QUIET_MINUTES)] : LIVES) {
    const { activeCrashPoints: crashPoints } = await runScenario(scenario, { crashAt: new Set() })
    for (let first = 0; first < crashPoints; first++) {
      if (!values.pairs) yield { scenario, crashAt: [first] }
      // The second is counted on in the life that the first has changed.
      else for (let second = first + 1; second < crashPoints; second++) yield { scenario, crashAt: [first, second] }
    }
  }
}

async function work(share: number, shares: number): Promise<Tally> {
  const tally = emptyTally()
  let ordinal = 0
  for await (const job of jobs()) if (ordinal++ % shares === share) count(tally, await live(job))
  return tally
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(`${USAGE}\n`)
  if (values.seed !== undefined) {
    const report = await runScenario(scenarioOf(Number(values.seed), values.interval), {
      trace: (line) => process.stdout.write(`${line}\n`),
    })
    process.exitCode = report.violations.length === 0 ? 0 : 1
    return
  }
  if (values.share !== undefined) {
    const [share = 0, shares = 1] = values.share.split('/').map(Number)
    process.send?.(await work(share, shares))
    return
  }
  const began = performance.now()
  const shares = Math.max(1, Number(values.workers))
  const tallies = await Promise.all(Array.from({ length: shares }, (_, share) => inProcess(share, shares)))
  const tally = emptyTally()
  for (const one of tallies) merge(tally, one)
  const first = tally.violations[0]
  process.stdout.write(
    `${describeTally(tally)}\n\n${((performance.now() - began) / 1_000).toFixed(0)} s on ${shares} processes\n`,
  )
  if (first?.name.startsWith('seed '))
    process.stdout.write(`again, line by line: npm run simulate -- --${first.name.replace(' ', ' ')}\n`)
  process.exitCode = tally.livesWithViolations === 0 ? 0 : 1
}

function inProcess(share: number, shares: number): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--share', `${share}/${shares}`], {
      execArgv: ['--import', 'tsx'],
    })
    child.on('message', (message) => resolve(message as Tally))
    child.on('exit', (code) => reject(new Error(`a worker ended with ${code} and no result`)))
  })
}

await main()
