import { ETH } from '../support/instruments.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDynamoClient, ensureTable } from '../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { type EmbeddedDynamo, startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import { type Item, type ItemStore, StoreError } from '../../lib/store/item-store.ts'
import { createMemoryItems, createOverlayItems } from '../../lib/store/memory-items.ts'
import { createStore, partitionOf } from '../../lib/store/store.ts'
import { emptyClearance, updateClearance } from '../../lib/store/update-clearance.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { newRecord } from '../../lib/cycle/claim.ts'
import { openBook } from '../../lib/venue/paper/book.ts'
import { money } from '../../lib/core/decimal.ts'
import { createState } from '../../lib/ledger/transition.ts'

/** Set to the endpoint of DynamoDB Local to hold the suite against it as well. */
const LOCAL_ENDPOINT = process.env['HOURHAND_TEST_DYNAMODB_ENDPOINT']

const TABLE = 'hourhand-conformance'
let embedded: EmbeddedDynamo

beforeAll(async () => {
  embedded = await startEmbeddedDynamo()
})
afterAll(() => embedded.close())

async function dynamoAt(endpoint: string): Promise<ItemStore> {
  const client = createDynamoClient(endpoint)
  await ensureTable(client, TABLE)
  await ensureTable(client, TABLE)
  return createDynamoItems({ client, tableName: TABLE })
}

const kinds: [string, () => Promise<ItemStore>][] = [
  ['memory', async () => createMemoryItems()],
  ['overlay over memory', async () => createOverlayItems(createMemoryItems())],
  ['embedded DynamoDB', () => dynamoAt(embedded.endpoint)],
  ...(LOCAL_ENDPOINT === undefined
    ? []
    : ([['DynamoDB Local', () => dynamoAt(LOCAL_ENDPOINT)]] as [string, () => Promise<ItemStore>][])),
]

let partition = 0
const item = (pk: string, sk: string, changes: Partial<Item> = {}): Item => ({
  pk,
  sk,
  version: null,
  body: '{}',
  writer: 'w',
  expiresAt: null,
  ...changes,
})

describe.each(kinds)('item store: %s', (_name, open) => {
  let items: ItemStore
  let pk: string
  beforeAll(async () => {
    items = await open()
  })
  const fresh = (): string => (pk = `P#${partition++}`)

  it('what was written comes back, byte for byte', async () => {
    fresh()
    const texts = ['{}', '{"a":1.5e-7,"b":"\\u0000 \u{1f600} é"}', JSON.stringify({ long: 'x'.repeat(100_000) })]
    for (const [index, body] of texts.entries()) {
      const written = item(pk, `K#${index}`, {
        body,
        version: index,
        expiresAt: 1_800_000_000 + index,
        writer: `w${index}`,
      })
      expect(await items.put(written, 'none')).toBe('ok')
      expect(await items.get(pk, `K#${index}`)).toEqual(written)
    }
    expect(await items.get(pk, 'K#9')).toBeNull()
    expect(await items.get('nowhere', 'K#0')).toBeNull()
  })

  it('conditions: absent, version, none', async () => {
    fresh()
    expect(await items.put(item(pk, 'S', { version: 0 }), { version: 0 })).toBe('conflict')
    expect(await items.put(item(pk, 'S', { version: 0 }), 'absent')).toBe('ok')
    expect(await items.put(item(pk, 'S', { version: 9 }), 'absent')).toBe('conflict')
    expect(await items.put(item(pk, 'S', { version: 1 }), { version: 1 })).toBe('conflict')
    expect(await items.put(item(pk, 'S', { version: 1, body: '{"n":1}' }), { version: 0 })).toBe('ok')
    expect(await items.put(item(pk, 'S', { version: 1 }), { version: 0 })).toBe('conflict')
    expect(await items.get(pk, 'S')).toMatchObject({ version: 1, body: '{"n":1}' })
    expect(await items.put(item(pk, 'plain'), 'none')).toBe('ok')
    expect(await items.put(item(pk, 'plain', { version: 1 }), { version: 0 })).toBe('conflict')
  })

  it('a write that may only follow lower versions', async () => {
    fresh()
    expect(await items.put(item(pk, 'H', { version: 3, body: '"a"' }), { below: 3 })).toBe('ok')
    expect(await items.put(item(pk, 'H', { version: 3, body: '"b"' }), { below: 3 })).toBe('conflict')
    expect(await items.put(item(pk, 'H', { version: 2, body: '"c"' }), { below: 2 })).toBe('conflict')
    expect(await items.put(item(pk, 'H', { version: 4, body: '"d"' }), { below: 4 })).toBe('ok')
    expect((await items.get(pk, 'H'))?.body).toBe('"d"')
  })

  it('of many writers of one version exactly one wins', async () => {
    fresh()
    await items.put(item(pk, 'S', { version: 0 }), 'absent')
    for (let version = 0; version < 3; version++) {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, writer) =>
          items.put(item(pk, 'S', { version: version + 1, body: `{"by":${writer}}` }), { version }),
        ),
      )
      expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1)
      expect(JSON.parse((await items.get(pk, 'S'))?.body ?? '')).toEqual({ by: outcomes.indexOf('ok') })
    }
  })

  it('lists a prefix in either order, within bounds, page by page, and nothing else', async () => {
    fresh()
    const keys = Array.from({ length: 23 }, (_, index) => `T#2026-01-${String(index + 1).padStart(2, '0')}`)
    for (const sk of [...keys, 'S#1', 'U#1', 'T', 'T$']) await items.put(item(pk, sk), 'none')
    await items.put(item(`${pk}x`, 'T#2026-01-05'), 'none')
    const read = async (query: object): Promise<string[]> => {
      const found: string[] = []
      let cursor: string | undefined
      do {
        const page = await items.query({ pk, prefix: 'T#', limit: 5, cursor, ...query })
        expect(page.items.length).toBeLessThanOrEqual(5)
        found.push(...page.items.map(({ sk }) => sk))
        cursor = page.cursor ?? undefined
      } while (cursor !== undefined)
      return found
    }
    expect(await read({})).toEqual(keys)
    expect(await read({ newestFirst: true })).toEqual(keys.toReversed())
    expect(await read({ from: 'T#2026-01-20' })).toEqual(keys.slice(19))
    expect(await read({ to: 'T#2026-01-03' })).toEqual(keys.slice(0, 3))
    expect(await read({ from: 'T#2026-01-10', to: 'T#2026-01-12' })).toEqual(keys.slice(9, 12))
    expect(await read({ prefix: 'V#' })).toEqual([])
  })
})

