import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEmfTelemetry } from '../../lib/telemetry/emf-telemetry.ts'
import { createJsonTelemetry } from '../../lib/telemetry/json-telemetry.ts'
import { createTextTelemetry } from '../../lib/telemetry/text-telemetry.ts'
import type { LogFields, LogLevel } from '../../lib/telemetry/telemetry.ts'
import { remember } from './support.ts'
import { anyCharacter } from '../support/any-character.ts'

const clock = () => Date.UTC(2026, 0, 9, 9, 30)
const pem = `-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIObsmZabcdefghij0123456789\nAoGCCqGSM49klmnopqrstuvwxyz98765==\n-----END EC PRIVATE KEY-----\n`
const secrets = ['sk-proj-Ab/9+x y"q', pem]

const jsonLine = (fields: LogFields, options: { secrets?: string[]; base?: LogFields } = {}) => {
  const lines: string[] = []
  createJsonTelemetry({ write: (line) => lines.push(line), clock, secrets, ...options }).log('info', 'hello', fields)
  return lines[0] ?? ''
}
const jsonOf = (fields: LogFields, options: { secrets?: string[]; base?: LogFields } = {}) =>
  JSON.parse(jsonLine(fields, options)) as Record<string, unknown>

describe('a log line', () => {
  test('is one JSON object with time, level, message, base and fields', () => {
    expect(jsonOf({ slot: 'x', n: 1 }, { base: { strategy: 'eth-perp' } })).toEqual({
      time: '2026-01-09T09:30:00Z',
      level: 'info',
      message: 'hello',
      strategy: 'eth-perp',
      slot: 'x',
      n: 1,
    })
    expect(jsonLine({ text: 'a\nb\r\nc' })).not.toMatch(/[\r\n]/)
  })

  test('keeps its own names to itself', () => {
    expect(jsonOf({ level: 'x', message: 'y', time: 'z' })).toMatchObject({
      level: 'info',
      message: 'hello',
      level_: 'x',
      message_: 'y',
      time_: 'z',
    })
  })

  test.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ] as [LogLevel, number][])('from level %s on', (level, count) => {
    const lines: string[] = []
    const telemetry = createJsonTelemetry({ write: (line) => lines.push(line), clock, level })
    for (const each of ['debug', 'info', 'warn', 'error'] as const) telemetry.log(each, 'x')
    expect(lines).toHaveLength(count)
  })

  test('shows an error with name, message, code, stack and causes', () => {
    const root = Object.assign(new TypeError('root'), { code: 'ECONNREFUSED' })
    const error = new Error('top', { cause: new AggregateError([root, new RangeError('other')], 'several') })
    const { error: shown } = jsonOf({ error })
    expect(shown).toMatchObject({
      name: 'Error',
      message: 'top',
      stack: expect.stringContaining('telemetry.test') as unknown,
      cause: {
        name: 'AggregateError',
        errors: [{ name: 'TypeError', message: 'root', code: 'ECONNREFUSED' }, { name: 'RangeError' }],
      },
    })
  })

  test('a log line survives values that cannot be written', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const hostile = {
      get x(): never {
        throw new Error('no')
      },
      toJSON: 1,
    }
    const throwing = {
      toJSON() {
        throw new Error('no')
      },
    }
    const shown = jsonOf({
      circular,
      hostile,
      throwing,
      big: 5n,
      nan: Number.NaN,
      map: new Map([['a', 1]]),
      set: new Set([1]),
      bytes: Buffer.from('abc'),
      fn: () => 1,
      none: undefined,
      date: new Date(0),
      symbol: Symbol('s'),
    })
    expect(shown).toMatchObject({
      circular: { self: '[circular]' },
      hostile: { x: '[unreadable]', toJSON: 1 },
      throwing: '[unreadable]',
      big: '5',
      nan: 'NaN',
      map: { a: 1 },
      set: [1],
      bytes: '[3 bytes]',
      fn: '[function]',
      date: '1970-01-01T00:00:00.000Z',
    })
  })

  test('is bounded in depth, width and length', () => {
    let deep: unknown = 'bottom'
    for (let index = 0; index < 50; index += 1) deep = { deep }
    const line = jsonLine({
      deep,
      wide: Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)),
      long: 'y'.repeat(1_000_000),
      keys: Object.fromEntries(Array.from({ length: 1_000 }, (_, key) => [`k${key}`, key])),
    })
    expect(line.length).toBeLessThan(70_000)
    expect(jsonOf({ deep })['deep']).toMatchObject({ deep: { deep: { deep: { deep: { deep: '[deeper]' } } } } })
    expect(String(jsonOf({ long: 'y'.repeat(10_000) })['long'])).toMatch(/^y+… \(10000 characters\)$/)
  })

  test('that cannot be written costs only itself', () => {
    const telemetry = createJsonTelemetry({
      write: () => {
        throw new Error('EPIPE')
      },
      clock,
    })
    expect(() => telemetry.log('error', 'x')).not.toThrow()
  })
})

