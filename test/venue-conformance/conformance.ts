import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { CASES } from './cases.ts'
import { pageOf } from './page.ts'
import { harnessOf, HARNESSES, runCases } from './run-cases.ts'
import { SABOTAGES } from './sabotages.ts'

/**
 * `npm run conformance`: runs the cases on every venue of the registry and prints what each found; exit code 1 where one
 * failed. `--venue ID` and `--case VC-07` choose, `--write` makes the pages in docs/venues, `--sabotage` breaks the
 * code in one place a case, in a copy, and says whether that case notices.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: {
    venue: { type: 'string' },
    case: { type: 'string' },
    write: { type: 'boolean', default: false },
    sabotage: { type: 'boolean', default: false },
  },
})

/** How many sabotages run at once: each is a process of its own. */
const AT_ONCE = 2

async function runAll(): Promise<void> {
  const venues = values.venue === undefined ? HARNESSES : [harnessOf(values.venue)]
  for (const venue of venues) {
    const results = await runCases(venue, values.case)
    for (const { case: one, outcome } of results)
      process.stdout.write(
        `${venue.venue.padEnd(10)}${one.id}  ${outcome.kind.padEnd(16)}${one.title}${outcome.kind === 'passed' ? '' : ` (${outcome.reason})`}\n`,
      )
    const count = (kind: string): number => results.filter(({ outcome }) => outcome.kind === kind).length
    process.stdout.write(
      `${venue.venue}: ${count('passed')} passed, ${count('not applicable')} not applicable, ${count('failed')} failed\n`,
    )
    if (count('failed') > 0) process.exitCode = 1
    if (!values.write) continue
    await mkdir(join(root, 'docs/venues'), { recursive: true })
    await writeFile(join(root, 'docs/venues', `${venue.venue}.md`), await pageOf(venue.venue))
  }
}

/** The code in a copy, with one place broken. */
async function makeCopy(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hourhand-conformance-'))
  for (const part of ['lib', 'schemas', 'test', 'package.json', 'tsconfig.json'])
    await cp(join(root, part), join(directory, part), { recursive: true })
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  return directory
}

/** Whether the case fails on the broken code, and for which reason. */
async function isNoticed(directory: string, one: (typeof SABOTAGES)[number]): Promise<string | null> {
  const path = join(directory, one.file)
  const text = await readFile(path, 'utf8')
  if (!text.includes(one.find)) throw new Error(`${one.case}: ${one.file} no longer has ${JSON.stringify(one.find)}`)
  await writeFile(path, text.replaceAll(one.find, one.replace))
  try {
    const script = 'test/venue-conformance/conformance.ts'
    const run = promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', script, '--venue', one.venue, '--case', one.case],
      { cwd: directory, maxBuffer: 1e8 },
    )
    await run
    return null
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string }
    const failed = stdout.split('\n').find((line) => line.includes(' failed '))
    // A copy that does not even start has noticed nothing.
    if (failed === undefined) throw error
    return failed
  } finally {
    await writeFile(path, text)
  }
}

async function sabotageAll(): Promise<void> {
  const queue = SABOTAGES.filter((one) => values.case === undefined || one.case === values.case)
  const noticed = new Map<string, string | null>()
  const work = async (): Promise<void> => {
    const directory = await makeCopy()
    try {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        const found = await isNoticed(directory, one)
        noticed.set(one.case, found)
        process.stdout.write(`${one.case}  ${found === null ? 'UNNOTICED' : 'noticed'}  ${one.name} (${one.venue})\n`)
      }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const bites = [...noticed.values()].filter((found) => found !== null).length
  process.stdout.write(`${bites} of ${noticed.size} sabotages noticed, ${CASES.length} cases\n`)
  if (bites < noticed.size) process.exitCode = 1
}

await (values.sabotage ? sabotageAll() : runAll())
