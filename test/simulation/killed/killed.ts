import { parseArgs } from 'node:util'
import { killFirstRuns } from './first-runs.ts'
import { type KillReport, runKills } from './run-kills.ts'
import { SABOTAGES } from './sabotages.ts'
import type { Database } from './stage.ts'

const USAGE = `npm run killed -- [--kills N] [--seed S]   the command line as processes, killed N times (300) at moments drawn from the seed
Further: --database outside|own   a database that outlives every process (outside), or the one under --data-dir that dies with it (own)
         --trace                  told line by line
         --sabotage NAME          with a line of the code replaced, to see that it is noticed: ${Object.keys(SABOTAGES).join(', ')}
         --first-runs N           instead: N empty data directories, each killed while its database is being made`

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    database: { type: 'string', default: 'outside' },
    'first-runs': { type: 'string' },
    sabotage: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const row = (label: string, value: string | number): string =>
  `${label.padEnd(28)}${typeof value === 'number' ? value.toLocaleString('en') : value}`

const describe = (report: KillReport): string =>
  [
    row('database', report.database),
    row('kills', report.kills),
    row('children, finished', `${report.children}, ${report.finished}`),
    row('simulated hours', report.simulatedHours.toFixed(1)),
    row('entries filled', report.entries),
    row('trades', report.trades),
    '',
    'deaths',
    ...[...report.deaths].sort(([a], [b]) => a.localeCompare(b)).map(([kind, times]) => row(`  ${kind}`, times)),
    '',
    row('failed without being killed', report.failures.length),
    ...report.failures.map((failure) => `  ${failure}`),
    row('incidents', report.incidents.length),
    ...report.incidents.map((incident) => `  ${incident}`),
    row('violations', report.violations.length),
    ...report.violations.map(({ invariant, at, text }) => `  invariant ${invariant} at ${at}: ${text}`),
  ].join('\n')

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(`${USAGE}\n`)
  if (values['first-runs'] !== undefined) {
    const { runs, caught, stuck, said } = await killFirstRuns(Number(values['first-runs']))
    process.stdout.write(
      `${[row('first runs', runs), row('killed in the making', caught), row('stuck for good', stuck), ...said].join('\n')}\n`,
    )
    process.exitCode = stuck === 0 ? 0 : 1
    return
  }
  const began = performance.now()
  const database: Database = values.database === 'own' ? 'own' : 'outside'
  const sabotage = values.sabotage === undefined ? null : SABOTAGES[values.sabotage]
  if (sabotage === undefined)
    throw new RangeError(`--sabotage ${values.sabotage}: expected one of ${Object.keys(SABOTAGES).join(', ')}`)
  const trace = values.trace ? { trace: (line: string) => void process.stdout.write(`${line}\n`) } : {}
  const report = await runKills({
    kills: Number(values.kills),
    seed: Number(values.seed),
    database,
    sabotage,
    ...trace,
  })
  process.stdout.write(`${describe(report)}\n\n${((performance.now() - began) / 1_000).toFixed(0)} s\n`)
  process.exitCode = report.violations.length === 0 ? 0 : 1
}

await main()
