import { describe, expect, it } from 'vitest'
import { explainCommand } from '../../../lib/cli/commands/explain.ts'
import { tradesCommand } from '../../../lib/cli/commands/trades.ts'
import { MINUTE_MS, SECOND_MS } from '../../../lib/core/time.ts'
import { evaluatePaperRecord } from '../../../lib/cycle/evaluate-paper-record.ts'
import { flattenPosition } from '../../../lib/execution/flatten-position.ts'
import { migrate } from '../../../lib/store/migrations.ts'
import { readBody, writeBody } from '../../../lib/store/stored-body.ts'
import { createStore } from '../../../lib/store/store.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import { updateClearance } from '../../../lib/store/update-clearance.ts'
import type { Decision } from '../../../schemas/decision.ts'
import { STORED_VERSION } from '../../../schemas/stored.ts'
import { CLOSE, createWorld, HOLD, marketAround, SLOT } from '../../cycle/world.ts'
import { createLiveWorld, LONG } from '../../failure-modes/live-world.ts'
import { sessionOn } from './session.ts'
import { bodyOf, everything, FIXTURES, fixture, itemsOf, kindOfItem } from './stored.ts'

const OUTCOMES = ['entered', 'closed', 'held', 'refused', 'skipped', 'halted', 'failed']
const HALF_HOUR_MS = 30 * MINUTE_MS

/**
 * A body of version 1 with what has another name since: a contract's multiplier, and the instrument for the product.
 */
function inWordsOfNow(body: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(body).replaceAll('"contractSize"', '"multiplier"')
  const { config, guardFacts, ...rest } = JSON.parse(text) as Record<string, Record<string, unknown> | null>
  const changed: Record<string, unknown> = { ...rest }
  if (config !== undefined) changed['config'] = withInterval(withInstrument(config, 'paper'))
  if (guardFacts !== undefined) changed['guardFacts'] = withInstrument(guardFacts, null)
  return changed
}

/** Minutes between decisions are an interval with its unit now. */
function withInterval(config: unknown): unknown {
  const { intervalMinutes, ...rest } = config as Record<string, unknown>
  return { ...rest, interval: `${String(intervalMinutes)}m` }
}

function withInstrument(holder: Record<string, unknown> | null, inside: string | null): unknown {
  if (holder === null) return null
  const { product, ...others } = (inside === null ? holder : (holder[inside] ?? {})) as Record<
    string,
    Record<string, unknown>
  >
  if (product === undefined) return holder
  const { base, multiplier, tickSize, initialMarginRate: initial, maintenanceMarginRate: maintenance, fees } = product
  const instrument = { underlying: base, multiplier, tickSize, fees, margin: { perNotional: { initial, maintenance } } }
  return inside === null ? { ...others, instrument } : { ...holder, [inside]: others, instrument }
}

describe('what the previous release stored', () => {
  it('is there of every kind of item, phase and outcome of a cycle', () => {
    const all = FIXTURES.flatMap((name) => fixture(name))
    expect(new Set(all.map((item) => kindOfItem(item).name))).toEqual(
      new Set(['state', 'paper_book', 'clearance', 'cycle', 'trade', 'order', 'fill', 'funding', 'equity']),
    )
    const states = all.filter(({ sk }) => sk === 'STATE').map(bodyOf)
    const phases = states.map(({ phase }) => (phase as { kind: string }).kind)
    expect(new Set(phases)).toEqual(new Set(['flat', 'opening', 'open', 'closing']))
    expect(states.some(({ outbox }) => outbox !== null)).toBe(true)
    expect(states.some(({ halt }) => halt !== null)).toBe(true)
    const outcomes = all.filter(({ sk }) => sk.startsWith('CYCLE')).map((item) => bodyOf(item)['outcome'])
    expect(new Set(outcomes)).toEqual(new Set([...OUTCOMES, null]))
  })

  it.each(FIXTURES)('is read to act on, to the last field: %s', (name) => {
    for (const item of fixture(name)) {
      const kind = kindOfItem(item)
      // The one override became a waiver that names its gate.
      const { override: _, ...before } = inWordsOfNow(bodyOf(item))
      const value = readBody<unknown>(kind, item, 'act')
      const body: unknown = JSON.parse(writeBody<unknown>(kind, item, value))
      expect(body).toMatchObject({ ...before, schemaVersion: STORED_VERSION, minReader: STORED_VERSION })
    }
  })

  it.each(FIXTURES)('is migrated by pure functions that do nothing the second time: %s', (name) => {
    for (const item of fixture(name)) {
      const kind = kindOfItem(item).name
      const body = Object.freeze(bodyOf(item))
      const once = migrate(kind, body, 1)
      expect(body).toEqual(bodyOf(item))
      expect(once).toMatchObject({ schemaVersion: STORED_VERSION, minReader: STORED_VERSION })
      expect(migrate(kind, once, STORED_VERSION)).toEqual(once)
      expect(migrate(kind, body, 1)).toEqual(once)
    }
  })

  it('may lack what its own first releases did not have yet', async () => {
    const [state] = fixture('paper-open').filter(({ sk }) => sk === 'STATE')
    if (state === undefined) throw new Error('no state in the fixture')
    const { suspicions: _, outbox: __, ...older } = bodyOf(state)
    const { tradesClosed: ___, ...accounting } = older['accounting'] as Record<string, unknown>
    const phase = older['phase'] as { position: Record<string, unknown> }
    const { isCloseUnheard: ____, ...position } = phase.position
    const body = JSON.stringify({ ...older, accounting, phase: { ...phase, position } })
    const items = await itemsOf([{ ...state, body }])
    expect(await createStore(items, 'w').loadState('eth-perp')).toMatchObject({
      suspicions: [],
      outbox: null,
      accounting: { tradesClosed: 0 },
      phase: { position: { isCloseUnheard: false } },
    })
  })
})

