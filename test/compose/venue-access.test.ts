import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { formsOfKey, keyFingerprintOf } from '../../lib/venue/coinbase/credentials.ts'
import { coinbase } from '../../lib/venue/coinbase/venue.ts'
import { deferBroker } from '../../lib/venue/defer-broker.ts'
import { readOnlyBroker } from '../../lib/venue/read-only-broker.ts'
import type { Broker } from '../../lib/venue/broker.ts'
import { composeCycle, composeExecution } from '../../lib/compose/compose-ports.ts'
import { createCycleHandler, createEnforcementHandler } from '../../lib/compose/handlers.ts'
import { openVenue, requireLiveVenue, venueUrlOf } from '../../lib/compose/open-venue.ts'
import { secretsAmong } from '../../lib/compose/parse-environment.ts'
import { readVenueCredentials as readCredentials } from '../../lib/compose/venue-credentials.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { emptyClearance } from '../../lib/store/update-clearance.ts'
import { createRedactor } from '../../lib/telemetry/redact.ts'
import { noEvents, noSchedule, silentTelemetry } from '../../lib/telemetry/telemetry.ts'
import type { CloseOrder } from '../../schemas/order.ts'
import { quantity } from '../../lib/core/decimal.ts'

const NAME = 'organizations/o/apiKeys/k'
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString()
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const live = (overrides: Record<string, unknown> = {}) =>
  loadConfig({ overrides: { mode: 'live', market: { source: 'live', baseUrl: 'http://127.0.0.1:9' }, ...overrides } })
const readVenueCredentials = (
  venueCredentials: Record<string, string>,
  readParameter?: Parameters<typeof readCredentials>[2],
) => readCredentials(coinbase, { venueCredentials }, readParameter)
const clock = () => Date.parse('2026-11-02T10:00:00Z')

describe('credentials of the venue', () => {
  it('come from the environment, or from the parameters it names, which go first', async () => {
    expect(await readVenueCredentials({ COINBASE_API_KEY: NAME, COINBASE_API_SECRET: sec1 })).toEqual({
      apiKey: NAME,
      privateKey: sec1.trim(),
    })
    const asked: string[] = []
    const readParameter = async ({ name }: { name: string }) => {
      asked.push(name)
      return `value of ${name}`
    }
    const environment = {
      COINBASE_API_KEY: 'not this',
      COINBASE_API_KEY_PARAMETER: '/a/key',
      COINBASE_API_SECRET_PARAMETER: '/a/secret',
    }
    expect(await readVenueCredentials(environment, readParameter)).toEqual({
      apiKey: 'value of /a/key',
      privateKey: 'value of /a/secret',
    })
    expect(asked).toEqual(['/a/key', '/a/secret'])
  })

  it.each([
    [
      {},
      /^COINBASE_API_KEY is not set: live mode needs the API key's name.*COINBASE_API_KEY_PARAMETER, or set mode to "paper"$/,
    ],
    [{ COINBASE_API_KEY: NAME }, /^COINBASE_API_SECRET is not set: .*PEM.*COINBASE_API_SECRET_PARAMETER/],
  ])('missing from %j: a usage error that names the variable and the remedy', async (environment, message) => {
    const failure: unknown = await readVenueCredentials(environment).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'UsageError' })
    expect((failure as Error).message).toMatch(message)
  })

  it('a fingerprint tells keys apart and names none', () => {
    expect(keyFingerprintOf(` ${NAME}\n`)).toBe(keyFingerprintOf(NAME))
    expect(keyFingerprintOf(NAME)).toMatch(/^[0-9a-f]{16}$/)
    expect(keyFingerprintOf(`${NAME}2`)).not.toBe(keyFingerprintOf(NAME))
  })

  const given: [string, string][] = [
    ['SEC1', sec1],
    ['PKCS #8', pkcs8],
    ['line ends written out', sec1.trim().replaceAll('\n', '\\n')],
    ['line ends of another system', pkcs8.replaceAll('\n', '\r\n')],
  ]
  it.each(given)('a key given as %s is hidden in every form it may come out in', (_name, text) => {
    const redact = createRedactor(secretsAmong({ COINBASE_API_SECRET: text }))
    const bytes = [...sec1.split('\n'), ...pkcs8.split('\n')].filter(
      (line) => line.length > 20 && !line.startsWith('-----'),
    )
    expect(bytes.length).toBeGreaterThan(3)
    for (const form of [
      text,
      sec1,
      pkcs8,
      JSON.stringify({ secret: sec1 }),
      encodeURIComponent(pkcs8),
      sec1.replaceAll('\n', '\\n'),
    ]) {
      const seen = redact(`error: ${form} !`)
      for (const line of bytes) expect(seen).not.toContain(line)
    }
  })

  it('what is no key is hidden as it stands', () => {
    expect(formsOfKey('nonsense-nonsense-nonsense')).toEqual(['nonsense-nonsense-nonsense'])
    expect(secretsAmong({})).toEqual([])
  })
})