describe('secrets never come out', () => {
  const [key] = secrets as [string, string]
  const keyLine = pem.split('\n')[1] ?? ''
  test.each<[string, unknown]>([
    ['as they are', `Bearer ${key}!`],
    ['in an error', new Error(`bad key ${key}`)],
    ['in a cause of a cause', new Error('x', { cause: new Error('y', { cause: new Error(key) }) })],
    ['in a cause that is no error', new Error('x', { cause: { headers: { authorization: key } } })],
    ['URL-encoded', `https://x.org/?key=${encodeURIComponent(key)}`],
    ['URL-encoded in lower case', `https://x.org/?key=${encodeURIComponent(key).replaceAll('%2F', '%2f')}`],
    ['as form data', `key=${new URLSearchParams({ k: key }).toString().slice(2)}`],
    ['JSON-escaped', JSON.stringify({ key })],
    ['JSON-escaped twice', JSON.stringify(JSON.stringify({ key }))],
    ['in base64', Buffer.from(key).toString('base64')],
    ['in a key', { [key]: 1 }],
    ['in a list', [[key]]],
    ['in a map', new Map([[key, key]])],
    ['a key file', pem],
    ['a key file on one line', pem.replaceAll('\n', '\\n')],
    ['a line of a key file', `unexpected ${keyLine}`],
    ['before a cut', 'x'.repeat(7_995) + key],
  ])('%s', (_name, value) => {
    const text = jsonLine({ value })
    const parts = [
      key,
      key.slice(0, 12),
      JSON.stringify(key).slice(1, -1),
      encodeURIComponent(key),
      Buffer.from(key).toString('base64'),
      keyLine,
    ]
    for (const part of parts) expect(text).not.toContain(part)
    expect(text).toMatch(/\[redacted\]|characters/)
  })

  test('also in messages, numbers and the text for people', () => {
    const lines: string[] = []
    const options = { write: (line: string) => void lines.push(line), clock, secrets: ['open-sesame', '12345678'] }
    for (const telemetry of [createJsonTelemetry(options), createTextTelemetry(options)])
      telemetry.log('error', 'say open-sesame', { pin: 12_345_678, error: new Error('open-sesame') })
    for (const line of lines) expect(line).not.toMatch(/sesame|12345678/)
  })

  test('an empty secret redacts nothing', () => {
    expect(jsonOf({ a: 'b' }, { secrets: ['', ' '] })).toMatchObject({ a: 'b', message: 'hello' })
  })

  test('whatever they are and wherever they hide', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40, unit: anyCharacter }).filter((text) => text.trim().length >= 8),
        fc.string(),
        fc.constantFrom('plain', 'url', 'json', 'error', 'key'),
        (secret, around, place) => {
          const text = `${around}${place === 'url' ? encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '')) : place === 'json' ? JSON.stringify(secret) : secret}${around}`
          const line = jsonLine(
            { value: place === 'error' ? new Error(text) : place === 'key' ? { [text]: 1 } : text },
            { secrets: [secret] },
          )
          const everything: string[] = []
          JSON.parse(line, (name: string, value: unknown) => void everything.push(name, String(value)))
          expect(line).toContain('redacted')
          for (const each of everything) expect(each).not.toContain(secret.trim())
        },
      ),
      { seed: 7, numRuns: 300 },
    )
  })
})

const emf = () => {
  const lines: string[] = []
  const { telemetry: log, logs } = remember()
  return {
    lines,
    logs,
    telemetry: createEmfTelemetry({ log, write: (line) => lines.push(line), clock, strategyId: 'eth-perp' }),
  }
}

describe('metrics', () => {
  test('are lines in the embedded metric format', () => {
    const { telemetry, lines, logs } = emf()
    telemetry.metric('halted', 1, 'Count')
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      _aws: {
        Timestamp: clock(),
        CloudWatchMetrics: [
          { Namespace: 'Hourhand', Dimensions: [['strategy']], Metrics: [{ Name: 'halted', Unit: 'Count' }] },
        ],
      },
      strategy: 'eth-perp',
      halted: 1,
    })
    telemetry.log('info', 'x', { a: 1 })
    expect(logs).toEqual([{ level: 'info', message: 'x', fields: { a: 1 } }])
  })

  test.each<[string, number]>([
    ['strategy', 1],
    ['_aws', 1],
    ['', 1],
    ['a b', 1],
    ['ok', Number.NaN],
    ['ok', Number.POSITIVE_INFINITY],
  ])('%s = %f is dropped and said so', (name, value) => {
    const { telemetry, lines, logs } = emf()
    telemetry.metric(name, value, 'None')
    expect(lines).toEqual([])
    expect(logs).toMatchObject([{ level: 'warn' }])
  })
})

const textLine = (fields: LogFields, message = 'hello') => {
  const lines: string[] = []
  createTextTelemetry({ write: (line) => lines.push(line), clock, base: { strategy: 'eth' } }).log(
    'warn',
    message,
    fields,
  )
  return lines[0]
}

describe('text for people', () => {
  test('is one short line', () => {
    expect(textLine({ n: 1, text: 'a b', error: new RangeError('x'), list: [1, 2], none: undefined })).toBe(
      '09:30:00 warn  hello strategy=eth n=1 text="a b" error="RangeError: x" list=[1,2]',
    )
    expect(textLine({ long: 'x'.repeat(1_000) })?.length).toBeLessThan(220)
  })

  test('a line for people holds no control characters', () => {
    expect(textLine({ x: '\u001b[2J\u202e' }, 'a\u001b]0;title\u0007\nb')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})
