import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { SABOTAGES } from './sabotages.ts'

/**
 * Shows that the simulation bites: breaks the code in one place at a time, in a copy, and says which invariants
 * notice. Exit code 1 when something broken goes unnoticed, or the code as it is does not pass.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '300' }, only: { type: 'string' } } })

async function simulate(
  directory: string,
): Promise<{ lives: number; byInvariant: Map<string, number>; first: string }> {
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'test/simulation/simulate.ts', '--seeds', values.seeds],
    { cwd: directory, maxBuffer: 1e8 },
  )
  const { stdout } = await run.catch((error: unknown) => {
    if (
      typeof error === 'object' &&
      error !== null &&
      'stdout' in error &&
      typeof error.stdout === 'string' &&
      error.stdout !== ''
    )
      return { stdout: error.stdout }
    throw error
  })
  const byInvariant = new Map<string, number>()
  for (const [, invariant = ''] of stdout.matchAll(/: invariant (\d+) at /g))
    byInvariant.set(invariant, (byInvariant.get(invariant) ?? 0) + 1)
  const lives = Number((/lives with violations\s+([\d,]+)/.exec(stdout)?.[1] ?? 'NaN').replaceAll(',', ''))
  return { lives, byInvariant, first: /^ {2}(seed .*)$/m.exec(stdout)?.[1] ?? '' }
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hourhand-sabotage-'))
  try {
    for (const part of ['lib', 'schemas', 'test', 'package.json', 'tsconfig.json'])
      await cp(join(root, part), join(directory, part), { recursive: true })
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    const rows: [string, Awaited<ReturnType<typeof simulate>>][] = []
    for (const { name, edits } of [{ name: 'nothing (the code as it is)', edits: [] }, ...SABOTAGES]) {
      if (values.only !== undefined && !name.includes(values.only)) continue
      const originals = new Map<string, string>()
      for (const { file, find, replace } of edits) {
        const path = join(directory, file)
        const text = await readFile(path, 'utf8')
        if (!originals.has(path)) originals.set(path, text)
        if (!text.includes(find)) throw new Error(`${name}: ${file} no longer has ${JSON.stringify(find)}`)
        await writeFile(path, text.replaceAll(find, replace))
      }
      const found = await simulate(directory)
      rows.push([name, found])
      for (const [path, text] of originals) await writeFile(path, text)
      const seen = [...found.byInvariant]
        .sort((a, b) => b[1] - a[1])
        .map(([invariant, times]) => `${invariant} (${times})`)
        .join(', ')
      process.stdout.write(
        `${name.padEnd(48)}${found.lives === 0 ? 'unnoticed' : `${found.lives} of ${values.seeds} lives, invariants ${seen}`}\n${found.first === '' ? '' : `    ${found.first.slice(0, 200)}\n`}`,
      )
    }
    const isClean = rows.every(([name, { lives }]) => name.startsWith('nothing') === (lives === 0))
    process.exitCode = isClean ? 0 : 1
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