describe('a paper strategy that the previous release left', () => {
  const worldOf = async (name: string, decide: () => Decision = () => HOLD) => {
    const world = createWorld({ items: await itemsOf(fixture(name)), writer: 'after', decide })
    world.time.now = SLOT + 2 * MINUTE_MS
    return world
  }

  it('open is enforced: its stop closes it, and the trade is recorded', async () => {
    const items = await itemsOf(fixture('paper-open'))
    const world = createWorld({ items, writer: 'after', market: marketAround((minute) => (minute > 5 ? -40 : 0)) })
    world.time.now = SLOT + MINUTE_MS
    await world.pass(10)
    expect(await world.state()).toMatchObject({ schemaVersion: STORED_VERSION, phase: { kind: 'flat' } })
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss' }])
    expect((await world.orders()).length).toBe(1)
  })

  it('open is closed at the next slot when the decider says so', async () => {
    const world = await worldOf('paper-open', () => CLOSE)
    world.time.now = SLOT + HALF_HOUR_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    expect(await world.state()).toMatchObject({ phase: { kind: 'flat' } })
  })

  it('open and halted keeps its halt and its stop, tells its outbox, and can be flattened', async () => {
    const world = await worldOf('paper-open-halted')
    await world.enforce()
    expect(await world.state()).toMatchObject({ phase: { kind: 'open' }, halt: { reason: 'stop' } })
    expect(world.events.map(({ type }) => type)).toContain('halted')
    expect(await flattenPosition(world.ports)).toMatchObject({ isFlat: true })
  })

  it('opening ends in what the venue knows of it', async () => {
    const world = await worldOf('paper-opening')
    await world.enforce()
    expect(await world.state()).toMatchObject({ phase: { kind: 'flat' } })
  })

  it('closing is closed in the end', async () => {
    const world = await worldOf('paper-closing')
    world.time.now = SLOT + HALF_HOUR_MS + 10 * MINUTE_MS
    await world.enforce()
    expect(await flattenPosition(world.ports)).toMatchObject({ isFlat: true })
    expect(await world.trades()).toHaveLength(1)
  })

  it('can be explained, cycle by cycle, and its trades listed', async () => {
    const session = sessionOn(await itemsOf(fixture('paper-life')))
    const records = fixture('paper-life').filter(({ sk }) => sk.startsWith('CYCLE'))
    for (const record of records) {
      const { text, document } = await explainCommand(session, String(bodyOf(record)['cycleId']))
      expect(text).toContain(String(bodyOf(record)['outcome']))
      expect(document).toMatchObject({ record: { schemaVersion: STORED_VERSION } })
    }
    expect(await tradesCommand(session, { csv: false })).toMatchObject({ exitCode: 0, document: { trades: [{}] } })
  })

  it('keeps its clearance and its record', async () => {
    const store = createStore(await itemsOf(fixture('paper-life')), 'after')
    const record = await evaluatePaperRecord(store, createWorld().config, SLOT)
    expect(record).toMatchObject({ configHash: expect.any(String) })
    const after = await updateClearance(store, 'eth-perp', (before) => ({ ...before, paper: record }))
    expect(after).toMatchObject({ schemaVersion: STORED_VERSION, waivers: [{ gate: 'paper_trades', by: 'operator' }] })
  })
})

describe('a live strategy that the previous release left', () => {
  /**
   * A venue at which the same has been done as in the fixture, by the code of now; the ledger is then the fixture's.
   */
  const worldOf = async (name: string, { isSent }: { isSent: boolean }) => {
    const world = await createLiveWorld({ decisions: isSent ? [LONG] : [] })
    if (isSent) await world.cycle()
    await itemsOf(fixture(name), world.items)
    return world
  }

  it.each(['live-open', 'live-open-halted'])(
    '%s: its stop stays the one there is, until the target closes it',
    async (name) => {
      const world = await worldOf(name, { isSent: true })
      const [exit] = world.exits()
      await world.pass(3)
      expect(world.exits()).toEqual([exit])
      expect(world.placed().map(({ kind }) => kind)).toEqual(['entry'])
      expect(await world.state()).toMatchObject({ schemaVersion: STORED_VERSION, phase: { kind: 'open' } })
      expect(await flattenPosition(world.ports)).toMatchObject({ isFlat: true })
      expect(world.held()).toBe(0)
    },
  )

  it('live-opening: an entry that was never sent is given up', async () => {
    const world = await worldOf('live-opening', { isSent: false })
    world.time.set(SLOT + 90 * SECOND_MS)
    await world.pass(2)
    expect(await world.state()).toMatchObject({ phase: { kind: 'flat' } })
    expect(world.placed()).toEqual([])
  })

  it('live-closing: a close that was never sent leads back to a protected position', async () => {
    const world = await worldOf('live-closing', { isSent: true })
    world.time.set(SLOT + HALF_HOUR_MS + 5 * MINUTE_MS)
    await world.pass(3)
    expect(await world.state()).toMatchObject({ phase: { kind: 'open', position: { protection: { status: 'live' } } } })
    expect(world.held()).toBe(10)
  })
})

it('nothing of version 1 is written again by merely being looked at', async () => {
  const items = await itemsOf(fixture('paper-life'), createMemoryItems())
  const before = await everything(items)
  const store = createStore(items, 'reader')
  await store.loadState('eth-perp')
  await store.listCycles('eth-perp', { limit: 100 })
  await store.loadClearance('eth-perp')
  expect(await everything(items)).toEqual(before)
})
