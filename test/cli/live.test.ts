import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { runCli } from '../../lib/cli/run-cli.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { dec, money, price, quantity } from '../../lib/core/decimal.ts'
import { cycleIdOf } from '../../lib/core/ids.ts'
import { DAY_MS, fromIso, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { newRecord } from '../../lib/cycle/claim.ts'
import { createDynamoClient, ensureTable } from '../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import { createStore, type Store } from '../../lib/store/store.ts'
import {
  AccountMovedReport,
  CycleReport,
  DoctorReport,
  HaltReport,
  LiveReport,
  ReconcileReport,
  StatusReport,
  TradesReport,
} from '../../schemas/cli.ts'
import type { Trade } from '../../schemas/trade.ts'
import { HOLD, outcomeOf } from '../cycle/world.ts'
import { startFakeAws } from '../support/fake-aws.ts'
import { openAiDialect } from '../support/fake-openai.ts'
import { startScriptedServer } from '../support/scripted-server.ts'
import { createFakeVenue, type FakeVenue } from '../support/coinbase/fake-venue.ts'
import { makeVenueKey } from '../support/coinbase/jwt.ts'
import { createManualClock } from '../support/coinbase/manual-clock.ts'
import { constantPath, type PricePath } from '../support/coinbase/prices.ts'
import { startVenueServer, type VenueServer } from '../support/coinbase/venue-server.ts'

const SLOT = fromIso('2026-11-02T10:00:00Z')
const START = SLOT + 12_000
const DAYS = 14
const KEY = makeVenueKey({ form: 'pkcs8' })
const READER = makeVenueKey({ scopes: ['view'] })
const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-live-mode-'))
const data = path.join(scratch, 'data')

/** 3000 and at most 10 away from it, once up and down in two hours. */
const LEVEL = 3_000
const AMPLITUDE = 10
const wave: PricePath = {
  at: (instant) => LEVEL + AMPLITUDE * Math.sin((2 * Math.PI * instant) / (2 * HOUR_MS)),
  bar(from, lengthMs) {
    const open = wave.at(from)
    const close = wave.at(from + lengthMs - 1)
    return {
      open,
      close,
      high: Math.max(open, close) + 1,
      low: Math.min(open, close) - 1,
      volume: lengthMs / MINUTE_MS,
    }
  },
}

const DECISION = {
  action: 'open_long',
  stopLossPrice: LEVEL - 40,
  takeProfitPrice: LEVEL + 120,
  confidence: 0.6,
  invalidation: 'below the stop',
  rationale: 'the trend holds',
}

/**
 * Live mode on the command line as a person goes through it, against a venue on a loopback port: real ccxt, real
 * signatures, a database on disk.
 */
describe('going live', () => {
  const clock = createManualClock(START)
  let venue: FakeVenue
  let server: VenueServer
  let model: Awaited<ReturnType<typeof startScriptedServer>>
  let aws: Awaited<ReturnType<typeof startFakeAws>>
  let settings: Record<string, unknown>
  const keyed = { COINBASE_API_KEY: KEY.name, COINBASE_API_SECRET: KEY.privateKeyPem.replaceAll('\n', '\\n') }

  beforeAll(async () => {
    venue = createFakeVenue({ clock: clock.now, price: wave, reference: constantPath(80_000), initialCash: '10000' })
    server = await startVenueServer({ venue, clock, keys: [KEY, READER] })
    model = await startScriptedServer([openAiDialect.answer(JSON.stringify(DECISION), 4_000)])
    aws = await startFakeAws((call) => ({
      body: {
        FailedEntryCount: 0,
        Entries: ((call.body['Entries'] ?? []) as unknown[]).map((_entry, index) => ({ EventId: String(index) })),
      },
    }))
    settings = {
      market: { source: 'live', baseUrl: server.url },
      decider: { kind: 'openai', model: 'gpt-test', baseUrl: `${model.url}${openAiDialect.basePath}` },
      guard: { minStopAtr: 0.1, maxStopAtr: 50, maxFundingAnnualised: 10 },
    }
    writeFileSync(configFile('paper'), JSON.stringify(settings))
    writeFileSync(configFile('live'), JSON.stringify({ ...settings, mode: 'live' }))
  })

  afterAll(async () => {
    await Promise.all([server?.close(), model?.close(), aws?.close()])
    rmSync(scratch, { recursive: true, force: true })
  })

  const configFile = (mode: 'paper' | 'live'): string => path.join(scratch, `${mode}.json`)

  type Run = { env?: Record<string, string>; mode?: 'paper' | 'live' }

  async function run(
    args: readonly string[],
    { env = keyed, mode = 'live' }: Run = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const out = { stdout: '', stderr: '' }
    let ids = 0
    const code = await runCli([...args, '--config', configFile(mode), '--data-dir', data], {
      stdout: (text) => (out.stdout += text),
      stderr: (text) => (out.stderr += text),
      env: { OPENAI_API_KEY: 'sk-loopback-0123456789', ...env },
      clock: clock.now,
      newId: () => `${clock.now()}-${ids++}`,
      // Waiting at the venue's own clock, which stands otherwise.
      sleep: async (ms) => clock.advance(ms),
    })
    for (const line of keyLines(KEY.privateKeyPem)) expect(out.stdout + out.stderr).not.toContain(line)
    return { code, ...out }
  }

  const keyLines = (pem: string): string[] =>
    pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'))

  async function json<T>(
    schema: z.ZodType<T>,
    args: readonly string[],
    options?: Run,
  ): Promise<{ code: number; document: T }> {
    const { code, stdout, stderr } = await run([...args, '--json'], options)
    if (stdout === '') throw new Error(stderr)
    return { code, document: schema.parse(JSON.parse(stdout)) }
  }

  /** Opens the database the command line leaves behind. */
  async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const embedded = await startEmbeddedDynamo(data)
    const client = createDynamoClient(embedded.endpoint)
    try {
      await ensureTable(client, 'hourhand')
      return await work(createStore(createDynamoItems({ client, tableName: 'hourhand' }), 'test', 'paper'))
    } finally {
      client.destroy()
      await embedded.close()
    }
  }

  /** A paper life of two weeks with one cycle a day, and so many trades. */
  const liveThroughPaper = (trades: number): Promise<void> =>
    withStore(async (store) => {
      const config = loadConfig({ overrides: settings })
      const slots = Array.from({ length: DAYS }, (_, day) => SLOT - (DAYS - day) * DAY_MS)
      for (const slot of slots) {
        const finished = {
          ...newRecord({ config, codeVersion: 'test' }, slot, slot),
          progress: 'finished' as const,
          outcome: 'entered' as const,
          decision: outcomeOf(HOLD),
          reason: 'entered',
          finishedAt: toIso(slot),
        }
        await store.createCycle(finished)
      }
      await store.appendHistory(
        config.id,
        Array.from({ length: trades }, (_, index) => {
          const trade = tradeOf(cycleIdOf(config.id, slots[index % DAYS] ?? SLOT), index)
          return { kind: 'TRADE' as const, id: trade.id, at: trade.exitTime, body: trade }
        }),
        1,
      )
    })

  const tradeOf = (cycleId: string, index: number): Trade => ({
    id: `${cycleId}-${index.toString(16).padStart(6, '0')}`,
    strategyId: 'eth-perp',
    side: 'long',
    quantity: quantity(1),
    entryTime: toIso(SLOT - DAY_MS),
    entryPrice: price(3_000),
    exitTime: toIso(SLOT - DAY_MS + index),
    exitPrice: price(3_001),
    exitReason: 'take_profit',
    stopLossPrice: null,
    takeProfitPrice: null,
    gross: money('0.1'),
    fees: money('0'),
    funding: money('0'),
    slippage: money('0'),
    pnl: money('0.1'),
    rMultiple: null,
    regime: null,
    fillIds: [],
  })

  const liveOrders = () => venue.truth().orders.filter(({ isLive }) => isLive)
  const gateOf = ({ gates }: LiveReport, gate: string) => gates.find((one) => one.gate === gate)

  it('asks for credentials by name, and refuses a clock that is not the venue’s', async () => {
    const nothing = await run(['cycle'], { env: {} })
    expect(nothing).toMatchObject({ code: 2, stdout: '' })
    expect(nothing.stderr).toContain('COINBASE_API_KEY is not set')
    const half = await run(['cycle'], { env: { COINBASE_API_KEY: KEY.name } })
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining('COINBASE_API_SECRET is not set') })
    writeFileSync(path.join(scratch, 'real.json'), JSON.stringify({ mode: 'live', market: { source: 'live' } }))
    const out: string[] = []
    const real = await runCli(
      ['cycle', '--at', '2026-11-02T10:00:00Z', '--config', path.join(scratch, 'real.json'), '--data-dir', data],
      {
        stdout: () => {},
        stderr: (text) => out.push(text),
        env: keyed,
        clock: clock.now,
        newId: () => 'x',
        sleep: async () => {},
      },
    )
    expect(real).toBe(2)
    expect(out.join('')).toContain('a clock other than the real one never meets a real venue')
    expect(server.requests).toEqual([])
  })

  it('every gate is shut at first, and a cycle may think and not enter', async () => {
    const { code, document } = await json(LiveReport, ['live'])
    expect(code).toBe(1)
    expect(document.gates.map(({ gate, passed }) => [gate, passed])).toEqual([
      ['credentials', false],
      ['strategy', true],
      ['paper_days', false],
      ['paper_trades', false],
      ['paper_incidents', true],
      ['record_sharpe', false],
      ['record_drawdown', false],
      ['record_trades', false],
    ])
    const cycle = await json(CycleReport, ['cycle'])
    expect(cycle.document).toMatchObject({ outcome: 'refused', mode: 'live', record: { pk: 'LIVE#eth-perp' } })
    expect(cycle.document.verdicts.filter(({ passed }) => !passed)).toMatchObject([
      {
        rule: 'live_mode',
        reason: expect.stringMatching(
          /no credentials have been verified: run hourhand doctor.*no paper record has been looked at/,
        ),
      },
    ])
    expect(venue.truth().orders).toEqual([])
  }, 30_000)

  it('doctor finds fault with a key that may not trade, and verifies nothing', async () => {
    const { code, document } = await json(DoctorReport, ['doctor'], {
      env: { COINBASE_API_KEY: READER.name, COINBASE_API_SECRET: READER.privateKeyPem },
    })
    expect(code).toBe(1)
    expect(document.checks.filter(({ ok }) => !ok)).toMatchObject([
      { check: 'key permissions', detail: 'view: yes, trade: no' },
    ])
    expect(document.liveBarriers?.join()).toContain('no credentials have been verified')
    const missing = await json(DoctorReport, ['doctor'], { env: {} })
    expect(missing.code).toBe(1)
    expect(missing.document.checks.find(({ check }) => check === 'credentials')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('COINBASE_API_KEY is not set'),
    })
    expect(await withStore((store) => store.loadClearance('eth-perp'))).toBeNull()
  }, 30_000)

  it('two weeks on paper and a doctor’s visit open every gate but the count of trades; a person may waive that, aloud', async () => {
    await liveThroughPaper(10)
    const { code, document } = await json(DoctorReport, ['doctor'])
    expect(document.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(code).toBe(0)
    expect(document.liveBarriers).toEqual([
      '10 of 50 closed paper trades: 40 more trades, or hourhand live --override REASON --gate paper_trades',
      ...['record_sharpe', 'record_drawdown', 'record_trades'].map((gate) =>
        expect.stringMatching(`no figures of a record with these settings: .*--override REASON --gate ${gate}$`),
      ),
    ])

    const told = {
      HOURHAND_BUS: 'bus',
      HOURHAND_EVENTS_ENDPOINT: aws.endpoint,
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    }
    const waive = (gate: string) =>
      json(LiveReport, ['live', '--override', 'ten are enough for one contract', '--by', 'ann', '--gate', gate], {
        env: { ...keyed, ...told },
      })
    for (const gate of ['record_sharpe', 'record_drawdown', 'record_trades'])
      expect(await waive(gate)).toMatchObject({ code: 1, document: { isEarned: false } })
    const overridden = await waive('paper_trades')
    expect(overridden).toMatchObject({ code: 0, document: { isEarned: true } })
    expect(overridden.document.clearance.waivers).toHaveLength(4)
    expect(overridden.document.clearance.waivers[3]).toMatchObject({
      gate: 'paper_trades',
      by: 'ann',
      reason: 'ten are enough for one contract',
    })
    expect(gateOf(overridden.document, 'paper_trades')?.detail).toContain(
      '10 of 50 closed paper trades, overridden by ann',
    )
    const entries = aws.calls.flatMap(
      (call) => (call.body['Entries'] ?? []) as { DetailType: string; Detail: string }[],
    )
    expect(entries.map(({ DetailType: type }) => type)).toEqual(Array(4).fill('overridden'))
    expect(JSON.parse(entries[3]?.Detail ?? '')).toMatchObject({
      type: 'overridden',
      mode: 'live',
      detail: { by: 'ann', paperTrades: 10, required: 50 },
    })
  }, 30_000)

  it('the first live entry is the smallest, and protected', async () => {
    clock.set(START + 30 * MINUTE_MS)
    const { code, document } = await json(CycleReport, ['cycle'])
    expect(document.verdicts.filter(({ passed }) => !passed)).toEqual([])
    expect(document).toMatchObject({
      outcome: 'entered',
      order: { kind: 'entry', quantity: '1' },
      position: { side: 'long', quantity: '1', protection: 'live' },
    })
    expect(code).toBe(0)
    expect(venue.truth().position.contracts).toBe(1)
    expect(liveOrders()).toMatchObject([{ kind: 'bracket', bracket: { stopPrice: '2960', targetPrice: '3120' } }])
    const { document: status } = await json(StatusReport, ['status'])
    expect(status.comparison.filter(({ agrees }) => !agrees)).toEqual([])
    expect(status.comparison.map(({ what }) => what)).toEqual([
      'position',
      'average entry',
      'cash',
      'equity',
      'live exits',
      'protected',
      'stop',
      'target',
      'at risk',
      expect.stringMatching(/^order /),
    ])
    expect(status).toMatchObject({
      mode: 'live',
      live: { barriers: [], sizeCap: '1' },
      pending: null,
      venue: { name: 'coinbase' },
    })
  }, 30_000)

  it('a doctor’s visit while our own position is open verifies the credentials all the same', async () => {
    const { code, document } = await json(DoctorReport, ['doctor'])
    expect(document.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(code).toBe(0)
    expect(document.checks.find(({ check }) => check === 'no position')?.detail).toContain('as in the ledger')
  }, 30_000)

  it('status names a stranger’s order; reconcile puts back an exit that somebody took away', async () => {
    const stranger = venue.hand.placeLimit({ side: 'BUY', contracts: 2, price: '2500' })
    const { code, document } = await json(StatusReport, ['status'])
    expect(code).toBe(0)
    expect(document.comparison.filter(({ agrees }) => !agrees)).toEqual([
      { what: `order ${stranger}`, ledger: 'not known (not ours)', venue: 'buy 2, open', agrees: false },
    ])
    venue.hand.cancelAll()
    const dry = await json(ReconcileReport, ['reconcile', '--dry-run'])
    expect(dry).toMatchObject({
      code: 1,
      document: { notes: expect.arrayContaining(['would place the missing stop and target']) },
    })
    expect(liveOrders()).toEqual([])
    const done = await json(ReconcileReport, ['reconcile'])
    expect(done).toMatchObject({
      code: 0,
      document: {
        phase: 'open',
        differencesAfter: [],
        notes: expect.arrayContaining(['place the missing stop and target']),
      },
    })
    expect(done.document.differencesBefore.map(({ what }) => what)).toEqual([
      'live exits',
      'protected',
      'stop',
      'target',
      'at risk',
    ])
    expect(liveOrders()).toMatchObject([{ kind: 'bracket', size: 1 }])
    expect(await json(ReconcileReport, ['reconcile'])).toMatchObject({
      code: 0,
      document: { differencesBefore: [], notes: [] },
    })
  }, 60_000)

  it('halt stands even where the venue does not answer and no key is set', async () => {
    expect(await json(HaltReport, ['halt', '--reason', 'no key at hand'], { env: {} })).toMatchObject({
      code: 0,
      document: { halt: { reason: 'no key at hand' }, phase: 'open', flatten: null },
    })
    await run(['resume'])
    venue.misbehave({ fault: { kind: 'status', status: 503, takesEffect: false }, times: 1_000 })
    const { code, document } = await json(HaltReport, ['halt', '--flatten', '--reason', 'storm'])
    const status = await run(['status'])
    venue.behave()
    expect(status).toMatchObject({ code: 1, stdout: '' })
    expect(status.stderr).toMatch(
      /HTTP 503[^]*The ledger alone, version \d+ of .*: open, long 1 from \d.*, stop 2960, protection live\nHALTED by operator since .*: storm/,
    )
    expect(code).toBe(1)
    expect(document).toMatchObject({
      halt: { by: 'operator', reason: 'storm' },
      phase: 'open',
      flatten: { isFlat: false, held: ['not known'] },
    })
    expect(venue.truth().position.contracts).toBe(1)
    expect((await run(['halt', '--flatten'], { env: {} })).stdout).toMatch(
      /is halted since .*storm\nIt could NOT be flattened: COINBASE_API_KEY is not set/,
    )
  }, 60_000)

  it('halt --flatten closes at market and takes the exits away; the schedule is off, the trade is told', async () => {
    const rule = {
      HOURHAND_CYCLE_RULE: 'hourhand-eth-perp-cycle',
      HOURHAND_EVENTS_ENDPOINT: aws.endpoint,
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    }
    const { code, stdout } = await run(['halt', '--flatten'], { env: { ...keyed, ...rule } })
    expect(stdout).toContain('It is flat: nothing is held, no exit rests')
    expect(code).toBe(0)
    expect(venue.truth().position.contracts).toBe(0)
    expect(liveOrders()).toEqual([])
    expect(aws.calls.map(({ target }) => target)).toContain('DisableRule')
    expect(await json(HaltReport, ['halt', '--flatten'])).toMatchObject({
      code: 0,
      document: { flatten: { isFlat: true, held: [] } },
    })
    const { trades } = (await json(TradesReport, ['trades'], { env: {} })).document
    expect(trades).toMatchObject([{ exitReason: 'flatten', quantity: '1' }])
    const paper = (await json(TradesReport, ['trades'], { mode: 'paper' })).document
    expect(paper.trades).toHaveLength(10)
  }, 60_000)

  it('a position at the venue that the ledger does not know is not flat, and is not ours to close', async () => {
    venue.hand.openPosition('SELL', 3)
    const { code, document } = await json(HaltReport, ['halt', '--flatten'])
    expect(code).toBe(1)
    expect(document.flatten).toMatchObject({
      isFlat: false,
      held: ['ledger: flat', expect.stringMatching(/^venue: short 3 from/)],
    })
    expect(venue.truth().position.contracts).toBe(-3)
    venue.hand.close()
  }, 60_000)

  it('--at is taken by a venue on this machine, and the clock goes on from there', async () => {
    const { code, document } = await json(StatusReport, ['status', '--at', toIso(clock.now())])
    expect(code).toBe(0)
    expect(fromIso(document.at)).toBeGreaterThanOrEqual(clock.now())
  }, 30_000)

  it('money that a person moves is booked as a transfer, whether it is said before, at once or afterwards', async () => {
    const moved = async (amount: string) =>
      json(AccountMovedReport, ['account', 'moved', amount, '--reason', 'savings'])
    const settle = async () => {
      await run(['reconcile'])
      clock.advance(40_000)
      await run(['reconcile'])
    }
    // What was closed by hand above has left its own differences behind.
    await settle()
    const before = await json(StatusReport, ['status'])
    const { transferred } = before.document.accounting
    // At once: the venue shows it, nobody has looked yet.
    venue.hand.deposit('-500')
    expect(await moved('-500')).toMatchObject({ code: 0, document: { outcome: 'booked', difference: '-500' } })
    // Before: it is expected, and taken in by the next pass.
    expect(await moved('250')).toMatchObject({ code: 0, document: { outcome: 'expected' } })
    venue.hand.deposit('250')
    await run(['enforce'])
    const between = await json(StatusReport, ['status'])
    expect(dec(between.document.accounting.transferred).minus(transferred).toNumber()).toBe(-250)
    // Afterwards: the difference has halted the strategy, and is explained.
    venue.hand.deposit('300')
    await settle()
    const halted = await json(StatusReport, ['status'])
    expect(halted.document.halt).not.toBeNull()
    expect(halted.document.incidents.at(-1)).toMatchObject({ kind: 'cash' })
    expect(await moved('999')).toMatchObject({ code: 1, document: { outcome: 'refused' } })
    expect(await moved('300')).toMatchObject({ code: 0, document: { outcome: 'explained' } })
    const after = await json(StatusReport, ['status'])
    expect(dec(after.document.accounting.transferred).minus(transferred).toNumber()).toBe(50)
  }, 60_000)

  it('a changed strategy has no record', async () => {
    writeFileSync(configFile('live'), JSON.stringify({ ...settings, mode: 'live', exits: { maxHoldingMinutes: 60 } }))
    const { document } = await json(StatusReport, ['status'])
    expect(document.live?.barriers.join()).toContain('have changed since the paper record')
    expect(
      (await json(LiveReport, ['live'])).document.gates.filter(({ passed }) => !passed).map(({ gate }) => gate),
    ).toEqual(['paper_days', 'paper_trades', 'record_sharpe', 'record_drawdown', 'record_trades'])
    writeFileSync(configFile('live'), JSON.stringify({ ...settings, mode: 'live' }))
    const again = await json(LiveReport, ['live'])
    expect(gateOf(again.document, 'paper_days')?.passed).toBe(true)
  }, 30_000)
})
