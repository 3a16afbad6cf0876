import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ReportWritten } from '../../schemas/cli.ts'
import { Metrics } from '../../schemas/metrics.ts'
import { candleCsv, createBench } from './bench-support.ts'

const { newDirectory, file, run, json } = createBench()
const CANDLES = file('candles.csv', candleCsv(4, 9))
const EAGER = file(
  'eager.json',
  JSON.stringify({ guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40, minStopAtr: 0.1 } }),
)
const FILES = ['report.html', 'trades.csv', 'equity.csv', 'metrics.json'] as const
const read = (out: string, name: string): string => readFileSync(path.join(out, name), 'utf8')

describe('hourhand report', () => {
  it('of a replay: one page that asks nobody for anything, and tables that say the same', async () => {
    const out = path.join(newDirectory(), 'out')
    await run([
      'replay',
      '--candles',
      CANDLES,
      '--config',
      EAGER,
      '--from',
      '2024-01-02T00:00:00Z',
      '--out',
      out,
      '--data-dir',
      newDirectory(),
      '--random',
      '2',
    ])
    const { code, document } = await json(ReportWritten, ['report', '--out', out])
    expect(code).toBe(0)
    expect(document.files).toEqual([...FILES])
    const html = read(out, 'report.html')
    expect(Buffer.byteLength(html)).toBe(document.bytes)
    expect(html).toContain("default-src 'none'")
    expect(html).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?(?:https?:)?\/\//i)
    const metrics = Metrics.parse(JSON.parse(read(out, 'metrics.json')))
    expect(read(out, 'trades.csv').trim().split('\n')).toHaveLength(metrics.trades + 1)
    expect(read(out, 'equity.csv').trim().split('\n')).toHaveLength(3 * 48 + 1)
    const before = FILES.map((name) => read(out, name))
    expect((await run(['report', '--out', out])).stdout).toContain('report.html')
    expect(FILES.map((name) => read(out, name))).toEqual(before)
  })

  it('of what a strategy has done: from its database', async () => {
    const data = newDirectory()
    for (const at of ['2026-11-02T10:00:00Z', '2026-11-02T10:30:00Z', '2026-11-02T11:00:00Z'])
      await run(['cycle', '--data-dir', data, '--at', at])
    await run(['enforce', '--data-dir', data, '--at', '2026-11-02T11:20:00Z'])
    const out = path.join(data, 'report')
    const { code, document } = await json(ReportWritten, [
      'report',
      '--database',
      '--out',
      out,
      '--data-dir',
      data,
      '--at',
      '2026-11-02T11:30:00Z',
    ])
    expect(code).toBe(0)
    expect(document.metrics?.trades).toBeGreaterThan(0)
    expect(document.gates.find(({ gate }) => gate === 'beats_holding')?.result).toBe('not_enough_evidence')
    expect(read(out, 'report.html')).toContain('2026-11-02')
    const evidence = await run(['evidence', '--data-dir', data, '--at', '2026-11-02T11:30:00Z', '--json'])
    expect(JSON.parse(evidence.stdout)).toMatchObject({
      sizing: { evidence: { settingsHash: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    })
  })

  it.each([
    ['a directory without a result', ['report', '--out', 'NONE'], ['replay.json', '--out']],
    ['no directory', ['report'], ['--out']],
    [
      'a data directory without a database',
      ['report', '--database', '--out', 'NONE', '--data-dir', 'EMPTY'],
      ['there is no database', '--data-dir'],
      1,
    ],
    ['no database to size by', ['evidence', '--data-dir', 'EMPTY'], ['there is no database', '--data-dir'], 1],
  ])('%s is told with the remedy', async (_name, args, parts, expected = 2) => {
    const { code, stderr } = await run(args.map((arg) => (arg === 'NONE' || arg === 'EMPTY' ? newDirectory() : arg)))
    expect(code).toBe(expected)
    for (const part of parts) expect(stderr).toContain(part)
  })

  it('of a replay that was broken off says how to go on', async () => {
    const out = newDirectory()
    await run([
      'replay',
      '--candles',
      CANDLES,
      '--config',
      EAGER,
      '--from',
      '2024-01-02T00:00:00Z',
      '--out',
      out,
      '--data-dir',
      newDirectory(),
      '--random',
      '0',
    ])
    const { writeFileSync } = await import('node:fs')
    writeFileSync(path.join(out, 'checkpoint.json'), '{}')
    expect(await run(['report', '--out', out])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('goes on from where it was'),
    })
  })
})
