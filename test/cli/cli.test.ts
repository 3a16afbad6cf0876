import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { runCli } from '../../lib/cli/run-cli.ts'
import { RULES } from '../../lib/guard/rules.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import {
  CycleReport,
  DoctorReport,
  EnforcementReport,
  GuardReport,
  HaltReport,
  LiveReport,
  ReconcileReport,
  StatusReport,
  TradesReport,
} from '../../schemas/cli.ts'
import { ReplayReport } from '../../schemas/replay.ts'
import { minuteBars } from '../support/array-market.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-cli-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const ENTRY_SLOT = '2026-11-02T10:00:00Z'
let directories = 0
const newDirectory = (): string => path.join(scratch, `data-${directories++}`)

async function run(
  args: string[],
  {
    env = {},
    clock = () => Date.parse('2026-11-02T10:07:30Z'),
  }: { env?: Record<string, string>; clock?: () => number } = {},
) {
  const out: string[] = []
  const err: string[] = []
  let ids = 0
  const code = await runCli(args, {
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    env,
    clock,
    newId: () => `id-${ids++}`,
    sleep: async () => {},
  })
  return { code, stdout: out.join(''), stderr: err.join('') }
}

async function json<T>(
  schema: z.ZodType<T>,
  args: string[],
  options?: Parameters<typeof run>[1],
): Promise<{ code: number; document: T }> {
  const { code, stdout } = await run([...args, '--json'], options)
  return { code, document: schema.parse(JSON.parse(stdout)) }
}

/** The hash of the prompt a cycle would put, from a dry run with a file of no answers. */
async function promptHashAt(instant: string): Promise<string> {
  const config = file(
    'no-answers.json',
    JSON.stringify({ decider: { kind: 'recorded', file: file('no-answers.jsonl', '') } }),
  )
  const { stdout } = await run([
    'cycle',
    '--dry-run',
    '--config',
    config,
    '--at',
    instant,
    '--data-dir',
    newDirectory(),
  ])
  return /[0-9a-f]{64}/.exec(stdout)?.[0] ?? `no hash in: ${stdout}`
}

const file = (name: string, content: string | Buffer): string => {
  const target = path.join(scratch, name)
  writeFileSync(target, content)
  return target
}

