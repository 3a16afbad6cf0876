import { ETH } from '../../support/instruments.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCycleHandler, createEnforcementHandler } from '../../../lib/compose/handlers.ts'
import type { Runtime } from '../../../lib/compose/lambda.ts'
import { writeDeployment } from '../../../lib/compose/write-deployment.ts'
import { loadConfig } from '../../../lib/config/load-config.ts'
import { money } from '../../../lib/core/decimal.ts'
import { toIso } from '../../../lib/core/time.ts'
import { loadOrCreateState, retryOnConflict } from '../../../lib/execution/commit.ts'
import { haltStrategy, NothingToHalt, resumeStrategy } from '../../../lib/execution/halt-strategy.ts'
import { createState } from '../../../lib/ledger/transition.ts'
import { takeInventory } from '../../../lib/store/inventory.ts'
import { type ItemStore, type SearchableItems, StoreError } from '../../../lib/store/item-store.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import { createStore } from '../../../lib/store/store.ts'
import { HaltReport, StatusReport } from '../../../schemas/cli.ts'
import type { Halt } from '../../../schemas/state.ts'
import { createWorld, SLOT } from '../../cycle/world.ts'
import { createPlace, everything, KEY, type Place, RULE } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
})
afterAll(() => place.close())

const HALT: Halt = { at: toIso(SLOT), by: 'operator', rule: null, reason: 'storm' }
const AT = toIso(SLOT)

/** The functions of a stack, in a process of their own each time. */
function functions(table: string, config: Record<string, unknown> = {}) {
  let ids = 0
  const runtime = (clock: number): Runtime => ({
    variables: {
      HOURHAND_TABLE: table,
      HOURHAND_DYNAMODB_ENDPOINT: place.endpoint,
      HOURHAND_CONFIG: JSON.stringify({ market: { source: 'sim' }, ...config }),
      ...place.deployed,
      COINBASE_API_KEY_PARAMETER: '/hourhand/eth-perp/coinbase-api-key',
      COINBASE_API_SECRET: KEY.privateKeyPem,
      AWS_REGION: 'eu-central-1',
    },
    write() {},
    clock: () => clock,
    newId: () => `${table}-${clock}-${ids++}`,
    sleep: async () => {},
  })
  return {
    /** One process through several events. */
    warm: () => createEnforcementHandler(runtime(SLOT)),
    cycle: (event: unknown, at = SLOT) => createCycleHandler(runtime(at))(event),
    enforce: (event: unknown, at = SLOT) => createEnforcementHandler(runtime(at))(event),
  }
}

describe('the functions of a stack', () => {
  it('write down what they are, once while nothing differs, and never in a dry run', async () => {
    const { name, items } = await place.newTable()
    await functions(name).cycle({ dryRun: true })
    expect(await everything(items)).toEqual([])
    const warm = functions(name).warm()
    await warm({ dryRun: true })
    expect(await everything(items)).toEqual([])
    await warm({})
    const store = createStore(items, 'test')
    const written = await store.loadDeployment('eth-perp')
    expect(written).toMatchObject({
      version: 0,
      item: {
        strategyId: 'eth-perp',
        mode: 'paper',
        cycleRule: RULE,
        bus: 'hourhand-eth-perp',
        eventsEndpoint: place.aws.endpoint,
        credentialParameters: { COINBASE_API_KEY_PARAMETER: '/hourhand/eth-perp/coinbase-api-key' },
        writtenBy: 'lambda',
        region: 'eu-central-1',
        halt: null,
        config: { market: { source: 'sim', symbol: 'ETP-20DEC30-CDE' } },
      },
    })
    // No credential itself is among it.
    expect(JSON.stringify(await everything(items))).not.toContain('PRIVATE KEY')
    await functions(name).cycle({}, SLOT + 60_000)
    expect(await store.loadDeployment('eth-perp')).toEqual(written)
    // Deployed anew with another setting: the item follows, and a halt in it stays.
    await store.saveDeployment({ ...(written?.item as NonNullable<typeof written>['item']), halt: HALT }, 0)
    await functions(name, { interval: '1h' }).enforce({}, SLOT + 120_000)
    expect(await store.loadDeployment('eth-perp')).toMatchObject({
      version: 2,
      item: { halt: HALT, config: { interval: '1h' } },
    })
    // What a person runs beside it leaves it as it is.
    expect((await place.run(['enforce', '--table', name, '--at', toIso(SLOT + 300_000)])).code).toBe(0)
    expect(await store.loadDeployment('eth-perp')).toMatchObject({ version: 2, item: { writtenBy: 'lambda' } })
  }, 60_000)

  it('halted before their first cycle, they find the halt, do nothing, and trade again after a resume', async () => {
    const { name, items } = await place.newTable()
    await place.writeDown(items, loadConfig({ overrides: { market: { source: 'sim' } } }), place.deployed)
    const at = ['--table', name, '--json', '--at', AT]
    const halted = HaltReport.parse(JSON.parse((await place.run(['halt', '--reason', 'storm', ...at])).stdout))
    expect(halted).toMatchObject({
      phase: 'none',
      halt: { reason: 'storm' },
      schedule: { rule: RULE, isSwitched: true },
    })
    expect(await items.partitions()).toEqual(['DEPLOYMENT'])
    const flattened = await place.run(['halt', '--flatten', ...at])
    expect([flattened.code, await items.partitions()]).toEqual([0, ['DEPLOYMENT']])
    const status = StatusReport.parse(JSON.parse((await place.run(['status', ...at])).stdout))
    expect([status.halt?.reason, status.lastSlot, await items.partitions()]).toEqual(['storm', null, ['DEPLOYMENT']])
    expect(await functions(name).cycle({})).toMatchObject({ outcome: 'halted' })
    expect(await createStore(items, 'test').loadState('eth-perp')).toMatchObject({
      halt: { reason: 'storm', by: 'operator' },
    })
    expect((await place.run(['resume', ...at])).code).toBe(0)
    expect(await createStore(items, 'test').loadDeployment('eth-perp')).toMatchObject({ item: { halt: null } })
    expect(await functions(name).cycle({}, SLOT + 30 * 60_000)).toMatchObject({
      outcome: expect.not.stringMatching('halted'),
    })
  }, 60_000)

  it('and the command line of a local run write the same, with files named so that they are found from anywhere', async () => {
    const { name, items } = await place.newTable()
    expect((await place.run(['cycle', '--table', name, '--market', 'sim', '--at', AT])).code).toBe(0)
    expect(await createStore(items, 'test').loadDeployment('eth-perp')).toMatchObject({
      item: { writtenBy: 'cli', cycleRule: null, config: { market: { source: 'sim' } } },
    })
    // The second command needs no --market: it goes on as the first ran.
    expect((await place.run(['status', '--table', name, '--at', toIso(SLOT + 60_000)])).stdout).toContain(
      'on simulated prices',
    )
  }, 60_000)
})

