import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundleCli } from './bundle-cli.ts'

/** `caught`: killed while its database was being made; `stuck`: of these, those after which no later run worked. */
export type FirstRuns = { runs: number; caught: number; stuck: number; said: readonly string[] }

/**
 * Begins a life with an empty data directory and kills it as soon as the database's log shows that its table is
 * being made; then looks whether the next run finds its way.
 */
export async function killFirstRuns(runs: number): Promise<FirstRuns> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-first-'))
  const result = { runs, caught: 0, stuck: 0, said: new Set<string>() }
  try {
    const program = await bundleCli(path.join(scratch, 'cli'))
    for (let run = 0; run < runs; run++) {
      const dataDir = path.join(scratch, `data-${run}`)
      const args = [
        program,
        'cycle',
        '--market',
        'sim',
        '--decider',
        'rules',
        '--at',
        '2026-11-02T10:00:00Z',
        '--data-dir',
        dataDir,
      ]
      await killWhen(args, () => logOf(dataDir).includes('"CREATING"'))
      if (logOf(dataDir).includes('"ACTIVE"')) continue
      result.caught += 1
      const { code, stderr } = await killWhen(args, () => false)
      if (code === 0) continue
      result.stuck += 1
      result.said.add(stderr.trim())
    }
    return { ...result, said: [...result.said] }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Everything in the database's write-ahead log, as far as it has been written. */
function logOf(dataDir: string): string {
  const directory = path.join(dataDir, 'db')
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .map((name) => readFileSync(path.join(directory, name), 'latin1'))
      .join('')
  } catch {
    return ''
  }
}

function killWhen(args: readonly string[], isTime: () => boolean): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    let isOver = false
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) => {
      isOver = true
      resolve({ code, stderr })
    })
    const look = (): void => {
      if (isOver) return
      if (isTime()) child.kill('SIGKILL')
      else setImmediate(look)
    }
    look()
  })
}