describe('a life on the command line', () => {
  const data = newDirectory()
  const at = (instant: string) => ['--data-dir', data, '--at', instant]

  it('cycle enters, says everything a person wants to know, and the JSON is what its schema says', async () => {
    const { code, stdout } = await run(['cycle', ...at(ENTRY_SLOT), '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toContain('would buy')
    const { document } = await json(CycleReport, ['cycle', ...at(ENTRY_SLOT)])
    expect(document).toMatchObject({
      cycleId: 'eth-perp-20261102T1000Z',
      slot: ENTRY_SLOT,
      mode: 'paper',
      decider: 'rules',
      outcome: 'entered',
      order: { kind: 'entry' },
      position: { side: 'long', protection: 'live' },
      record: { table: 'hourhand', sk: `CYCLE#${ENTRY_SLOT}` },
    })
    expect(document.verdicts).toHaveLength(RULES.length)
  })

  it('a cycle at an interval of 15 seconds has an id that tells its slot to the second, and is explained under it', async () => {
    const there = ['--data-dir', newDirectory()]
    const { document } = await json(CycleReport, [
      'cycle',
      '--interval',
      '15s',
      '--at',
      '2026-11-02T10:00:20Z',
      ...there,
    ])
    expect(document).toMatchObject({ cycleId: 'eth-perp-20261102T100015Z', slot: '2026-11-02T10:00:15Z' })
    const { code, stdout } = await run(['explain', 'eth-perp-20261102T100015Z', ...there])
    expect(code).toBe(0)
    expect(stdout.match(/the same bytes/g)?.length).toBeGreaterThanOrEqual(2)
    expect(await run(['cycle', '--interval', '5s', ...there])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('interval = "5s": expected a duration from 10s to 1d'),
    })
  })

  it('the same slot again is skipped, and shows what is held', async () => {
    const { code, document } = await json(CycleReport, ['cycle', ...at('2026-11-02T10:05:00Z')])
    expect(code).toBe(0)
    expect(document).toMatchObject({ outcome: 'skipped', order: null, position: { side: 'long' } })
  })

  it('status shows ledger and venue side by side', async () => {
    const { document } = await json(StatusReport, ['status', ...at('2026-11-02T10:10:00Z')])
    expect(document.comparison.every(({ agrees }) => agrees)).toBe(true)
    expect(document).toMatchObject({ phase: 'open', venue: { name: 'paper', position: { side: 'long' } } })
    expect((await run(['status', ...at('2026-11-02T10:10:00Z')])).stdout).toMatch(/live exits +1 +1/)
  })

  it('enforce finds the stop that fired; trades has it, as table, CSV and JSON', async () => {
    expect((await json(EnforcementReport, ['enforce', ...at('2026-11-02T10:15:00Z')])).document).toMatchObject({
      outcome: 'watched',
      barsSeen: 15,
    })
    expect((await json(EnforcementReport, ['enforce', ...at('2026-11-02T10:45:00Z')])).document).toMatchObject({
      outcome: 'closed',
      exit: 'stop_loss',
      phase: 'flat',
      position: null,
    })
    const { document } = await json(TradesReport, ['trades', ...at('2026-11-02T10:45:00Z')])
    expect(document.trades).toMatchObject([{ exitReason: 'stop_loss', side: 'long' }])
    const csv = (await run(['trades', '--csv', ...at('2026-11-02T10:45:00Z')])).stdout.trim().split('\n')
    expect(csv).toHaveLength(2)
    expect(csv[1]?.split(',')).toHaveLength(csv[0]?.split(',').length ?? 0)
    expect((await run(['trades', ...at('2026-11-02T10:45:00Z')])).stdout).toContain('1 trades')
  })

  it('explain tells the story from the record alone, and reproduces it', async () => {
    const { code, stdout } = await run(['explain', 'eth-perp-20261102T1000Z', '--data-dir', data])
    expect(code).toBe(0)
    expect(stdout).toContain('open_long')
    expect(stdout.match(/the same bytes/g)).toHaveLength(3)
    expect(await run(['explain', 'eth-perp-20261102T1030Z', '--data-dir', data])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not in this database'),
    })
    expect(await run(['explain', 'nonsense', '--data-dir', data])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CYCLE_ID'),
    })
  })

  it('halt keeps entries out until resume', async () => {
    expect(
      (await json(HaltReport, ['halt', '--reason', 'lunch', ...at('2026-11-02T10:50:00Z')])).document.halt,
    ).toMatchObject({ by: 'operator', reason: 'lunch' })
    expect((await json(CycleReport, ['cycle', ...at('2026-11-02T11:00:00Z')])).document).toMatchObject({
      outcome: 'halted',
      verdicts: [],
    })
    expect((await json(HaltReport, ['resume', ...at('2026-11-02T11:10:00Z')])).document.halt).toBeNull()
    expect((await json(CycleReport, ['cycle', ...at('2026-11-02T11:30:00Z')])).document.outcome).not.toBe('halted')
  })

  it('halt --flatten on paper is flat; reconcile finds nothing to do; live says what is missing', async () => {
    expect((await json(HaltReport, ['halt', '--flatten', ...at('2026-11-02T11:32:00Z')])).document).toMatchObject({
      phase: 'flat',
      flatten: { isFlat: true, held: [] },
    })
    expect((await json(HaltReport, ['resume', ...at('2026-11-02T11:33:00Z')])).document.halt).toBeNull()
    expect(await json(ReconcileReport, ['reconcile', ...at('2026-11-02T11:34:00Z')])).toMatchObject({
      code: 0,
      document: { phase: 'flat', notes: [], differencesBefore: [], differencesAfter: [] },
    })
    const live = await json(LiveReport, ['live', ...at('2026-11-02T11:35:00Z')])
    expect(live).toMatchObject({
      code: 1,
      document: { isEarned: false, mode: 'paper', clearance: { paper: { cycles: 0, days: 0 } } },
    })
    expect((await run(['live', ...at('2026-11-02T11:35:00Z')])).stdout).toMatch(/NO +paper_days +0 of 14 days/)
  })

  it('doctor finds nothing wrong after a day on paper', async () => {
    const { code, document } = await json(DoctorReport, ['doctor', '--data-dir', data, '--at', '2026-11-02T11:40:00Z'])
    expect(document.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(code).toBe(0)
  })
})