describe('a halt at the moment of the first state', () => {
  it('is never lost, in whatever order the reads and writes of both come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const items = createMemoryItems()
        const { config } = createWorld()
        await writeDeployment(createStore(items, 'stack'), {
          config,
          environment: {},
          codeVersion: 'test',
          writtenBy: 'lambda',
          at: toIso(SLOT),
        })
        const slowly: ItemStore = {
          get: scheduler.scheduleFunction(items.get),
          put: scheduler.scheduleFunction(items.put),
          query: items.query,
        }
        const first = createWorld({ items: slowly, writer: 'function' })
        const person = createWorld({ items: slowly, writer: 'person' })
        const begin = retryOnConflict(first.ports, () => loadOrCreateState(first.ports))
        const both = Promise.all([begin, haltStrategy(person.ports, HALT)])
        await scheduler.waitFor(both)
        // Whoever comes next finds it halted.
        const next = createWorld({ items, writer: 'next' })
        expect((await loadOrCreateState(next.ports)).halt).toMatchObject({ reason: 'storm' })
        await resumeStrategy(next.ports)
        expect((await loadOrCreateState(next.ports)).halt).toBeNull()
      }),
      { numRuns: 150 },
    )
  })

  it('has nowhere to be kept without state and deployment item, makes neither, and says how to stop what runs', async () => {
    const items = createMemoryItems()
    const error = await haltStrategy(createWorld({ items }).ports, HALT).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NothingToHalt)
    expect(String(error)).toContain('aws events disable-rule --name hourhand-eth-perp-cycle')
    expect(await items.partitions()).toEqual([])
  })
})

describe('the inventory of a table', () => {
  const life = fc.record({
    strategyId: fc.constantFrom('eth-perp', 'btc-perp', 'a', 'a-b', 'z9'),
    mode: fc.constantFrom('paper' as const, 'live' as const),
    hasState: fc.boolean(),
    hasItem: fc.boolean(),
  })

  it('names every strategy and mode that has a state or a deployment item, no other, and writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(life, { selector: ({ strategyId, mode }) => `${mode} ${strategyId}`, maxLength: 8 }),
        async (lives) => {
          const items = createMemoryItems()
          for (const { strategyId, mode, hasState, hasItem } of lives) {
            const store = createStore(items, 'test', mode)
            const config = loadConfig({ overrides: { id: strategyId, mode, market: { source: 'live' } } })
            if (hasState) await store.saveState(createState(strategyId, ETH, money(1), AT), true)
            if (hasItem)
              await writeDeployment(store, { config, environment: {}, codeVersion: 't', writtenBy: 'cli', at: AT })
          }
          const before = await everything(items)
          const { found, problem } = await takeInventory(items, [])
          expect(problem).toBeNull()
          expect(found.map(({ mode, strategyId }) => `${mode} ${strategyId}`).toSorted()).toEqual(
            lives
              .filter(({ hasState, hasItem }) => hasState || hasItem)
              .map(({ mode, strategyId }) => `${mode} ${strategyId}`)
              .toSorted(),
          )
          expect(await everything(items)).toEqual(before)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('asks a table once a partition, however many items lie in it', async () => {
    const { items } = await place.newTable()
    const put = (pk: string, sk: string) =>
      items.put({ pk, sk, version: null, body: '{}', writer: 'test', expiresAt: null }, 'none')
    for (const pk of ['STRATEGY#a', 'LIVE#a', 'PAPER#a', 'LIVE#~~', 'x'])
      for (const sk of ['A', 'STATE', 'TRADE#~', '\u007f']) await put(pk, sk)
    expect((await items.partitions()).toSorted()).toEqual(['LIVE#a', 'LIVE#~~', 'PAPER#a', 'STRATEGY#a', 'x'])
  })

  it('that may not be searched still finds what is named, and says that there may be more', async () => {
    const items = createMemoryItems()
    await createStore(items, 'old release', 'live').saveState(createState('eth-perp', ETH, money(1), AT), true)
    const closed: SearchableItems = {
      ...items,
      async partitions() {
        throw new StoreError('AccessDeniedException')
      },
    }
    const { found, problem } = await takeInventory(closed, ['eth-perp'])
    expect(found).toMatchObject([{ mode: 'live', strategyId: 'eth-perp', deployment: null, config: null }])
    expect(problem).toContain('dynamodb:Scan')
  })
})
