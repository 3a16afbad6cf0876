import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toIso } from '../../lib/core/time.ts'
import { createDynamoClient } from '../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { type EmbeddedDynamo, startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import { createStore } from '../../lib/store/store.ts'
import { startFakeAws } from '../support/fake-aws.ts'
import { createFakeVenue } from '../support/coinbase/fake-venue.ts'
import { makeVenueKey } from '../support/coinbase/jwt.ts'
import { constantPath } from '../support/coinbase/prices.ts'
import { startVenueServer } from '../support/coinbase/venue-server.ts'
import { runApp } from './run-app.ts'
import { DEFAULT_RULES } from './support.ts'

const run = promisify(execFile)
const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-deployed-'))
const config = path.join(scratch, 'strategy.json')
const alarmEmail = 'owner@example.org'
const TABLE = 'hourhand-test'

type FunctionResource = {
  Type: string
  Properties: { Handler: string; Code: { S3Key: string }; Environment: { Variables: Record<string, unknown> } }
}

let assembly: string
let functions: FunctionResource[]
let dynamo: EmbeddedDynamo
let aws: Awaited<ReturnType<typeof startFakeAws>>

/** The stack as `cdk deploy` would take it: what the CDK command line would run, run. */
beforeAll(async () => {
  writeFileSync(config, JSON.stringify({ exits: { maxHoldingMinutes: 1_000 } }))
  const { code, output, outdir } = await runApp(scratch, { config, alarmEmail, [DEFAULT_RULES]: false })
  expect([code, output], 'without network or credentials, and in silence').toEqual([0, ''])
  assembly = outdir
  const template = readFileSync(path.join(assembly, 'Hourhand-eth-perp.template.json'), 'utf8')
  const { Resources: resources } = JSON.parse(template) as { Resources: Record<string, FunctionResource> }
  functions = Object.values(resources).filter(({ Type: type }) => type === 'AWS::Lambda::Function')
  dynamo = await startEmbeddedDynamo()
  aws = await startFakeAws((call) => ({
    body: {
      FailedEntryCount: 0,
      Entries: ((call.body['Entries'] ?? []) as unknown[]).map((_entry, index) => ({ EventId: String(index) })),
    },
  }))
}, 120_000)

afterAll(async () => {
  await aws?.close()
  await dynamo?.close()
  rmSync(scratch, { recursive: true, force: true })
})

type Answer = { results: { ok: boolean; value: Record<string, unknown> }[]; importMs: number; output: string }

/** Loads a handler from the synthesised asset, in a process of its own, as Lambda would, and invokes it. */
async function invoke(
  name: 'cycle' | 'enforce',
  events: unknown[],
  more: Record<string, string> = {},
): Promise<Answer> {
  const deployed = functions.find(({ Properties: { Handler: handler } }) => handler === `${name}.handler`)
  const asset = path.join(assembly, `asset.${deployed?.Properties.Code.S3Key.replace('.zip', '') ?? ''}`)
  const variables = Object.fromEntries(
    Object.entries(deployed?.Properties.Environment.Variables ?? {}).filter(
      ([, value]) => typeof value === 'string',
    ) as [string, string][],
  )
  const env = {
    PATH: process.env['PATH'],
    ...variables,
    // As deployed, but for the market: this machine has none.
    HOURHAND_CONFIG: JSON.stringify({
      ...(JSON.parse(variables['HOURHAND_CONFIG'] ?? '{}') as object),
      market: { source: 'sim', seed: 7 },
    }),
    HOURHAND_TABLE: TABLE,
    HOURHAND_BUS: 'bus',
    HOURHAND_DYNAMODB_ENDPOINT: dynamo.endpoint,
    HOURHAND_EVENTS_ENDPOINT: aws.endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...more,
  }
  const script = `
    const began = performance.now()
    const { handler } = await import(${JSON.stringify(path.join(asset, `${name}.mjs`))})
    const importMs = performance.now() - began
    const results = []
    for (const event of ${JSON.stringify(events)}) {
      try { results.push({ ok: true, value: await handler(event) }) } catch (error) { results.push({ ok: false, value: { message: error.message } }) }
    }
    process.stderr.write(JSON.stringify({ results, importMs }))
    process.exit(0)`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: scratch,
    env,
  })
  return { ...(JSON.parse(stderr) as Omit<Answer, 'output'>), output: stdout }
}

const store = () =>
  createStore(createDynamoItems({ client: createDynamoClient(dynamo.endpoint), tableName: TABLE }), 'test')

