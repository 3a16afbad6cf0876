import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runTarget, type Tally } from './harness/run-target.ts'
import { type FuzzTarget, loadTargets } from './harness/target.ts'

const USAGE = `npm run fuzz -- [--cases 100000] [--seed N] [--only NAME] [--seconds-per-case 1]
                                     random hostile input, spread over every target of test/fuzz
npm run fuzz -- --seed N --only NAME --case K
                                     one of them again
Further: --workers N, --list`

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    case: { type: 'string' },
    'seconds-per-case': { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Violations of one target beyond these are counted, not shown. */
const SHOWN = 5

/** One line for each target, under a line of headings, in columns. */
function tableOf(tallies: readonly Tally[]): string {
  const rows = [
    ['target', 'cases', 'slowest ms', 'violations', 'outcomes'],
    ...tallies.map(({ name, cases, slowest, violations, outcomes }) => [
      name,
      String(cases),
      `${slowest.ms} (case ${slowest.number})`,
      String(violations.length),
      Object.entries(outcomes)
        .sort((a, b) => b[1] - a[1])
        .map(([label, count]) => `${label} ${count}`)
        .join(', '),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

function storyOf({ name, violations }: Tally): string {
  const stories = violations.slice(0, SHOWN).map(({ seed, number, problem, input }) => {
    const again = `npm run fuzz -- --seed ${seed} --case ${number} --only ${name}`
    return `\n${name}, seed ${seed}, case ${number}: ${problem}\n  input: ${input || '(not shown)'}\n  again: ${again}`
  })
  const more = violations.length - SHOWN
  return [...stories, ...(more > 0 ? [`\n${name}: and ${more} violations more`] : [])].join('\n')
}

const numberOf = (name: 'cases' | 'seed' | 'case' | 'seconds-per-case' | 'workers', least: number): number => {
  const value = Number(values[name])
  if (!(value >= least) || value > 1e9) throw new Error(`--${name} ${values[name]}: expected a number from ${least}`)
  return value
}

function chosen(all: readonly FuzzTarget[]): FuzzTarget[] {
  const only = values.only?.split(',')
  const unknown = only?.find((name) => all.every((target) => target.name !== name))
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: the targets are ${all.map(({ name }) => name).join(', ')}`)
  return all.filter(({ name }) => only?.includes(name) ?? true)
}

async function main(): Promise<number> {
  if (values.help) return (console.log(USAGE), 0)
  const all = await loadTargets()
  if (values.list) return (console.log(all.map(({ name }) => name).join('\n')), 0)
  const targets = chosen(all)
  const [seed, secondsPerCase] = [numberOf('seed', 0), numberOf('seconds-per-case', 0.01)]
  const single = values.case === undefined ? undefined : numberOf('case', 0)
  if (single !== undefined && targets.length !== 1) throw new Error('--case needs --only NAME')
  const share = Math.ceil(numberOf('cases', 1) / targets.length)
  const ranges = targets.map(({ name }) => ({
    name,
    seed,
    secondsPerCase,
    from: single ?? 0,
    to: single === undefined ? share : single + 1,
  }))

  const start = performance.now()
  const tallies: Tally[] = []
  const waiting = [...ranges]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) tallies.push(await runTarget(next))
  }
  await Promise.all(Array.from({ length: numberOf('workers', 1) }, work))
  tallies.sort((a, b) => (a.name < b.name ? -1 : 1))

  console.log(tableOf(tallies))
  for (const tally of tallies) if (tally.violations.length > 0) console.log(storyOf(tally))
  const cases = tallies.reduce((sum, tally) => sum + tally.cases, 0)
  const violations = tallies.reduce((sum, tally) => sum + tally.violations.length, 0)
  const seconds = Math.round((performance.now() - start) / 1_000)
  console.log(`\nseed ${seed}: ${cases} cases of ${targets.length} targets in ${seconds} s, ${violations} violations`)
  return violations === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
