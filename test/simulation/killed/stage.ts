import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { keyFingerprintOf } from '../../../lib/venue/coinbase/credentials.ts'
import { loadConfig } from '../../../lib/config/load-config.ts'
import { type EpochMs, MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { strategyHashOf } from '../../../lib/guard/strategy-hash.ts'
import { createDynamoClient, ensureTable } from '../../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../../lib/store/dynamo-items.ts'
import { startEmbeddedDynamo } from '../../../lib/store/embedded-dynamo.ts'
import type { ItemStore } from '../../../lib/store/item-store.ts'
import { createStore, type Store } from '../../../lib/store/store.ts'
import type { Decision } from '../../../schemas/decision.ts'
import { CURRENT_VERSION } from '../../../schemas/stored.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { openAiDialect } from '../../support/fake-openai.ts'
import { createFakeVenue, type FakeVenue } from '../../support/coinbase/fake-venue.ts'
import { makeVenueKey } from '../../support/coinbase/jwt.ts'
import { constantPath, type PricePath } from '../../support/coinbase/prices.ts'
import { startVenueServer } from '../../support/coinbase/venue-server.ts'
import { bundleCli } from './bundle-cli.ts'
import { Child, type Fate } from './child.ts'
import { type Gate, type GateKeeper, pause, startGate } from './gate.ts'
import type { RunningClock } from './running-clock.ts'
import type { Sabotage } from './sabotages.ts'
import { RISKING } from '../../support/risking.ts'

/**
 * `outside`: a database that outlives every process. `own`: each process has the one under its data directory open, and
 * dies with it.
 */
export type Database = 'outside' | 'own'

export type StageOptions = {
  database: Database
  clock: RunningClock
  price: PricePath
  sabotage: Sabotage | null
  /** What the model says when it is asked. */
  decide: () => Decision
  /** Who watches a child's requests, beside its fate. */
  watch: Pick<GateKeeper, 'answered'> & { passing(...args: Parameters<GateKeeper['passing']>): void }
}

/**
 * Everything a process of the command line meets, on this machine: venue, model, database, configuration, clearance.
 */
export type Stage = {
  config: StrategyConfig
  venue: FakeVenue
  spawn(args: readonly string[], options: { at: EpochMs; fate: Fate }): Promise<Child>
  /** The live memory, and what is stored of the clearance; opens the database where a process owns it otherwise. */
  withStore<T>(work: (store: Store) => Promise<T>): Promise<T>
  dataDir: string
  close(): Promise<void>
}

const PAPER_DAYS = 20
const TABLE = 'hourhand'

export async function openStage({ database, sabotage, clock, price, decide, watch }: StageOptions): Promise<Stage> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-killed-'))
  const dataDir = path.join(scratch, 'data')
  mkdirSync(dataDir)
  const key = makeVenueKey({ form: 'pkcs8' })
  const [program, outside] = await Promise.all([
    bundleCli(path.join(scratch, 'cli'), sabotage),
    database === 'outside' ? startEmbeddedDynamo() : null,
  ])
  const venue = createFakeVenue({
    clock: clock.now,
    price,
    reference: constantPath(80_000),
    initialCash: '10000',
    fundingRate: () => '0.00002',
  })
  const server = await startVenueServer({ venue, clock, keys: [key] })

  const children = new Map<string, Child>()
  const keeperOf = (child: Child): GateKeeper => ({
    passing(passing) {
      clock.run()
      watch.passing(passing)
      return child.passing(passing)
    },
    answered: watch.answered,
    kill: () => child.kill(),
  })
  const model = await startModel(decide)
  // One address for all, as the decider's address is part of what is cleared; a child is known by the key it sends.
  const modelGate = await startGate('model', model.url, ({ headers }) => {
    const child = children.get(String(headers.authorization).replace('Bearer ', ''))
    if (child === undefined) throw new Error('the model was asked by somebody else')
    return keeperOf(child)
  })

  const settings = {
    mode: 'live',
    interval: '30m',
    market: { source: 'live', baseUrl: server.url, referenceSymbol: null },
    decider: { kind: 'openai', model: 'gpt-test', baseUrl: `${modelGate.url}${openAiDialect.basePath}` },
    live: { tradesPerSizeStep: 4 },
    sizing: RISKING,
    guard: {
      minStopAtr: 0.01,
      maxStopAtr: 1_000,
      maxPriceMoveAtr: 1_000,
      minRewardToRisk: 0.01,
      cooldownMinutesAfterLoss: 0,
      maxEntriesPerDay: 100,
      maxEntrySlippageBps: 20,
      sessionBufferMinutes: 0,
      liquidationBuffer: 0,
      maxFundingAnnualised: 100,
    },
  }
  const config = loadConfig({ overrides: settings })

  const withItems = async <T>(work: (items: ItemStore) => Promise<T>): Promise<T> => {
    const opened = outside ?? (await startEmbeddedDynamo(dataDir))
    const client = createDynamoClient(opened.endpoint)
    try {
      await ensureTable(client, TABLE)
      return await work(createDynamoItems({ client, tableName: TABLE }))
    } finally {
      client.destroy()
      if (outside === null) await opened.close()
    }
  }
  const withStore = <T>(work: (store: Store) => Promise<T>): Promise<T> =>
    withItems((items) => work(createStore(items, 'witness', 'live')))
  await withStore((store) => store.saveClearance(clearanceOf(config, key.name, clock.now()), null))

  let spawned = 0
  const spawnChild = async (args: readonly string[], { at, fate }: { at: EpochMs; fate: Fate }): Promise<Child> => {
    spawned += 1
    const name = `child-${spawned}`
    const gates: Gate[] = []
    const holder: { child: Child | null } = { child: null }
    const open = async (target: 'venue' | 'database', upstream: string): Promise<string> => {
      const gate = await startGate(target, upstream, () => {
        if (holder.child === null) throw new Error('asked before it began')
        return keeperOf(holder.child)
      })
      gates.push(gate)
      return gate.url
    }
    const venueUrl = await open('venue', server.url)
    const endpoint = outside === null ? {} : { HOURHAND_DYNAMODB_ENDPOINT: await open('database', outside.endpoint) }
    const file = path.join(scratch, `${name}.json`)
    writeFileSync(file, JSON.stringify({ ...settings, market: { ...settings.market, baseUrl: venueUrl } }))
    const child = new Child({
      program,
      args: [...args, '--config', file, '--data-dir', dataDir, '--at', toIso(at), '--json'],
      env: { OPENAI_API_KEY: name, COINBASE_API_KEY: key.name, COINBASE_API_SECRET: key.privateKeyPem, ...endpoint },
      fate,
      cwd: scratch,
    })
    holder.child = child
    children.set(name, child)
    void child.ended.then(async () => {
      rmSync(file, { force: true })
      // What a dead process has sent may still be under way.
      await pause(20)
      await Promise.all(gates.map((gate) => gate.close()))
    })
    return child
  }

  return {
    config,
    venue,
    spawn: spawnChild,
    withStore,
    dataDir,
    async close() {
      for (const child of children.values()) child.kill()
      await Promise.all([...children.values()].map(({ ended }) => ended))
      await Promise.all([modelGate.close(), model.close(), server.close(), outside?.close()])
      rmSync(scratch, { recursive: true, force: true })
    },
  }
}

/** Earned: verified, two weeks, fifty trades. */
const clearanceOf = (config: StrategyConfig, keyName: string, now: EpochMs) => {
  const at = toIso(now - MINUTE_MS)
  return {
    ...CURRENT_VERSION,
    strategyId: config.id,
    credentials: {
      verifiedAt: at,
      keyFingerprint: keyFingerprintOf(keyName),
      portfolioUuid: 'portfolio',
      symbol: config.market.symbol,
    },
    paper: {
      evaluatedAt: at,
      firstSlot: at,
      lastSlot: at,
      days: PAPER_DAYS,
      cycles: 900,
      trades: 60,
      unresolvedIncidents: 0,
      configHash: strategyHashOf(config),
    },
    paperCounting: 2,
    figures: [],
    waivers: (['record_sharpe', 'record_drawdown', 'record_trades'] as const).map((gate) => ({
      gate,
      at,
      by: 'the test',
      reason: 'it is about execution',
    })),
  }
}

/** A model that decides what `decide` says, at the moment it is asked. */
async function startModel(decide: () => Decision): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () =>
      openAiDialect.answer(JSON.stringify(decide()), 4_000)(response, {
        path: request.url ?? '',
        headers: request.headers,
        body: null,
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
