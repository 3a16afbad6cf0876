import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { recordTrial } from '../../lib/evidence/trial-ledger.ts'
import { startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import { makeWritable } from '../../lib/store/make-writable.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-directory-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const at = (...parts: string[]): string => path.join(scratch, ...parts)
const ROOT = path.resolve(import.meta.dirname, '../..')
const CANDLES = at('bars.csv')
writeFileSync(at('file'), 'not a directory')
writeFileSync(
  CANDLES,
  [
    'timestamp,open,high,low,close,volume',
    ...Array.from(
      { length: 3_000 },
      (_, hour) => `${Date.parse('2026-01-01T00:00:00Z') + hour * 3_600_000},2000,2009,1991,2000,1`,
    ),
  ].join('\n'),
)
symlinkSync(at('nothing'), at('dangling'))
symlinkSync(at('circle'), at('circle'))
execFileSync('mkfifo', [at('fifo')])

/** Places where no data directory can be, and the words that say why. */
const IMPOSSIBLE: [string, string, string][] = [
  ['a regular file', at('file'), 'it is no directory'],
  ['a path below a regular file', at('file', 'deeper', 'still'), `${at('file')} is no directory`],
  ['a device', '/dev/null', 'it is no directory'],
  ['a path below a device', '/dev/null/data', '/dev/null is no directory'],
  ['a named pipe', at('fifo'), 'it is no directory'],
  ['a link to nothing', at('dangling'), 'link to nothing'],
  ['a link to itself', at('circle'), 'leads to itself'],
  ['a name that is too long', at('x'.repeat(300)), 'the name is too long'],
  ['a name with a NUL in it', at('a\0b'), 'null bytes'],
  ...(existsSync('/proc/1')
    ? [
        ['a file system that takes no new directories', '/proc/nope/data', '/proc/nope/data'] as [
          string,
          string,
          string,
        ],
      ]
    : []),
]

describe('a data directory that cannot be', () => {
  it.each(IMPOSSIBLE)('%s ends at once with a sentence that names option, path and reason', async (_what, dir, why) => {
    const began = performance.now()
    for (const attempt of [
      async () => makeWritable(dir, '--data-dir'),
      () => startEmbeddedDynamo(dir),
      async () => recordTrial(dir),
    ]) {
      const error = await attempt().then(
        () => 'no error',
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(UsageError)
      const { message } = error as UsageError
      expect(message.startsWith(`--data-dir ${dir} cannot be made: `) && message.includes(why) ? 'said' : message).toBe(
        'said',
      )
      expect(message).toContain('choose another with --data-dir')
    }
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('a directory that is there and cannot be written is refused before any work is done', () => {
    const locked = at('locked')
    mkdirSync(locked)
    chmodSync(locked, 0o500)
    // A super-user may write everywhere but where the file system itself says no.
    const directory = process.getuid?.() === 0 ? '/proc/self' : locked
    expect(() => makeWritable(directory, '--out')).toThrow(
      new RegExp(`^--out ${directory} cannot be written: .*; choose another with --out$`),
    )
    chmodSync(locked, 0o700)
  })

  it('directories above it are made, and nothing but the database stays in it', async () => {
    const directory = at('new', 'and', 'deep')
    const embedded = await startEmbeddedDynamo(directory)
    await embedded.close()
    expect(readdirSync(directory)).toEqual(['db'])
  })

  it.each([
    ['a named pipe in the place of its lock', 'lock', 'is no file'],
    ['a file in the place of its database', 'db', 'is no directory'],
  ])('%s ends at once with a sentence', async (_what, name, why) => {
    const directory = at(`with-${name}`)
    mkdirSync(directory)
    if (name === 'lock') execFileSync('mkfifo', [path.join(directory, name)])
    else writeFileSync(path.join(directory, name), 'x')
    await expect(startEmbeddedDynamo(directory)).rejects.toThrow(
      `--data-dir ${directory} is no data directory: ${path.join(directory, name)} ${why}`,
    )
  })
})

describe('the command line', () => {
  const hourhand = (args: readonly string[]) =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'bin/hourhand.ts', ...args], {
        cwd: ROOT,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const limit = setTimeout(() => child.kill('SIGKILL'), 20_000)
      let stderr = ''
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
      child.on('close', (code) => {
        clearTimeout(limit)
        resolve({ code, stderr })
      })
    })

  it('every command that writes below a data directory or a result directory ends with exit 2 and one line', async () => {
    const bad = existsSync('/proc/1') ? '/proc/nope/data' : at('file')
    const commands = [
      ['cycle', '--at', '2026-11-02T10:00:00Z', '--data-dir', bad],
      ['replay', '--candles', CANDLES, '--data-dir', bad],
      ['replay', '--candles', CANDLES, '--data-dir', at('fine'), '--out', bad],
    ]
    const ended = await Promise.all(commands.map(hourhand))
    for (const [index, { code, stderr }] of ended.entries())
      expect([commands[index], code, stderr.replaceAll(/^the candles are hourly.*\n/gm, '')]).toEqual([
        commands[index],
        2,
        expect.stringMatching(
          /^error: --(?:data-dir|out) \S+ cannot be made: .*; choose another with --(?:data-dir|out)\n$/,
        ),
      ])
  }, 60_000)
})