describe('the venue of live mode', () => {
  it.each([
    [{ market: { source: 'sim' } }, /market\.source = sim.*set market\.source to "live"/],
    [
      { market: { source: 'live', exchange: 'kraken' } },
      /market\.exchange = kraken.*set market\.exchange to "coinbase"/,
    ],
  ])('is refused for %j', (overrides, message) => {
    const config = live(overrides)
    expect(() => requireLiveVenue(config)).toThrow(UsageError)
    expect(() =>
      openVenue({
        config,
        credentials: () => ({ apiKey: '', privateKey: '' }),
        clock,
        sleep: async () => {},
        telemetry: silentTelemetry,
      }),
    ).toThrow(message)
  })

  it('lies at live.baseUrl, else at market.baseUrl, else at its own address', () => {
    expect(venueUrlOf(live({ live: { baseUrl: 'http://127.0.0.1:1' } }))).toBe('http://127.0.0.1:1')
    expect(venueUrlOf(live())).toBe('http://127.0.0.1:9')
    expect(venueUrlOf(live({ market: { source: 'live' } }))).toBeNull()
  })

  const world = (changes = {}) => ({
    config: live(),
    items: createMemoryItems(),
    clock,
    sleep: async () => {},
    telemetry: silentTelemetry,
    events: noEvents,
    schedule: noSchedule,
    invocationId: 'w',
    dryRun: false,
    ...changes,
  })

  it('asks for credentials when it is first asked, and not before', async () => {
    const credentials = () => {
      throw new UsageError('COINBASE_API_KEY is not set')
    }
    const ports = await composeExecution(world({ credentials }))
    expect(ports.broker).toMatchObject({ name: 'coinbase', capabilities: { listsFunding: false } })
    await expect(ports.broker.account()).rejects.toThrow(UsageError)
    expect(await ports.broker.cancel('X', 'id')).toMatchObject({
      outcome: 'rejected',
      reason: 'not_sent: COINBASE_API_KEY is not set',
    })
  })

  it('of a wrong key is a usage error without the key', async () => {
    const ports = await composeExecution(
      world({
        credentials: () => ({ apiKey: NAME, privateKey: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' }),
      }),
    )
    const failure: unknown = await ports.broker.account().catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'UsageError' })
    expect((failure as Error).message).toMatch(/only ECDSA keys/)
    expect((failure as Error).message).not.toContain('c2VjcmV0')
  })

  it('a cycle asks the stored clearance, with the key in use', async () => {
    const ports = await composeCycle(world({ credentials: () => ({ apiKey: NAME, privateKey: sec1 }) }), {
      codeVersion: 'test',
      apiKey: undefined,
    })
    const { strategyId } = { strategyId: ports.config.id }
    expect((await ports.liveBarriers())[0]).toContain('no credentials have been verified')
    const credentials = {
      verifiedAt: '2026-11-02T09:00:00Z',
      keyFingerprint: keyFingerprintOf(NAME),
      portfolioUuid: 'p',
      symbol: ports.config.market.symbol,
    }
    await ports.store.saveClearance({ ...emptyClearance(strategyId), credentials }, null)
    expect((await ports.liveBarriers()).join()).not.toContain('credentials')
  })
})

