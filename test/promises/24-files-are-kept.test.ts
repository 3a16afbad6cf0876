import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../lib/cli/run-cli.ts'
import { HOUR_MS } from '../../lib/core/time.ts'
import { claimResultDirectory } from '../../lib/replay/claim-result.ts'

const T0 = Date.UTC(2026, 0, 5)
const NOW = Date.UTC(2026, 10, 2)
const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-kept-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...names: string[]): string => path.join(folder, ...names)

async function run(...args: string[]) {
  const output = { stdout: '', stderr: '' }
  const code = await runCli(args, {
    stdout: (text) => (output.stdout += text),
    stderr: (text) => (output.stderr += text),
    env: { OPENAI_API_KEY: 'sk-not-asked-0123456789' },
    clock: () => NOW,
    newId: () => 'id',
    sleep: async () => {},
  })
  return { code, ...output }
}

const candles = (name: string, level: number): string => {
  const rows = Array.from({ length: 300 }, (_, index) => {
    const [open, close] = [level + 40 * Math.sin(index / 9), level + 40 * Math.sin((index + 1) / 9)]
    return `${T0 + index * HOUR_MS},${open.toFixed(1)},${(Math.max(open, close) + 2).toFixed(1)},${(Math.min(open, close) - 2).toFixed(1)},${close.toFixed(1)},5`
  })
  writeFileSync(at(name), ['timestamp,open,high,low,close,volume', ...rows].join('\n'))
  return at(name)
}
const replay = (file: string, out: string, ...more: string[]) =>
  run('replay', '--candles', file, '--out', at(out), '--data-dir', at('data'), '--random', '0', ...more)
const contents = (directory: string) =>
  readdirSync(at(directory))
    .sort()
    .map((name) => [name, readFileSync(at(directory, name), 'utf8')])

describe('files of people are not overwritten', () => {
  let one: string
  let other: string
  beforeAll(() => {
    one = candles('one.csv', 3_000)
    other = candles('other.csv', 2_000)
  })

  it('results of another replay stay until --force says otherwise; the same replay may run again', async () => {
    expect((await replay(one, 'run')).code).toBe(0)
    const before = contents('run')
    expect((await replay(one, 'run')).code).toBe(0)
    const refused = await replay(other, 'run')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/--out .*run: the results of another replay are there; .*--force/),
    ])
    expect(contents('run')).toEqual(before)
    expect((await run('report', '--out', at('run'))).code).toBe(0)
    expect((await replay(other, 'run', '--force')).code).toBe(0)
    // The page told of the replay that is no longer there.
    expect(existsSync(at('run', 'report.html'))).toBe(false)
  })

  it('a directory with files of somebody else is not written into', async () => {
    mkdirSync(at('mine'))
    writeFileSync(at('mine', 'notes.txt'), 'mine')
    const { code, stderr } = await replay(one, 'mine')
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/there is a file that no replay has written \(notes\.txt\)/),
    ])
    expect(readdirSync(at('mine'))).toEqual(['notes.txt'])
    expect((await replay(one, 'mine', '--force')).code).toBe(0)
    expect(readFileSync(at('mine', 'notes.txt'), 'utf8')).toBe('mine')
  })

  it('a table of a report that a person has worked on stays until --force says otherwise', async () => {
    expect((await replay(one, 'worked')).code).toBe(0)
    const report = (...more: string[]) => run('report', '--out', at('worked'), ...more)
    expect((await report()).code).toBe(0)
    expect((await report()).code).toBe(0)
    writeFileSync(at('worked', 'trades.csv'), 'with my remarks')
    const refused = await report()
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/worked: trades\.csv is there already.*--force/),
    ])
    expect(readFileSync(at('worked', 'trades.csv'), 'utf8')).toBe('with my remarks')
    expect((await report('--force')).code).toBe(0)
  })

  it.each([
    ['nothing', {}, null],
    ['what version control keeps', { '.gitkeep': '', '.gitignore': '*' }, null],
    ['this replay, finished', { 'replay.json': '{"trialId":"t"}', 'slots.jsonl': '' }, null],
    ['this replay, broken off', { 'checkpoint.json': '{"key":"k"}', 'slots.jsonl': '' }, null],
    [
      'a replay killed before its first checkpoint',
      { 'slots.jsonl': 'x', 'trades.jsonl': '', 'stories.jsonl': '' },
      null,
    ],
    ['another replay', { 'replay.json': '{"trialId":"u"}' }, /results of another replay/],
    ['a file of that name', { 'replay.json': 'my own' }, /results of another replay/],
    ['another replay, broken off', { 'checkpoint.json': '{"key":"l"}' }, /unfinished replay of other settings/],
    ['a table of that name', { 'trades.csv': 'mine' }, /trades\.csv of something else/],
    ['source code', { 'index.ts': '', src: '' }, /files that no replay has written \(index\.ts, src\)/],
  ])('a directory that holds %s is judged by it', (name, files, message) => {
    const directory = at(`claim ${name}`)
    mkdirSync(directory)
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(directory, file), text)
    const claim = (force: boolean) => () => claimResultDirectory(directory, { key: 'k', trialId: 't', force })
    if (message === null) expect(claim(false)).not.toThrow()
    else expect(claim(false)).toThrow(message)
    expect(claim(true)).not.toThrow()
  })
})

describe('what cannot be read or has no end ends at once, with a sentence', () => {
  const pipe = at('pipe')
  beforeAll(() => {
    execFileSync('mkfifo', [pipe])
    writeFileSync(at('huge.csv'), '')
    truncateSync(at('huge.csv'), 3_000_000_000)
  })
  const good = (): string => at('one.csv')
  const walks: [string, string, (file: string) => string[]][] = [
    ['candles', '', (file) => ['replay', '--candles', file]],
    ['funding', '', (file) => ['replay', '--candles', good(), '--funding', file]],
    ['headlines', '', (file) => ['replay', '--candles', good(), '--news', file]],
    ['a configuration', '', (file) => ['replay', '--candles', good(), '--config', file]],
    ['a grid', '', (file) => ['sweep', '--candles', good(), '--grid', file]],
    [
      'recordings',
      '',
      (file) => ['replay', '--candles', good(), '--decider', 'openai', '--record', '--recordings', file],
    ],
  ]
  const odd: [string, () => string, RegExp][] = [
    ['a pipe', () => pipe, /this is a pipe, not a file|is a pipe/],
    ['a device', () => '/dev/zero', /this is a device, not a file|cannot be opened|is a device/],
    ['a path below a file', () => at('one.csv', 'x'), /there is no such file|is no directory|cannot be opened/],
    ['a file of three gigabytes', () => at('huge.csv'), /3000 MB, more than the \d+ MB|is no(?:t| JSON)|cannot be/],
  ]
  it.each(
    walks.flatMap(([what, , args]) => odd.map(([kind, file, message]) => [kind, what, args, file, message] as const)),
  )(
    '%s given for %s',
    async (_kind, _what, args, file, message) => {
      const { code, stderr } = await run(...args(file()), '--data-dir', at('data'))
      expect(stderr).toMatch(message)
      expect(code).toBe(2)
    },
    5_000,
  )

  it.each(['9998-12-31T00:00:00Z', '2300-01-01T00:00:00Z', '1999-01-01T00:00:00Z'])(
    'the simulated market has no %s, and says so at once',
    async (instant) => {
      const { code, stderr } = await run('cycle', '--market', 'sim', '--at', instant, '--data-dir', at('sim'))
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/simulated market lasts from 2020-01-01T00:00:00Z to 2070/),
      ])
    },
    5_000,
  )
})
