import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CommonOptions, parseOptions } from '../../lib/cli/options.ts'
import { InvariantError, UsageError } from '../../lib/core/invariant.ts'
import { fromIso, LAST_INSTANT, toIso } from '../../lib/core/time.ts'
import { checkedJson } from '../../lib/files/checked-json.ts'
import { createDynamoClient, ensureTable } from '../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import { readBody, writeBody } from '../../lib/store/stored-body.ts'
import { createStore } from '../../lib/store/store.ts'
import { UnreadableItem } from '../../lib/store/unreadable-item.ts'
import { createWorld } from '../cycle/world.ts'
import { everything, FIXTURES, fixture, kindOfItem } from './08-stored-items-survive-upgrade-and-rollback/stored.ts'

const ALL = FIXTURES.flatMap((name) => fixture(name))
const BAD: readonly unknown[] = [
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '+056985-03-04T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '2026-02-30T00:00:00Z',
  '1e3',
  '01',
  -1,
  {},
  'unheard of',
]

/** Objects anywhere in a value. */
const objectsIn = (value: unknown): Record<string, unknown>[] =>
  typeof value !== 'object' || value === null
    ? []
    : [...(Array.isArray(value) ? [] : [value as Record<string, unknown>]), ...Object.values(value).flatMap(objectsIn)]

describe('what is stored', () => {
  it('is read back first: a value is either written as its reader takes it, or refused and not written', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALL), fc.nat(), fc.nat(), fc.constantFrom(...BAD), (item, at, member, bad) => {
        const kind = kindOfItem(item)
        const value = readBody<unknown>(kind, item, 'act')
        const objects = objectsIn(value)
        const target = objects[at % objects.length] ?? {}
        const keys = Object.keys(target)
        target[keys[member % Math.max(1, keys.length)] ?? 'x'] = bad
        let body: string
        try {
          body = writeBody<unknown>(kind, item, value)
        } catch (error) {
          expect(error).toBeInstanceOf(InvariantError)
          expect((error as Error).message).toContain(`${item.pk} ${item.sk} is not stored`)
          return
        }
        readBody<unknown>(kind, { ...item, body }, 'act')
      }),
      { numRuns: 1_500 },
    )
  })

  it('a state that could not be read again is refused before the table is asked', async () => {
    const world = createWorld()
    await world.cycle()
    const before = await everything(world.items)
    const state = await world.state()
    for (const bad of [{ lastSlot: '+056985-01-01T00:00:00Z' }, { updatedAt: '' }, { phase: { kind: 'rolling' } }])
      await expect(world.store.saveState({ ...state, ...bad } as never, false)).rejects.toThrow(InvariantError)
    expect(await everything(world.items)).toEqual(before)
  })
})

describe('instants', () => {
  it('are written and come back the same, or are refused: nothing before 1970 or after 9999', () => {
    const anywhere = fc.oneof(
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.integer({ min: 0, max: LAST_INSTANT }),
      fc.constantFrom(-1, 0, LAST_INSTANT, LAST_INSTANT + 1, 1_736_899_200_000_000),
    )
    fc.assert(
      fc.property(anywhere, (instant) => {
        if (instant < 0 || instant > LAST_INSTANT) expect(() => toIso(instant)).toThrow(InvariantError)
        else expect(fromIso(toIso(instant))).toBe(instant)
      }),
      { numRuns: 2_000 },
    )
  })

  it('of a clock in the year 56985 end a cycle and a pass before anything is stored', async () => {
    const world = createWorld()
    world.time.now = 1_736_899_200_000_000
    await expect(world.cycle()).rejects.toThrow(/1970 to 9999/)
    await expect(world.enforce()).rejects.toThrow(/1970 to 9999/)
    expect(await everything(world.items)).toEqual([])
  })

  it.each([
    '+056985-01-01T00:00:00Z',
    '1969-12-31T23:59Z',
    '9999-12-31T23:59Z',
    '0001-01-01T00:00Z',
    'soon',
    '1736899200',
  ])('--at %s is refused before anything is opened', (at) =>
    expect(() => parseOptions(CommonOptions, { at })).toThrow(UsageError),
  )
})

