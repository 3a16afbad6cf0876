import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../lib/cli/run-cli.ts'
import { createCycleHandler, createEnforcementHandler } from '../../lib/compose/handlers.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore } from '../../lib/store/store.ts'
import { createEventBridgeSink } from '../../lib/telemetry/event-bridge.ts'
import { createJsonTelemetry } from '../../lib/telemetry/json-telemetry.ts'
import { createRedactor } from '../../lib/telemetry/redact.ts'
import { redactError } from '../../lib/telemetry/redact-error.ts'
import { redactWords } from '../../lib/telemetry/redact-fields.ts'
import { silentTelemetry } from '../../lib/telemetry/telemetry.ts'
import { createTextTelemetry } from '../../lib/telemetry/text-telemetry.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import { CLOSE, createWorld, SLOT } from '../cycle/world.ts'

/** A secret as services make them: no white space, of several alphabets, punctuation that encodings change. */
const secrets = fc
  .string({ minLength: 8, maxLength: 60, unit: fc.constantFrom(...'abcXYZ0189-_.~/+=&%"\'<>\\$?#é漢') })
  .filter((text) => new Set(text).size > 4)
const around = fc.string({ maxLength: 20 })

const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** How an error, a request or a log of somebody else's repeats a secret. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'percent-encoded': encodeURIComponent,
  'percent-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'percent-encoded in lower case': (secret) =>
    encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  'as form data': (secret) => new URLSearchParams({ k: secret }).toString().slice(2),
  'in JSON': JSON.stringify,
  'in JSON within JSON': (secret) => JSON.stringify(JSON.stringify({ secret })),
  'in base64': base64,
  'in base64 for URLs': (secret) => Buffer.from(secret).toString('base64url'),
  'in base64 behind a name': (secret) => base64(`user:${secret}`),
  'in base64 between others': (secret) => base64(`ab${secret}xyz`),
  'in hexadecimal': (secret) => Buffer.from(secret).toString('hex'),
  'in HTML': html,
  'as a header': (secret) => `Authorization: Bearer ${secret}`,
}

/** Whether anything of the secret can be had from the text: itself, or what is behind one of its encodings. */
function shows(text: string, secret: string): boolean {
  const decoded = [text]
  for (let depth = 0; depth < 3; depth++)
    decoded.push(
      (decoded.at(-1) ?? '').replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
        Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
      ),
    )
  decoded.push(text.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"'))
  decoded.push(text.replace(/\\+(.)/g, '$1'), text.replaceAll('+', ' '))
  for (const run of text.match(/[\w+/-]{8,}/g) ?? [])
    for (const skip of [0, 1, 2, 3])
      decoded.push(Buffer.from(run.slice(skip), 'base64').toString(), Buffer.from(run, 'hex').toString())
  return decoded.some((one) => one.includes(secret))
}

