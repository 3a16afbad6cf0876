import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { settingsHashOf, strategyHashOf } from '../../lib/guard/strategy-hash.ts'

const load = (overrides: unknown) => loadConfig({ overrides })
const base = load({})
const bitcoin = { market: { symbol: 'BIP-20DEC30-CDE' } }

/** What changes which trades are made, or what of them is shown to whoever decides. */
const MATTERS: [string, unknown][] = [
  ['the instrument', bitcoin],
  ['the multiplier', { instrument: { multiplier: '0.2' } }],
  ['the tick', { instrument: { tickSize: '0.1' } }],
  ['the smallest order', { instrument: { minQuantity: '2' } }],
  ['the funding interval', { instrument: { fundingIntervalMs: null } }],
  ['the calendar', { instrument: { calendar: 'cme-fx' } }],
  ['the interval', { interval: '1h' }],
  ['the decider', { decider: { stopAtr: 3 } }],
  ['a limit', { guard: { maxLeverage: 2 } }],
  ['an exit', { exits: { maxHoldingMinutes: 60 } }],
  ['the memory', { memory: { trades: 5 } }],
  ['the headlines', { news: { maxHeadlines: 3 } }],
]

/** What a venue costs, how it is reached, and what only reports read. */
const DOES_NOT: [string, unknown][] = [
  ['paper costs', { paper: { slippageBps: 9, spreadBps: 7, initialCash: '5000' } }],
  ['fees', { instrument: { fees: { taker: '0.001' } } }],
  ['margin', { instrument: { margin: { perNotional: { maintenance: '0.1' } } } }],
  ['addresses of the market', { market: { baseUrl: 'http://127.0.0.1:9', timeoutMs: 5 } }],
  ['the source of prices', { market: { source: 'live' } }],
  ['addresses of feeds', { news: { feeds: [{ name: 'one', url: 'https://example.com/feed' }] } }],
  ['gates', { gates: { minSharpe: 2 } }],
  ['retention', { retentionDays: 5 }],
  ['the name of the strategy', { id: 'another' }],
]

describe('the hashes of a strategy', () => {
  it.each(MATTERS)('both change with %s', (_what, overrides) => {
    expect(strategyHashOf(load(overrides))).not.toBe(strategyHashOf(base))
    expect(settingsHashOf(load(overrides))).not.toBe(settingsHashOf(base))
  })

  it.each(DOES_NOT)('neither changes with %s', (_what, overrides) => {
    expect(strategyHashOf(load(overrides))).toBe(strategyHashOf(base))
    expect(settingsHashOf(load(overrides))).toBe(settingsHashOf(base))
  })

  it('sizes change the hash of the strategy alone', () => {
    const sized = load({ sizing: { kellyFraction: 0.25 } })
    expect(strategyHashOf(sized)).not.toBe(strategyHashOf(base))
    expect(settingsHashOf(sized)).toBe(settingsHashOf(base))
  })

  it('a model is the same model at another address and price, and another one with another temperature', () => {
    const model = (more: object) => settingsHashOf(load({ decider: { kind: 'openai', ...more } }))
    const price = { inputPerMillion: 1, outputPerMillion: 2 }
    expect(model({ baseUrl: 'http://127.0.0.1:9/v1', price, knowledgeCutoff: '2026-01-01' })).toBe(model({}))
    expect(model({ temperature: 0.5 })).not.toBe(model({}))
  })

  it('the market it is compared with matters to a model, which sees it, and not to the rules', () => {
    const alone = { market: { referenceSymbol: null } }
    expect(settingsHashOf(load(alone))).toBe(settingsHashOf(base))
    const asked = { decider: { kind: 'openai' } }
    expect(settingsHashOf(load({ ...asked, ...alone }))).not.toBe(settingsHashOf(load(asked)))
  })
})