describe('files', () => {
  const Line = z.strictObject({ at: z.string(), value: z.number() })

  it.each([
    [{ at: 'a', value: Number.NaN }, /value/],
    [{ at: 'a', value: Number.POSITIVE_INFINITY }, /value/],
    [{ at: 'a', value: 1, more: 2 }, /more/],
    [{ at: undefined, value: 1 }, /at/],
  ])('get no line that their reader refuses: %j', (value, named) => {
    expect(() => checkedJson(Line, value as never, 'a line')).toThrow(named)
    expect(() => checkedJson(Line, value as never, 'a line')).toThrow(/a line is not written/)
  })

  it('get what their reader takes, in the order it was given', () => {
    expect(checkedJson(Line, { value: 1, at: 'a' }, 'a line')).toBe('{"value":1,"at":"a"}')
  })
})

describe('one bad item', () => {
  it.each([
    ['without a body', {}],
    ['with a body of another type', { body: { N: '1' }, writer: { S: 'w' } }],
    ['with a body that is no JSON', { body: { S: '{"half' }, writer: { S: 'w' } }],
    ['of another program', { body: { S: '{"hello":"world"}' }, writer: { S: 'w' }, version: { S: 'one' } }],
  ])('%s is named, and keeps no list from the others', async (_what, attributes) => {
    const { endpoint, close } = await startEmbeddedDynamo()
    const client = createDynamoClient(endpoint)
    try {
      await ensureTable(client, 'table')
      const items = createDynamoItems({ client, tableName: 'table' })
      for (const item of fixture('paper-life').filter(({ sk }) => !sk.startsWith('CYCLE')))
        await items.put(item, 'none')
      const [pk, sk] = ['STRATEGY#eth-perp', 'TRADE#2026-03-10T13:00:00Z#x']
      await client.send(
        new PutItemCommand({ TableName: 'table', Item: { pk: { S: pk }, sk: { S: sk }, ...attributes } }),
      )
      const store = createStore(items, 'w')
      const { items: trades, skipped } = await store.listTrades('eth-perp', { limit: 10 })
      expect([trades.length, skipped.map((item) => `${item.pk} ${item.sk}`)]).toEqual([1, [`${pk} ${sk}`]])
      await client.send(
        new PutItemCommand({ TableName: 'table', Item: { pk: { S: pk }, sk: { S: 'STATE' }, ...attributes } }),
      )
      await expect(store.loadState('eth-perp')).rejects.toThrow(UnreadableItem)
    } finally {
      client.destroy()
      await close()
    }
  })
})

describe('a damaged database', () => {
  const overwrite = (pattern: RegExp) => (db: string) => {
    for (const name of readdirSync(db)) if (pattern.test(name)) writeFileSync(path.join(db, name), 'rubbish')
  }
  const garble = (db: string) => {
    for (const name of readdirSync(db).filter((one) => one.endsWith('.log'))) {
      const bytes = readFileSync(path.join(db, name))
      for (let at = 100; at < bytes.length; at += 37) bytes[at] = 0x7f
      writeFileSync(path.join(db, name), bytes)
    }
  }

  it.each([
    ['its pointer overwritten', overwrite(/^CURRENT$/)],
    ['its list of files overwritten', overwrite(/^MANIFEST/)],
    [
      'its list of files gone',
      (db: string) => {
        for (const name of readdirSync(db)) if (name.startsWith('MANIFEST')) rmSync(path.join(db, name))
      },
    ],
    ['its data overwritten', garble],
  ])('with %s ends with its directory and what to do, not with a stack', async (_what, damage) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'hourhand-damaged-'))
    try {
      const first = await startEmbeddedDynamo(directory)
      const client = createDynamoClient(first.endpoint)
      await ensureTable(client, 'hourhand')
      const items = createDynamoItems({ client, tableName: 'hourhand' })
      for (const item of fixture('paper-open')) await items.put(item, 'none')
      client.destroy()
      await first.close()
      damage(path.join(directory, 'db'))
      const opened = startEmbeddedDynamo(directory)
      await expect(opened).rejects.toThrow(UsageError)
      await expect(opened).rejects.toThrow(
        new RegExp(`the database in ${directory} is damaged: .*What to do: .*--data-dir`),
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
