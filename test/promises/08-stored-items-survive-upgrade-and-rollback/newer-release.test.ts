import { STORED_VERSION } from '../../../schemas/stored.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainCommand } from '../../../lib/cli/commands/explain.ts'
import { statusCommand } from '../../../lib/cli/commands/status.ts'
import { haltCommand } from '../../../lib/cli/commands/halt.ts'
import { doctorCommand } from '../../../lib/cli/commands/doctor.ts'
import { liveCommand } from '../../../lib/cli/commands/live.ts'
import { tradesCommand } from '../../../lib/cli/commands/trades.ts'
import { MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { commit, loadOrCreateState } from '../../../lib/execution/commit.ts'
import { flattenPosition } from '../../../lib/execution/flatten-position.ts'
import { CannotEnforce } from '../../../lib/execution/read-state.ts'
import { createStore } from '../../../lib/store/store.ts'
import { CLOSE, createWorld, SLOT } from '../../cycle/world.ts'
import { createLiveWorld, LONG } from '../../failure-modes/live-world.ts'
import { bodyOf, everything, fixture, itemsOf, tamper } from './stored.ts'
import { contextOn, sessionOn } from './session.ts'

type Body = Record<string, unknown>
const inside =
  (path: readonly string[], change: (body: Body) => unknown) =>
  (body: Body): unknown => {
    const [key, ...rest] = path
    return key === undefined ? change(body) : { ...body, [key]: inside(rest, change)(body[key] as Body) }
  }
const more = (...path: string[]) => inside(path, (body) => ({ ...body, addedLater: { of: 'a newer release' } }))
const other = (value: unknown, ...path: string[]) =>
  inside(path.slice(0, -1), (body) => ({ ...body, [path.at(-1) ?? '']: value }))

/** What a newer release may have stored that this one must not act on. */
const DECISIVE: readonly (readonly [string, (body: Body) => unknown])[] = [
  ['a state that needs a newer reader', other(STORED_VERSION + 1, 'minReader')],
  ['a field in the phase', more('phase')],
  ['a field in the position', more('phase', 'position')],
  ['a field in the exits', more('phase', 'position', 'protection')],
  ['a field in the levels of the exits', more('phase', 'position', 'bracket')],
  ['an unknown phase', other('rolling', 'phase', 'kind')],
  ['an unknown kind of protection', other('trailing', 'phase', 'position', 'protection', 'status')],
  ['an unknown side', other('hedged', 'phase', 'position', 'side')],
  ['an unknown author of a halt', other({ at: toIso(SLOT), by: 'account', rule: null, reason: 'r' }, 'halt')],
  ['a field that is missing', other(undefined, 'phase', 'position', 'quantity')],
  ['a field of another type', other(12, 'phase', 'position', 'quantity')],
  ['a version that is no number', other('two', 'schemaVersion')],
]

/** What it may have stored beside what decides. */
const HARMLESS: readonly (readonly [string, (body: Body) => unknown])[] = [
  ['a field of the state', more()],
  ['a field of the account', more('accounting')],
  ['a field of the memory', more('memory')],
  ['a field of the cursor', more('cursor')],
  ['a higher version that this one may act on', other(STORED_VERSION + 5, 'schemaVersion')],
]

describe.each(DECISIVE)('%s, stored by a newer release', (_what, change) => {
  it('keeps enforcement, cycle, halt and flattening of a live position from doing anything, and each says so', async () => {
    const world = await createLiveWorld({ decisions: [LONG, CLOSE] })
    await world.cycle()
    await tamper(world.items, 'LIVE#eth-perp', 'STATE', change)
    const [before, exits, asked] = [await everything(world.items), world.exits(), world.venue.requests.length]
    world.moveTo(30)
    world.events.length = 0
    const attempts = [() => world.enforce(), () => flattenPosition(world.ports), () => world.halt()]
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrow(CannotEnforce)
      await expect(attempt()).rejects.toThrow(/LIVE#eth-perp STATE .*opens, moves and closes nothing; a stop .*stays/)
    }
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('LIVE#eth-perp STATE'),
    })
    expect(await everything(world.items)).toEqual(before)
    expect(world.exits()).toEqual(exits)
    expect(world.venue.requests).toHaveLength(asked)
    expect(new Set(world.told())).toEqual(new Set(['failed']))
    expect(world.logs.filter((line) => line.startsWith('error'))).not.toHaveLength(0)
  })

  it('is named on paper by every command that would act, with what to do', async () => {
    const items = await itemsOf(fixture('paper-open'))
    await tamper(items, 'STRATEGY#eth-perp', 'STATE', change)
    const before = await everything(items)
    const session = sessionOn(items)
    const named = /STRATEGY#eth-perp STATE cannot be used by this release: .*What to do/
    await expect(statusCommand(session)).rejects.toThrow(named)
    expect(await haltCommand(await contextOn(items), { reason: 'r', flatten: true })).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(named),
    })
    expect(await doctorCommand(session)).toMatchObject({ exitCode: 1, text: expect.stringContaining('cannot be used') })
    expect(await everything(items)).toEqual(before)
  })
})

