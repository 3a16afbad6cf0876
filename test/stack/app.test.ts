import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runApp } from './run-app.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-app-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const configFile = (config: unknown): string => {
  const file = path.join(mkdtempSync(path.join(scratch, 'config-')), 'config.json')
  writeFileSync(file, JSON.stringify(config))
  return file
}

/** What it synthesises is looked at where it is deployed from. */
describe('the CDK program', () => {
  test('refuses live mode that was not meant, in a sentence and without a stack trace', async () => {
    const { code, output, outdir } = await runApp(scratch, { config: configFile({ mode: 'live' }) })
    expect(code).toBe(2)
    expect(output).toMatch(/^mode = live: this would trade real money; .*-c live=yes-i-mean-it/)
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(readdirSync(outdir)).toEqual([])
  })
})