describe('a broker that is opened late', () => {
  const close: CloseOrder = {
    kind: 'close',
    clientOrderId: '00000000-0000-8000-8000-000000000001',
    symbol: 'X',
    side: 'sell',
    quantity: quantity(1),
  }
  const asked: string[] = []
  const answer =
    <T>(name: string, value: T) =>
    async () => {
      asked.push(name)
      return value
    }
  const reading = {
    instrument: answer('instrument', null),
    account: answer('account', null),
    position: answer('position', null),
    openOrders: answer('openOrders', []),
    order: answer('order', null),
    fills: answer('fills', []),
    fundingPayments: answer('fundingPayments', []),
  }
  const broker = {
    name: 'real',
    capabilities: coinbase.capabilities,
    ...reading,
    place: answer('place', { outcome: 'accepted', orderId: '1' }),
    cancel: answer('cancel', { outcome: 'accepted', orderId: '2' }),
  } as unknown as Broker

  it('passes everything on, is opened once, and tries again after a failure', async () => {
    let opened = 0
    const late = deferBroker({ name: 'real', capabilities: coinbase.capabilities }, async () => {
      opened += 1
      if (opened === 1) throw new Error('not yet')
      return broker
    })
    await expect(late.account()).rejects.toThrow('not yet')
    const ref = { clientOrderId: 'c', orderId: null, since: 0 }
    await Promise.all([
      late.instrument('X'),
      late.account(),
      late.position('X'),
      late.openOrders('X'),
      late.order('X', ref),
      late.fills('X', 0),
      late.fundingPayments('X', 0),
    ])
    expect(await late.place(close, 0)).toEqual({ outcome: 'accepted', orderId: '1' })
    expect(await late.cancel('X', '2')).toEqual({ outcome: 'accepted', orderId: '2' })
    expect([opened, asked]).toEqual([2, [...Object.keys(reading), 'place', 'cancel']])
  })

  it('sends nothing where it cannot be opened, nor in a dry run', async () => {
    const shut = deferBroker({ name: 'real', capabilities: coinbase.capabilities }, async () =>
      Promise.reject(new Error('no key')),
    )
    expect(await shut.place(close, 0)).toMatchObject({ outcome: 'rejected', reason: 'not_sent: no key' })
    asked.length = 0
    const dry = readOnlyBroker(broker)
    expect([await dry.place(close, 0), await dry.cancel('X', '2')]).toMatchObject([
      { outcome: 'rejected', reason: 'dry_run' },
      { outcome: 'rejected', reason: 'dry_run' },
    ])
    expect(asked).toEqual([])
  })
})

describe('a deployed function in live mode', () => {
  const invoke = async (
    create: typeof createCycleHandler | typeof createEnforcementHandler,
    variables: Record<string, string>,
  ): Promise<string> => {
    const lines: string[] = []
    const config = JSON.stringify({ mode: 'live', market: { source: 'live' } })
    const handler = create({
      variables: { HOURHAND_CONFIG: config, HOURHAND_TABLE: 't', ...variables },
      write: (line) => lines.push(line),
      clock,
      sleep: async () => {},
      newId: () => 'id',
    })
    const failure: unknown = await handler({ dryRun: true }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'UsageError' })
    return `${(failure as Error).message}\n${lines.join('\n')}`
  }

  it.each([
    ['the cycle', createCycleHandler],
    ['enforcement', createEnforcementHandler],
  ] as const)('%s does not start without credentials, or with such as cannot work', async (_name, create) => {
    expect(await invoke(create, {})).toContain('COINBASE_API_KEY is not set')
    expect(await invoke(create, { COINBASE_API_KEY: NAME })).toContain('COINBASE_API_SECRET is not set')
    const wrong = await invoke(create, {
      COINBASE_API_KEY: NAME,
      COINBASE_API_SECRET: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0',
    })
    expect(wrong).toMatch(/only ECDSA keys/)
    expect(wrong).not.toContain('c2VjcmV0')
  })
})