describe.each(HARMLESS)('%s, stored by a newer release', (_what, change) => {
  it('is kept, unchanged, through passes, cycles, a halt and a close', async () => {
    const world = await createLiveWorld({ decisions: [LONG, CLOSE] })
    await world.cycle()
    const changed = bodyOf(await tamper(world.items, 'LIVE#eth-perp', 'STATE', change))
    await world.pass(2)
    world.moveTo(30)
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    await world.halt()
    const after = bodyOf((await everything(world.items)).find(({ sk }) => sk === 'STATE') ?? { body: '' })
    expect(after).toMatchObject({
      phase: { kind: 'flat' },
      halt: { reason: 'stop' },
      schemaVersion: changed['schemaVersion'],
    })
    for (const path of [[], ['accounting'], ['memory'], ['cursor']]) {
      const at = (body: Body) => path.reduce<Body>((inner, key) => inner[key] as Body, body)['addedLater']
      expect(at(after)).toEqual(at(changed))
    }
  })
})

/** Any JSON but for the one key that no object of ours can have. */
const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')))

it('fields of the state that nobody knows come back with the same bytes, whatever they hold', async () => {
  const base = fixture('paper-open')
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.string({ minLength: 1 }).map((key) => `x${key}`),
        json,
        { minKeys: 1, maxKeys: 4 },
      ),
      async (fields) => {
        const items = await itemsOf(base)
        await tamper(items, 'STRATEGY#eth-perp', 'STATE', (body) => ({ ...body, ...fields }))
        const world = createWorld({ items, writer: 'after' })
        world.time.now = SLOT + MINUTE_MS
        const at = toIso(world.time.now)
        await commit(world.ports, await loadOrCreateState(world.ports), [
          { type: 'incident_noted', at, kind: 'k', detail: 'd' },
        ])
        const [stored] = (await everything(items)).filter(({ sk }) => sk === 'STATE')
        const body = bodyOf(stored ?? { body: '' })
        for (const [key, value] of Object.entries(JSON.parse(JSON.stringify(fields)) as Body))
          expect(body[key]).toEqual(value)
      },
    ),
    { numRuns: 60 },
  )
})

