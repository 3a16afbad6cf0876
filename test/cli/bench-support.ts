import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import type { z } from 'zod'
import { runCli } from '../../lib/cli/run-cli.ts'
import { randomWalkBars } from '../support/random-walk.ts'

export const FROM = Date.parse('2024-01-01T00:00:00Z')

/** A directory of its own for a test file, and what is written into it. */
export function createBench() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-bench-'))
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))
  let directories = 0
  const newDirectory = (): string => path.join(scratch, `data-${directories++}`)
  const file = (name: string, content: string): string => {
    const target = path.join(scratch, name)
    writeFileSync(target, content)
    return target
  }
  async function run(
    args: string[],
    {
      env = {},
      isInteractive = false,
      cores = 1,
    }: { env?: Record<string, string>; isInteractive?: boolean; cores?: number } = {},
  ) {
    const out: string[] = []
    const err: string[] = []
    let now = Date.parse('2026-11-02T10:07:30Z')
    const code = await runCli(args, {
      stdout: (text) => out.push(text),
      stderr: (text) => err.push(text),
      env,
      clock: () => (now += 60),
      newId: () => 'id',
      sleep: async () => {},
      isInteractive,
      cores,
    })
    return { code, stdout: out.join(''), stderr: err.join('') }
  }
  async function json<T>(
    schema: z.ZodType<T>,
    args: string[],
    options?: Parameters<typeof run>[1],
  ): Promise<{ code: number; document: T; stderr: string }> {
    const { code, stdout, stderr } = await run([...args, '--json'], options)
    if (stdout === '') throw new Error(`no document: ${stderr.slice(-600)}`)
    return { code, document: schema.parse(JSON.parse(stdout)), stderr }
  }
  return { scratch, newDirectory, file, run, json }
}

/** A random walk as a candle file. */
export const candleCsv = (days: number, seed = 1): string =>
  [
    'timestamp,open,high,low,close,volume',
    ...randomWalkBars(FROM, days * 1_440, { seed }).map(({ time, open, high, low, close, volume }) =>
      [time, open, high, low, close, volume].join(','),
    ),
  ].join('\n')
