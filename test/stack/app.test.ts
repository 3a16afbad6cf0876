import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { HANDLERS } from '../../lib/stack/hourhand-stack.ts'

const root = path.resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-app-'))

/** Runs the CDK program as the CDK command line does, without credentials, region or home directory. */
function runApp(context: Record<string, string>): Promise<{ code: number; output: string; outdir: string }> {
  const outdir = mkdtempSync(path.join(scratch, 'out-'))
  const env = { PATH: process.env['PATH'], HOME: scratch, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) }
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { cwd: root, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr, outdir }),
    )
  })
}

const configFile = (config: unknown): string => {
  const file = path.join(mkdtempSync(path.join(scratch, 'config-')), 'config.json')
  writeFileSync(file, JSON.stringify(config))
  return file
}

describe('the CDK program', () => {
  test('refuses live mode that was not meant, in a sentence and without a stack trace', async () => {
    const { code, output, outdir } = await runApp({ config: configFile({ mode: 'live' }) })
    expect(code).toBe(2)
    expect(output).toMatch(/^mode = live: this would trade real money; .*-c live=yes-i-mean-it/)
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(readdirSync(outdir)).toEqual([])
  })

  test('refuses a wrong configuration with path and value', async () => {
    const { code, output } = await runApp({ config: configFile({ guard: { maxLeverage: 50 } }) })
    expect([code, output]).toEqual([2, expect.stringMatching(/guard\.maxLeverage = 50/)])
  })

  test.skipIf(!Object.values(HANDLERS).every((file) => existsSync(path.join(root, file))))('synthesises without network or credentials, the same each time, in silence', async () => {
    const runs = await Promise.all([runApp({ alarmEmail: 'owner@example.org' }), runApp({ alarmEmail: 'owner@example.org' })])
    for (const { code, output } of runs) expect([code, output]).toEqual([0, ''])
    const templates = runs.map(({ outdir }) => readFileSync(path.join(outdir, 'Hourhand-eth-perp.template.json'), 'utf8'))
    expect(templates[1]).toBe(templates[0])
    expect(templates[0]).toContain('hourhand-eth-perp-cycle')
  })
})