describe('the deployed handlers', () => {
  test('run a cycle and an enforcement pass, once each however often the event comes', async () => {
    const time = toIso(Math.floor(Date.now() / 1_000) * 1_000)
    const scheduled = {
      version: '0',
      id: 'e1',
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      time,
      resources: ['arn'],
      detail: {},
    }
    const dry = await invoke('cycle', [{ dryRun: true }])
    expect(dry.results).toMatchObject([{ ok: true, value: { outcome: 'dry_run' } }])
    expect(await store().loadState('eth-perp')).toBeNull()

    const cycle = await invoke('cycle', [scheduled, scheduled])
    expect(cycle.results[0]).toMatchObject({
      ok: true,
      value: { outcome: expect.stringMatching(/^(entered|held|refused)$/) },
    })
    expect(cycle.results[1]).toMatchObject({ ok: true, value: { outcome: 'skipped' } })
    const record = await store().loadCycle('eth-perp', String(cycle.results[0]?.value['slot']))
    expect(record?.config).toMatchObject({ exits: { maxHoldingMinutes: 1_000 } })
    expect(record).toMatchObject({
      outcome: cycle.results[0]?.value['outcome'],
      progress: 'finished',
      codeVersion: expect.stringMatching(/^0\.1\.0\+[0-9a-f]{12}$/),
    })
    for (const line of cycle.output.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), strategy: 'eth-perp' })
    expect(cycle.output).toContain('cycle finished')

    const enforce = await invoke('enforce', [scheduled, scheduled])
    expect(enforce.results).toMatchObject([{ ok: true }, { ok: true }])
    console.log(
      `  outcome ${record?.outcome}; cold import: cycle ${cycle.importMs.toFixed(0)} ms, enforce ${enforce.importMs.toFixed(0)} ms`,
    )
  }, 60_000)

  test('in live mode sign what they ask of the venue, enter nothing that is not earned, and keep out of the paper books', async () => {
    const key = makeVenueKey()
    const venue = await startVenueServer({
      venue: createFakeVenue({ clock: () => Date.now(), price: constantPath(3_000), reference: constantPath(80_000) }),
      keys: [key],
    })
    try {
      const config = JSON.stringify({ mode: 'live', market: { source: 'live', baseUrl: venue.url } })
      const live = {
        HOURHAND_CONFIG: config,
        COINBASE_API_KEY: key.name,
        COINBASE_API_SECRET: key.privateKeyPem.replaceAll('\n', '\\n'),
      }
      const enforce = await invoke('enforce', [{}, {}], live)
      expect(enforce.results).toMatchObject([
        { ok: true, value: { outcome: 'idle' } },
        { ok: true, value: { outcome: 'idle' } },
      ])
      const cycle = await invoke('cycle', [{}], live)
      expect(cycle.results).toMatchObject([{ ok: true, value: { outcome: expect.stringMatching(/^(held|refused)$/) } }])
      expect(venue.requests.filter(({ refusal }) => refusal !== null)).toEqual([])
      expect(venue.requests.some(({ key: signer }) => signer === key.name)).toBe(true)
      expect(venue.venue.truth().orders).toEqual([])
      const slot = String(cycle.results[0]?.value['slot'])
      const books = createStore(
        createDynamoItems({ client: createDynamoClient(dynamo.endpoint), tableName: TABLE }),
        'test',
        'live',
      )
      expect(await books.loadCycle('eth-perp', slot)).toMatchObject({
        mode: 'live',
        guardFacts: {
          sizeCap: '1',
          liveBarriers: [
            expect.stringContaining('credentials'),
            'no paper record has been looked at: run hourhand live',
          ],
        },
      })
      const refused = await invoke('enforce', [{}], { HOURHAND_CONFIG: config })
      expect(refused.results).toMatchObject([
        { ok: false, value: { message: expect.stringContaining('COINBASE_API_KEY is not set') } },
      ])
      for (const line of key.privateKeyPem.split('\n').slice(1, 3))
        expect(enforce.output + cycle.output).not.toContain(line)
    } finally {
      await venue.close()
    }
  }, 60_000)

  test('refuse an event that is neither the rule’s nor a person’s, naming what is wrong', async () => {
    const { results } = await invoke('cycle', [{ dryrun: true }, { strategy: 'other' }, 7])
    expect(results.map(({ ok }) => ok)).toEqual([false, false, false])
    expect(results[0]?.value['message']).toContain('dryrun')
    expect(results[1]?.value['message']).toContain('eth-perp')
  })
})