describe('a secret of eight characters or more', () => {
  it.each(Object.keys(FORMS))('never shows %s', (form) => {
    fc.assert(
      fc.property(secrets, around, around, (secret, before, after) => {
        const text = createRedactor([secret])(`${before} ${FORMS[form]?.(secret)} ${after}`)
        expect(text).toContain('[redacted]')
        expect(shows(text, secret)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it('never shows in half, where a text was cut before it came to be redacted', () => {
    fc.assert(
      fc.property(
        secrets,
        around,
        fc.nat(),
        fc.constantFrom('', '…', '...', '", and more'),
        (secret, before, at, end) => {
          const least = Math.max(6, Math.min(16, Math.ceil([...secret].length / 2)))
          const kept = [...secret].slice(0, least + (at % 40)).join('')
          const text = createRedactor([secret])(`${before} ${kept}${end}`)
          expect(text).not.toContain(kept)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('never shows by the way of logs, thrown errors, told events and stored words, whatever field carries it', () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom(...Object.keys(FORMS)), (secret, form) => {
        const said = FORMS[form]?.(secret) ?? ''
        const redact = createRedactor([secret])
        const lines: string[] = []
        const options = { write: (line: string) => void lines.push(line), clock: () => SLOT, secrets: [secret] }
        const error = new Error(said, {
          cause: new TypeError(`inner ${said}`, { cause: { headers: { authorization: said } } }),
        })
        for (const telemetry of [createJsonTelemetry(options), createTextTelemetry(options)])
          telemetry.log('error', said, { said, error, [said]: [said], long: `${'x'.repeat(7_990)}${said}` })
        const thrown = redactError(error, redact)
        const told = redactWords(
          { detail: { reason: said, list: [said] }, attempts: [{ raw: said, problem: said }], notes: [said] },
          redact,
        )
        const all = [
          ...lines.map((line) => line.replaceAll('\\', '')),
          thrown.message,
          thrown.stack,
          thrown.name,
          String(thrown.cause),
          (thrown.cause as Error).stack,
          String((thrown.cause as Error).cause),
          told.detail.reason,
          told.detail.list[0],
          told.attempts[0]?.raw,
          told.attempts[0]?.problem,
          told.notes[0],
        ]
        for (const text of all) expect(shows(text ?? '', secret)).toBe(false)
      }),
      { numRuns: 150 },
    )
  })
})

describe('what holds no secret', () => {
  it('is never changed, not by a character', () => {
    fc.assert(
      fc.property(fc.array(secrets, { maxLength: 4 }), fc.string({ maxLength: 400 }), (all, text) => {
        fc.pre(all.every((secret) => !text.includes(secret.slice(0, 4))))
        expect(createRedactor(all)(text)).toBe(text)
      }),
      { numRuns: 400 },
    )
  })

  it.each(['1', 'null', 'hold', 'open', 'close', 'short', '0.5', ' ', '', 'a', '1234567'])(
    'is not changed by a key of %j: secrets under eight characters are not searched for',
    (key) => {
      const text = '{"action":"hold","stopLossPrice":null,"confidence":0.5,"rationale":"1234567 open close short a"}'
      expect(createRedactor([key])(text)).toBe(text)
    },
  )

  it('such a short secret is kept out by the field it stands in', () => {
    const lines: string[] = []
    const telemetry = createJsonTelemetry({
      write: (line) => void lines.push(line),
      clock: () => SLOT,
      secrets: ['abc'],
    })
    const headers = { Authorization: 'abc', 'x-api-key': 'abc', 'Set-Cookie': 'abc' }
    telemetry.log('error', 'refused', {
      headers,
      apiKey: 'abc',
      password: 'abc',
      client_secret: 'abc',
      accessToken: 123,
    })
    expect(lines.join()).not.toMatch(/"abc"|123/)
    expect(lines.join().match(/\[redacted\]/g)).toHaveLength(7)
  })

  it('fields that only sound like one are shown', () => {
    const lines: string[] = []
    const telemetry = createJsonTelemetry({ write: (line) => void lines.push(line), clock: () => SLOT })
    telemetry.log('info', 'x', { promptTokens: 12, key: 'k', tokens: 3, inputTokens: 4, author: 'a' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      promptTokens: 12,
      key: 'k',
      tokens: 3,
      inputTokens: 4,
      author: 'a',
    })
  })
})

const KEY = 'sk-proj-A1b2C3d4E5f6G7h8'

describe('doors', () => {
  it.each([
    ['cycle', createCycleHandler],
    ['enforcement', createEnforcementHandler],
  ] as const)(
    'the %s function throws an error without the key, in message, stack and causes, and logs one',
    async (_name, create) => {
      const written: string[] = []
      const variables = { OPENAI_API_KEY: KEY, HOURHAND_CONFIG: `{"decider":{"kind":"${KEY}"},"market":` }
      const handler = create({
        variables,
        write: (line) => void written.push(line),
        clock: () => SLOT,
        sleep: async () => {},
        newId: () => 'i',
      })
      for (const config of [variables.HOURHAND_CONFIG, `{"id":"${KEY}"}`]) {
        variables.HOURHAND_CONFIG = config
        const error: unknown = await handler({}).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Error)
        for (let at: unknown = error; at instanceof Error; at = at.cause)
          expect(`${at.name} ${at.message} ${at.stack}`).not.toContain('A1b2')
      }
      expect(written.join()).not.toContain('A1b2')
      expect(written.length).toBeGreaterThan(0)
    },
  )

  it('an event told to the bus has no key in its words, and keeps what it is about', async () => {
    const entries: { Detail?: string | undefined }[] = []
    const client = {
      send: async ({ input }: { input: { Entries: { Detail?: string }[] } }) => {
        entries.push(...input.Entries)
        return { Entries: input.Entries.map(() => ({ EventId: 'e' })) }
      },
    } as unknown as EventBridgeClient
    const sink = createEventBridgeSink({
      busName: 'b',
      client,
      telemetry: silentTelemetry,
      redact: createRedactor([KEY]),
    })
    const event: DomainEvent = {
      id: 'i-1',
      type: 'failed',
      strategyId: 'eth-perp',
      mode: 'paper',
      at: '2026-03-10T12:00:00Z',
      subject: 's',
      detail: { reason: `HTTP 401: ${KEY} is no key` },
    }
    await sink.publish([event])
    expect(entries).toHaveLength(1)
    expect(JSON.parse(entries[0]?.Detail ?? '')).toEqual({
      ...event,
      detail: { reason: 'HTTP 401: [redacted] is no key' },
    })
  })

  it('stored records and states have no key in their words', async () => {
    const items = createMemoryItems()
    const world = createWorld({ items, decide: () => ({ ...CLOSE, rationale: `because of ${KEY}` }) })
    const store = createStore(items, 'w', 'paper', { redact: createRedactor([KEY]) })
    const { runCycle } = await import('../../lib/cycle/run-cycle.ts')
    await runCycle({ ...world.ports, store }, { scheduledFor: SLOT, dryRun: false })
    const { everything } = await import('./08-stored-items-survive-upgrade-and-rollback/stored.ts')
    const bodies = (await everything(items)).map(({ body }) => body).join()
    expect(bodies).toContain('because of [redacted]')
    expect(bodies).not.toContain(KEY)
  })

  it.each([
    'eth-perp',
    'ETP-20DEC30-CDE',
    'take_profit',
    'liquidation',
    'stop_loss',
    'open_long',
    '2026-03-10T12:00:00Z',
  ])('a key that is equal to %s breaks nothing that is stored', async (key) => {
    const items = createMemoryItems()
    const redact = createRedactor([key])
    const world = createWorld({ items })
    const store = createStore(items, 'w', 'paper', { redact })
    const { runCycle } = await import('../../lib/cycle/run-cycle.ts')
    const ports = { ...world.ports, store }
    expect(await runCycle(ports, { scheduledFor: SLOT, dryRun: false })).toMatchObject({ outcome: 'entered' })
    expect(await store.loadState('eth-perp')).toMatchObject({ phase: { kind: 'open' }, strategyId: 'eth-perp' })
  })

  it('the command line says no key, neither in results nor in errors', async () => {
    const said: string[] = []
    const io = {
      stdout: (text: string) => void said.push(text),
      stderr: (text: string) => void said.push(text),
      env: { OPENAI_API_KEY: KEY, HOURHAND_MODE: KEY },
      clock: () => SLOT,
      newId: () => 'n',
      sleep: async () => {},
    }
    for (const argv of [
      ['status', '--strategy', KEY],
      ['cycle', '--at', KEY],
      [KEY],
      ['guard', '--if', `equity=${KEY}`],
    ])
      expect(await runCli(argv, io)).not.toBe(0)
    expect(said.join()).toContain('[redacted]')
    expect(said.join()).not.toContain('A1b2')
  })
})