it('every kind answers like memory over any sequence of writes', async () => {
  const stores = await Promise.all(kinds.slice(1).map(([, open]) => open()))
  const write = fc.record({
    sk: fc.constantFrom('A#1', 'A#2', 'B#1'),
    version: fc.constantFrom(null, 0, 1, 2),
    body: fc.constantFrom('{}', '[1]'),
    condition: fc.constantFrom<'none' | 'absent' | number>('none', 'absent', 0, 1),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
      const pk = `Q#${partition++}`
      const model = createMemoryItems()
      for (const { sk, version, body, condition } of writes) {
        const when = typeof condition === 'number' ? { version: condition } : condition
        const expected = await model.put(item(pk, sk, { version, body }), when)
        for (const store of stores) expect(await store.put(item(pk, sk, { version, body }), when)).toBe(expected)
      }
      const expected = await model.query({ pk, prefix: 'A#', limit: 10 })
      for (const store of stores) expect(await store.query({ pk, prefix: 'A#', limit: 10 })).toEqual(expected)
    }),
    { numRuns: 40, seed: 7 },
  )
})

describe('the overlay of a dry run', () => {
  it('shows writes over the base and leaves the base alone', async () => {
    const base = createMemoryItems()
    for (const sk of ['T#1', 'T#3']) await base.put(item('P', sk, { body: '"base"' }), 'none')
    const overlay = createOverlayItems(base)
    await overlay.put(item('P', 'T#2', { body: '"dry"' }), 'absent')
    await overlay.put(item('P', 'T#1', { body: '"dry"' }), 'none')
    expect(await overlay.put(item('P', 'T#3'), 'absent')).toBe('conflict')
    expect((await overlay.query({ pk: 'P', prefix: 'T#', limit: 9 })).items.map(({ sk, body }) => sk + body)).toEqual([
      'T#1"dry"',
      'T#2"dry"',
      'T#3"base"',
    ])
    expect((await base.query({ pk: 'P', prefix: 'T#', limit: 9 })).items.map(({ sk, body }) => sk + body)).toEqual([
      'T#1"base"',
      'T#3"base"',
    ])
  })
})