describe('the contract', () => {
  it('npm start enters: what the README shows is what a newcomer sees', async () => {
    const { scripts } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
      scripts: { start: string }
    }
    const args = scripts.start.replace('tsx bin/hourhand.ts ', '').split(' ')
    const data = newDirectory()
    const { code, stdout } = await run([...args, '--data-dir', data])
    expect(code).toBe(0)
    const readme = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8')
    expect(readme).toContain(stdout.replaceAll(data, '.hourhand').trim())
    for (const part of [
      'Saw',
      'Decided',
      'Guard',
      `${RULES.length} of ${RULES.length} rules pass`,
      'Order',
      'Position',
      'protected: stop',
      'Outcome   entered',
      'Record',
    ])
      expect(stdout).toContain(part)
    for (const { name } of RULES) expect(stdout).toContain(name)
  })

  it('the same command on a fresh directory says the same, byte for byte', async () => {
    const data = newDirectory()
    const first = (await run(['cycle', '--at', ENTRY_SLOT, '--data-dir', data])).stdout
    rmSync(data, { recursive: true })
    expect((await run(['cycle', '--at', ENTRY_SLOT, '--data-dir', data])).stdout).toBe(first)
  })

  it('help everywhere, exit 0', async () => {
    for (const command of [
      [],
      ['cycle'],
      ['enforce'],
      ['status'],
      ['trades'],
      ['explain'],
      ['halt'],
      ['resume'],
      ['reconcile'],
      ['live'],
      ['guard'],
      ['doctor'],
      ['replay'],
      ['sweep'],
      ['compare'],
      ['audit'],
      ['trials'],
      ['evidence'],
    ]) {
      const { code, stdout } = await run([...command, '--help'])
      expect({ command, code }).toEqual({ command, code: 0 })
      expect(stdout).toContain('Usage: hourhand')
    }
  })

  it('guard --explain lists every rule with its limit under the configuration given', async () => {
    const config = file('guard.json', JSON.stringify({ guard: { maxLeverage: 2 } }))
    const { document } = await json(GuardReport, ['guard', '--explain', '--config', config])
    expect(document.rules.map(({ rule }) => rule)).toEqual(RULES.map(({ name }) => name))
    expect(document.rules.find(({ rule }) => rule === 'leverage')?.limit).toContain('2')
    expect((await run(['guard', '--explain'])).stdout).toContain('stop_before_liquidation')
  })

  const wrong: [string, string[], string[]][] = [
    ['unknown command', ['dance'], ['dance']],
    ['unknown option', ['cycle', '--fast'], ['--fast']],
    ['unknown strategy', ['cycle', '--strategy', 'moon'], ['moon', 'eth-perp']],
    ['unknown decider', ['cycle', '--decider', 'oracle'], ['decider', 'oracle']],
    ['a time that is none', ['cycle', '--at', 'yesterday'], ['at', 'yesterday', 'ISO 8601']],
    ['a seed that is none', ['cycle', '--seed', '1.5'], ['seed', '1.5', '4294967295']],
    ['a seed that is empty', ['cycle', '--seed', ''], ['seed']],
    ['a venue that cannot be', ['cycle', '--config', 'VENUE'], ['instrument.multiplier', 'above zero']],
    ['a candle file that is not there', ['cycle', '--market', 'no-such.csv'], ['no-such.csv']],
    ['a configuration that is not there', ['cycle', '--config', 'no-such.json'], ['no-such.json']],
    ['a configuration that is not JSON', ['cycle', '--config', 'BAD'], ['BAD', 'JSON']],
    ['an unknown key', ['cycle', '--config', 'KEY'], ['guard.maxLevrage', '3', 'unknown key']],
    ['a wrong value', ['cycle', '--config', 'VALUE'], ['interval = 45', 'from 10s to 1d']],
    ['a model without its key', ['cycle', '--decider', 'openai', '--at', ENTRY_SLOT], ['OPENAI_API_KEY']],
    ['live mode on a simulated market', ['cycle', '--config', 'LIVE'], ['market.source', 'sim', 'live']],
    [
      'an override of nothing',
      ['live', '--override', 'trust me', '--gate', 'record_sharpe'],
      ['--override', 'trust me', 'no paper record'],
    ],
    [
      'an override of no gate',
      ['live', '--override', 'trust me'],
      ['--override and --gate belong together', 'record_sharpe'],
    ],
    [
      'an override of a gate that nobody may waive',
      ['live', '--override', 'x', '--gate', 'credentials'],
      ['gate = "credentials"', 'record_sharpe'],
    ],
    ['a replay that is none', ['live', '--replay', 'nowhere'], ['nowhere', 'there is no such file']],
    ['an override without a reason', ['live', '--override', ''], ['override']],
    ['a live market in the past', ['cycle', '--market', 'live', '--at', ENTRY_SLOT], ['--at', 'live']],
    ['a replay of nothing', ['replay'], ['--candles']],
  ]
  it.each(wrong)('%s: exit 2, and the message names it', async (_name, args, parts) => {
    const files: Record<string, string> = {
      BAD: file('BAD', '{'),
      KEY: file('key.json', '{"guard":{"maxLevrage":3}}'),
      VALUE: file('value.json', '{"interval":45}'),
      LIVE: file('live.json', '{"mode":"live"}'),
      VENUE: file('venue.json', '{"instrument":{"multiplier":"0"}}'),
    }
    const { code, stdout, stderr } = await run([...args.map((arg) => files[arg] ?? arg), '--data-dir', newDirectory()])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    for (const part of parts) expect(stderr).toContain(part)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('a key in the environment never comes out', async () => {
    const secret = 'sk-very-secret-0123456789'
    const config = file(
      'dead-model.json',
      JSON.stringify({ decider: { kind: 'openai', baseUrl: 'http://127.0.0.1:9', maxRetries: 0, timeoutMs: 2_000 } }),
    )
    const { code, stdout, stderr } = await run(
      ['cycle', '--config', config, '--at', ENTRY_SLOT, '--data-dir', newDirectory(), '--json', '--verbose'],
      { env: { OPENAI_API_KEY: secret } },
    )
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'failed', decider: 'openai' })
    expect(stdout + stderr).not.toContain(secret)
  })

  it('a model’s words reach the terminal without its tricks', async () => {
    const answer = {
      action: 'hold',
      stopLossPrice: null,
      takeProfitPrice: null,
      confidence: null,
      invalidation: null,
      rationale: 'quiet\u001b[2J\u001b]0;pwn\u0007 \u202eelpoep\u0000',
    }
    const prompt = await promptHashAt(ENTRY_SLOT)
    const recorded = file('answers.jsonl', `${JSON.stringify({ promptHash: prompt, raw: JSON.stringify(answer) })}\n`)
    const config = file('recorded.json', JSON.stringify({ decider: { kind: 'recorded', file: recorded } }))
    const { code, stdout } = await run(['cycle', '--config', config, '--at', ENTRY_SLOT, '--data-dir', newDirectory()])
    expect({ code, held: stdout.includes('Outcome   held: quiet') }).toEqual({ code: 0, held: true })
    expect(stdout).not.toMatch(/(?![\n\t])[\p{Cc}\u202e]/u)
  })

  it('every option of the contract is taken by every command', async () => {
    for (const command of [
      'cycle',
      'enforce',
      'status',
      'trades',
      'explain',
      'halt',
      'resume',
      'reconcile',
      'live',
      'doctor',
      'guard',
      'replay',
    ]) {
      const { stdout } = await run([command, '--help'])
      for (const option of ['--config', '--data-dir', '--seed', '--json'])
        expect(`${command}: ${stdout}`).toContain(option)
    }
  })

  it('with --json stdout is one document, logs are on stderr', async () => {
    const { stdout, stderr } = await run(['cycle', '--at', ENTRY_SLOT, '--data-dir', newDirectory(), '--json'])
    expect(() => JSON.parse(stdout) as unknown).not.toThrow()
    for (const line of stderr.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), message: expect.any(String) })
  })
})