describe('a cycle record of a newer release', () => {
  const CYCLE = 'CYCLE#2026-03-10T12:00:00Z'

  it.each([
    ['with a setting more', more('config')],
    ['with one setting of the guard more', more('config', 'guard')],
    ['with one setting of the decider more', more('config', 'decider')],
    ['with one setting of the market more', more('config', 'market')],
    ['with one part of the snapshot more', more('snapshot')],
    ['with one field more', more()],
    ['that needs a newer reader to be acted on', other(STORED_VERSION + 7, 'minReader')],
  ])('%s can be explained, and lists and the clearance go on', async (_what, change) => {
    const items = await itemsOf(fixture('paper-life'))
    await tamper(items, 'STRATEGY#eth-perp', CYCLE, change)
    const session = sessionOn(items)
    const { text } = await explainCommand(session, 'eth-perp-20260310T1200Z')
    expect(text).toContain('entered')
    expect((await createStore(items, 'r').listCycles('eth-perp', { limit: 99 })).skipped).toEqual([])
    expect(await liveCommand(session, { by: 'x' })).toMatchObject({ exitCode: 1 })
  })

  it.each([
    ['that has an outcome nobody knows', other('rolled', 'outcome')],
    ['that is broken JSON', null],
  ])('%s is left out of lists and named there, and keeps no command from the others', async (_what, change) => {
    const items = await itemsOf(fixture('paper-life'))
    if (change !== null) await tamper(items, 'STRATEGY#eth-perp', CYCLE, change)
    else {
      const item = await items.get('STRATEGY#eth-perp', CYCLE)
      if (item !== null) await items.put({ ...item, body: item.body.slice(0, -9) }, 'none')
    }
    const said: string[] = []
    const session = sessionOn(items, said)
    const { items: listed, skipped } = await createStore(items, 'r').listCycles('eth-perp', { limit: 99 })
    expect([listed.length, skipped.length]).toEqual([6, 1])
    expect(skipped[0]?.message).toContain(`STRATEGY#eth-perp ${CYCLE}`)
    expect(await liveCommand(session, { by: 'x' })).toMatchObject({ exitCode: 1 })
    expect(await tradesCommand(session, { csv: false })).toMatchObject({ exitCode: 0 })
    expect(said.join()).toContain(`STRATEGY#eth-perp ${CYCLE}`)
    await expect(explainCommand(session, 'eth-perp-20260310T1200Z')).rejects.toThrow(CYCLE)
    expect((await explainCommand(session, 'eth-perp-20260310T1330Z')).text).toContain('closed')
  })

  it('that was begun with a kind of order that nobody knows is not gone on with', async () => {
    const items = await itemsOf(fixture('paper-opening'))
    await tamper(items, 'STRATEGY#eth-perp', CYCLE, other('limit', 'order', 'kind'))
    const before = (await everything(items)).find(({ sk }) => sk === CYCLE)
    const world = createWorld({ items, writer: 'after' })
    world.time.now = SLOT + 10 * MINUTE_MS
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'failed' })
    expect((await everything(items)).find(({ sk }) => sk === CYCLE)).toEqual(before)
    expect(world.asked).toEqual([])
  })
})

it.each([
  ['a trade', 'TRADE#2026-03-10T13:30:00Z#eth-perp-20260310T1200Z-07864b'],
  ['a fill', 'FILL#2026-03-10T13:30:00Z#paper-ETP-20DEC30-CDE-4'],
])('%s with a field more is listed, and one of an unknown kind is left out and named', async (_what, sk) => {
  const items = await itemsOf(fixture('paper-life'))
  const store = createStore(items, 'r')
  const list = () => (sk.startsWith('TRADE') ? store.listTrades : store.listFills)('eth-perp', { limit: 9 })
  const whole = (await list()).items.length
  await tamper(items, 'STRATEGY#eth-perp', sk, more())
  expect((await list()).items).toHaveLength(whole)
  await tamper(items, 'STRATEGY#eth-perp', sk, (body) => ({ ...body, side: 'neither' }))
  expect(await list()).toMatchObject({ items: { length: whole - 1 }, skipped: [{ sk }] })
})

it('the paper account of a newer release keeps a paper strategy from being traded', async () => {
  const items = await itemsOf(fixture('paper-open'))
  await tamper(items, 'PAPER#eth-perp', 'BOOK', more('position'))
  const before = await everything(items)
  const world = createWorld({ items, writer: 'after', decide: () => CLOSE })
  world.time.now = SLOT + 30 * MINUTE_MS
  await expect(world.enforce()).rejects.toThrow(/PAPER#eth-perp BOOK/)
  expect(await world.cycle()).toMatchObject({ outcome: 'failed' })
  expect(await everything(items)).toEqual(before)
})

it('a clearance of a newer release lets nothing live happen', async () => {
  const items = await itemsOf(fixture('paper-life'))
  await tamper(items, 'STRATEGY#eth-perp', 'CLEARANCE', other(STORED_VERSION + 1, 'minReader'))
  await expect(createStore(items, 'r', 'live').loadClearance('eth-perp')).rejects.toThrow(/CLEARANCE/)
})