describe('the typed store', () => {
  const at = '2026-01-01T00:00:00Z'
  const first = createState('eth-perp', ETH, money('100'), at)

  it('state: made once, moved from the version it was read at, by one writer', async () => {
    const items = createMemoryItems()
    const [a, b] = [createStore(items, 'a'), createStore(items, 'b')]
    expect(await a.loadState('eth-perp')).toBeNull()
    expect((await a.saveState(first, true)).outcome).toBe('saved')
    expect((await b.saveState(first, true)).outcome).toBe('conflict')
    const next = await a.saveState(first, false)
    expect(next).toMatchObject({ outcome: 'saved', state: { version: 1 } })
    // The same bytes by somebody else are a conflict; by the same invocation they are its own lost answer.
    expect((await b.saveState(first, false)).outcome).toBe('conflict')
    expect((await a.saveState(first, false)).outcome).toBe('saved')
    expect(await b.loadState('eth-perp')).toEqual(next.state)
  })

  it('a book likewise, apart from the state', async () => {
    const store = createStore(createMemoryItems(), 'a')
    const book = openBook('X', money('5'), at)
    expect((await store.saveBook('eth-perp', book, true)).outcome).toBe('saved')
    expect((await store.saveBook('eth-perp', { ...book, version: 3 }, false)).outcome).toBe('conflict')
    expect(await store.loadBook('eth-perp')).toEqual(book)
    expect(await store.loadState('eth-perp')).toBeNull()
  })

  it('a life with real money shares nothing with the life on paper but the clearance', async () => {
    const items = createMemoryItems()
    const [paper, live] = [createStore(items, 'a', 'paper'), createStore(items, 'a', 'live')]
    const payment = { fundingId: 'f1', at, rate: '0', amount: money('1') }
    const record = newRecord({ config: loadConfig(), codeVersion: 'test' }, Date.parse(at), Date.parse(at))
    await paper.saveState(first, true)
    await paper.createCycle(record)
    await paper.appendHistory('eth-perp', [{ kind: 'FUNDING', id: 'f1', at, body: payment }], 1)
    await paper.appendEquity('eth-perp', { at, equity: money('1'), cash: money('1'), markPrice: null, phase: 'flat' })
    expect(await live.loadState('eth-perp')).toBeNull()
    expect(await live.loadCycle('eth-perp', at)).toBeNull()
    const page = { limit: 10 }
    for (const listed of [
      live.listCycles('eth-perp', page),
      live.listFunding('eth-perp', page),
      live.listEquity('eth-perp', page),
    ])
      expect((await listed).items).toEqual([])
    expect((await live.saveState({ ...first, version: 7 }, true)).outcome).toBe('saved')
    expect(await live.createCycle({ ...record, mode: 'live' })).toBe('saved')
    expect(await paper.loadState('eth-perp')).toEqual(first)
    expect((await paper.loadCycle('eth-perp', at))?.mode).toBe('paper')
    expect((await items.query({ pk: 'LIVE#eth-perp', prefix: '', limit: 10 })).items.map(({ sk }) => sk)).toEqual([
      `CYCLE#${at}`,
      'STATE',
    ])
    expect([partitionOf('paper', 'x'), partitionOf('live', 'x')]).toEqual(['STRATEGY#x', 'LIVE#x'])

    await paper.saveClearance(emptyClearance('eth-perp'), null)
    expect(await live.loadClearance('eth-perp')).toEqual({ clearance: emptyClearance('eth-perp'), version: 0 })
  })

  it('a clearance moves from the version it was read at; of many who change it, none is lost', async () => {
    const items = createMemoryItems()
    const [a, b] = [createStore(items, 'a', 'paper'), createStore(items, 'b', 'live')]
    expect(await a.loadClearance('eth-perp')).toBeNull()
    expect(await a.saveClearance(emptyClearance('eth-perp'), null)).toBe('saved')
    expect(await b.saveClearance(emptyClearance('eth-perp'), null)).toBe('conflict')
    const waiver = { gate: 'paper_trades' as const, at, by: 'ann', reason: 'r' }
    expect(await b.saveClearance({ ...emptyClearance('eth-perp'), waivers: [waiver] }, 0)).toBe('saved')
    expect(await a.saveClearance(emptyClearance('eth-perp'), 0)).toBe('conflict')
    const credentials = { verifiedAt: at, keyFingerprint: '0123456789abcdef', portfolioUuid: 'p', symbol: 's' }
    await Promise.all([
      updateClearance(a, 'eth-perp', (before) => ({ ...before, credentials })),
      updateClearance(b, 'eth-perp', (before) => ({ ...before, waivers: [{ ...waiver, by: 'bob' }] })),
    ])
    expect(await a.loadClearance('eth-perp')).toMatchObject({
      version: 3,
      clearance: { credentials, waivers: [{ by: 'bob' }] },
    })
    await expect(
      updateClearance({ ...a, saveClearance: async () => 'conflict' }, 'eth-perp', (before) => before),
    ).rejects.toThrow(StoreError)
  })

  it('what does not parse is an error that names the item, never a guess', async () => {
    const items = createMemoryItems()
    const store = createStore(items, 'a')
    for (const body of [
      'not json',
      '{"schemaVersion":1}',
      JSON.stringify({ ...first, phase: { ...first.phase, extra: 1 } }),
    ]) {
      await items.put(item('STRATEGY#eth-perp', 'STATE', { body, version: 0 }), 'none')
      await expect(store.loadState('eth-perp')).rejects.toThrow(StoreError)
      await expect(store.loadState('eth-perp')).rejects.toThrow('STRATEGY#eth-perp STATE')
    }
  })

  it('history written twice is there once; equity and ttl where they belong', async () => {
    const items = createMemoryItems()
    const store = createStore(items, 'a')
    const payment = { fundingId: 'f1', at, rate: '0', amount: money('1') }
    for (let time = 0; time < 2; time++)
      await store.appendHistory('eth-perp', [{ kind: 'FUNDING', id: 'f1', at, body: payment }], 1)
    expect((await store.listFunding('eth-perp', { limit: 10 })).items).toEqual([payment])
    const point = { at, equity: money('1'), cash: money('1'), markPrice: null, phase: 'flat' as const }
    await store.appendEquity('eth-perp', point)
    expect((await store.listEquity('eth-perp', { limit: 10 })).items).toEqual([point])
    expect((await store.listEquity('eth-perp', { limit: 10, from: '2026-01-02' })).items).toEqual([])
    expect((await store.listEquity('eth-perp', { limit: 10, to: '2026-01-01' })).items).toEqual([point])
    expect(
      (await items.query({ pk: 'STRATEGY#eth-perp', prefix: '', limit: 10 })).items.map(({ expiresAt }) => expiresAt),
    ).toEqual([null, null])
  })
})

describe('DynamoDB that does not answer', () => {
  it('is a StoreError that names the table, in bounded time', async () => {
    const gone = await startEmbeddedDynamo()
    await gone.close()
    const items = createDynamoItems({ client: createDynamoClient(gone.endpoint), tableName: 'nowhere' })
    await expect(items.get('a', 'b')).rejects.toThrow(StoreError)
    await expect(items.get('a', 'b')).rejects.toThrow('nowhere')
  })
})

describe('the embedded database on disk', () => {
  it('keeps what was written over restarts, and is held by one at a time', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'hourhand-db-'))
    try {
      const first = await startEmbeddedDynamo(directory)
      const items = await dynamoAt(first.endpoint)
      await items.put(item('P', 'K', { body: '"kept"' }), 'none')
      const waiting = startEmbeddedDynamo(directory)
      await new Promise((resolve) => {
        setTimeout(resolve, 150)
      })
      await first.close()
      const second = await waiting
      expect((await (await dynamoAt(second.endpoint)).get('P', 'K'))?.body).toBe('"kept"')
      await second.close()
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