describe('candle files', () => {
  const from = Date.parse('2026-01-01T00:00:00Z')
  const csv = [
    'timestamp,open,high,low,close,volume',
    ...minuteBars(from, 12 * 1440, 2000, (minute) => 60 * Math.sin(minute / 400)).map(
      ({ time, open, high, low, close, volume }) => [time, open, high, low, close, volume].join(','),
    ),
  ].join('\n')

  it('a cycle on a file acts at its end, or where --at says', async () => {
    const plain = file('bars.csv', csv)
    const zipped = file('bars.csv.gz', gzipSync(csv))
    const atEnd = await json(CycleReport, ['cycle', '--market', plain, '--data-dir', newDirectory()])
    expect(atEnd.document.slot).toBe('2026-01-13T00:00:00Z')
    const there = await json(CycleReport, [
      'cycle',
      '--market',
      zipped,
      '--at',
      '2026-01-10T06:00:00Z',
      '--data-dir',
      newDirectory(),
    ])
    expect(there.document).toMatchObject({
      slot: '2026-01-10T06:00:00Z',
      outcome: expect.stringMatching(/held|entered|refused/),
    })
  })

  it('hourly candles decide hourly, and say so', async () => {
    const bars = minuteBars(from, 20 * 24, 2000, (hour) => 60 * Math.sin(hour / 20)).map((bar, hour) => ({
      ...bar,
      time: from + hour * 60 * MINUTE_MS,
    }))
    const hourly = file(
      'hourly.csv',
      [
        'timestamp,open,high,low,close,volume',
        ...bars.map(({ time, open, high, low, close, volume }) => [time, open, high, low, close, volume].join(',')),
      ].join('\n'),
    )
    const { code, stdout, stderr } = await run([
      'replay',
      '--candles',
      hourly,
      '--random',
      '0',
      '--data-dir',
      newDirectory(),
      '--json',
    ])
    expect(code).toBe(0)
    expect(stderr).toContain('deciding every hour instead of every 30 minutes')
    expect(ReplayReport.parse(JSON.parse(stdout)).config.interval).toBe('1h')
  })
})
