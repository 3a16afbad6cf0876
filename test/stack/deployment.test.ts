import { describe, expect, test } from 'vitest'
import { exchangeToBundle, LIVE_CONSENT, MAX_CONFIG_BYTES } from '../../lib/stack/deployment.ts'
import { type Json, read } from './support.ts'

const live = { mode: 'live' }

describe('a deployment is refused, with the field, its value and the remedy', () => {
  const cases: [string, Json, RegExp][] = [
    ['live without consent', { config: live }, /mode = live.*-c live=yes-i-mean-it/],
    ['live with half a consent', { config: live, live: 'yes' }, /mode = live.*-c live=yes-i-mean-it/],
    ['live with consent given as a boolean', { config: live, live: true }, /mode = live.*-c live=yes-i-mean-it/],
    [
      'live on a simulated market',
      { config: { ...live, market: { source: 'sim' } }, live: LIVE_CONSENT },
      /market\.source = sim.*set market\.source to "live"/,
    ],
    [
      'live anywhere but at Coinbase',
      { config: { ...live, market: { exchange: 'kraken' } }, live: LIVE_CONSENT },
      /market\.exchange = kraken.*set market\.exchange to "coinbase"/,
    ],
    ['consent to live in paper mode', { live: LIVE_CONSENT }, /mode = paper/],
    [
      'candles from a file',
      { config: { market: { source: 'candles.csv' } } },
      /market\.source = candles\.csv.*no such file/,
    ],
    [
      'recorded answers',
      { config: { decider: { kind: 'recorded', file: 'a.jsonl' } } },
      /decider\.kind = recorded.*choose rules, openai or anthropic/,
    ],
    ...['30s', '90s', '7m', '45m', '90m', '5h'].map((interval): [string, Json, RegExp] => [
      `interval ${interval}, which no schedule keeps`,
      { config: { interval } },
      new RegExp(`interval = ${interval}: .*minutes that divide an hour.*with: hourhand run eth-perp`),
    ]),
    [
      'a configuration that is missing',
      { config: 'missing.json' },
      /config = missing\.json: there is no such file; give the path/,
    ],
    ['a configuration that is a list', { config: [1] }, /strategy\.json: expected a JSON object/],
    ['no e-mail address', { alarmEmail: 'nobody' }, /alarmEmail = nobody/],
  ]
  test.each(cases)('%s', (_name, context, message) => {
    const reading = read(context)
    expect('refusals' in reading ? reading.refusals.join('\n') : 'deployed').toMatch(message)
  })

  test('more configuration than an environment holds', () => {
    const feeds = Array.from({ length: 20 }, (_, index) => ({
      name: `feed ${index}`,
      url: `https://example.org/${'x'.repeat(200)}`,
    }))
    const reading = read({ config: { news: { feeds } } })
    expect('refusals' in reading ? reading.refusals.join() : '').toMatch(
      new RegExp(`bytes of JSON.*room for ${MAX_CONFIG_BYTES}`),
    )
  })

  test('all reasons at once', () => {
    const reading = read({ config: { ...live, market: { source: 'x.csv' } }, alarmEmail: 'nobody' })
    expect('refusals' in reading && reading.refusals.length).toBe(4)
  })

  test.each([{ guard: { maxLeverage: 50 } }, { unknownKey: 1 }, { market: 'live' }])(
    'what the schema refuses: %j',
    (config) => {
      expect(() => read({ config })).toThrow(/strategy\.json/)
    },
  )

  test('a strategy that nobody knows is refused by name', () => {
    expect(() => read({ strategy: 'doge-perp' })).toThrow(/doge-perp/)
  })
})

describe('a deployment', () => {
  test('is paper mode on the live market by default, and warns of nothing', () => {
    const reading = read({})
    if ('refusals' in reading) throw new Error(reading.refusals.join())
    expect(reading.deployment.config).toMatchObject({ id: 'eth-perp', mode: 'paper', market: { source: 'live' } })
    expect(reading.warnings).toEqual([])
  })

  test('of a simulated market is allowed and warned of', () => {
    const reading = read({ config: { market: { source: 'sim' } } })
    expect('warnings' in reading && reading.warnings.join()).toMatch(/market\.source = sim.*simulated/)
  })

  test('of live mode takes the very words', () => {
    const reading = read({ config: live, live: LIVE_CONSENT })
    expect('deployment' in reading && reading.deployment.config.mode).toBe('live')
    expect('warnings' in reading && reading.warnings).toEqual([])
  })

  test('under another id still names the strategy it is made of', () => {
    const reading = read({ strategy: 'btc-perp', config: { id: 'mine' } })
    expect('deployment' in reading && [reading.deployment.strategy, reading.deployment.config.id]).toEqual([
      'btc-perp',
      'mine',
    ])
  })

  test('hands its functions what they need to load the same configuration', async () => {
    const { loadConfig } = await import('../../lib/config/load-config.ts')
    const reading = read({ strategy: 'btc-perp', config: { id: 'mine', guard: { maxLeverage: 2 } } })
    if ('refusals' in reading) throw new Error(reading.refusals.join())
    const { strategy, overrides, config } = reading.deployment
    expect(loadConfig({ strategy, overrides: JSON.parse(JSON.stringify(overrides)) as unknown })).toEqual(config)
  })
})

describe('the ccxt class that is deployed', () => {
  const venues = [
    { id: 'own', title: 'Own', credentialVariables: [], ccxtClass: null },
    { id: 'desk', title: 'Desk', credentialVariables: [], ccxtClass: 'kraken' },
  ]
  test.each([
    ['a venue with a transport of its own takes none', 'own', null],
    ['a venue takes the class that it is reached through', 'desk', 'kraken'],
    ['an exchange that is no venue is its own class', 'bybit', 'bybit'],
  ])('%s', (_, exchange, expected) => {
    const reading = read({ config: { market: { exchange } } })
    if ('refusals' in reading) throw new Error(reading.refusals.join())
    expect(exchangeToBundle(reading.deployment.config, venues)).toBe(expected)
  })
})
