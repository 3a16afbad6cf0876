import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { NAMED_STRATEGIES } from '../../lib/config/strategies.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { StrategyConfig } from '../../schemas/strategy-config.ts'

const refusal = (overrides: unknown): string => {
  try {
    loadConfig({ overrides, origin: 'my.json' })
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'accepted'
}

describe('loadConfig', () => {
  it('every named strategy is complete, and reads the same from its own JSON', () => {
    for (const strategy of Object.keys(NAMED_STRATEGIES)) {
      const config = loadConfig({ strategy })
      expect(config.id).toBe(strategy)
      expect(StrategyConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config)
      expect(loadConfig({ strategy, overrides: JSON.parse(JSON.stringify(config)) })).toEqual(config)
    }
  })

  it('merges objects key by key, replaces arrays and values', () => {
    const config = loadConfig({
      strategy: 'btc-perp',
      overrides: { guard: { tradingDaysUtc: [1] }, instrument: { tickSize: '1' } },
    })
    expect(config.guard).toMatchObject({ tradingDaysUtc: [1], maxLeverage: 3 })
    expect(config.instrument).toMatchObject({ underlying: 'BTC', multiplier: '0.01', tickSize: '1', lotSize: '1' })
  })

  it('a decider of another kind replaces the whole; settings without a kind are those of the present one', () => {
    expect(loadConfig({ overrides: { decider: { kind: 'anthropic' } } }).decider).toMatchObject({
      kind: 'anthropic',
      maxRetries: 2,
    })
    expect(loadConfig({ overrides: { decider: { stopAtr: 3 } } }).decider).toMatchObject({ kind: 'rules', stopAtr: 3 })
  })

  it('a candle file without one for the reference has no reference', () => {
    expect(loadConfig({ overrides: { market: { source: 'bars.csv' } } }).market.referenceSymbol).toBeNull()
    expect(
      loadConfig({ overrides: { market: { source: 'bars.csv', referenceFile: 'other.csv' } } }).market.referenceSymbol,
    ).not.toBeNull()
  })

  it.each<[unknown, string[]]>([
    [{ guard: { maxLevrage: 3 } }, ['guard.maxLevrage = 3', 'unknown key']],
    [{ surprise: { a: 1 } }, ['surprise = {"a":1}', 'unknown key']],
    [{ interval: '5s' }, ['interval = "5s"', 'from 10s to 1d']],
    [{ interval: '2d' }, ['interval = "2d"', 'from 10s to 1d']],
    [{ interval: 45 }, ['interval = 45', 'from 10s to 1d']],
    [{ interval: '1.5h' }, ['interval = "1.5h"', 'from 10s to 1d']],
    [{ intervalMinutes: 45 }, ['intervalMinutes = 45', 'write "interval": "45m" instead']],
    [{ id: 'Has Spaces' }, ['id = "Has Spaces"', 'lower-case']],
    [{ decider: { kind: 'oracle' } }, ['decider.kind = "oracle"', 'rules']],
    [{ decider: { kind: 'openai', stopAtr: 2 } }, ['decider.stopAtr = 2', 'unknown key']],
    [
      { mode: 'live', guard: { maxRiskPerTrade: 0.03 } },
      ['guard.maxRiskPerTrade = 0.03', 'live trading allows at most 0.02'],
    ],
    [{ guard: { maxRiskPerTrade: 1.03 } }, ['guard.maxRiskPerTrade = 1.03', 'leave it out']],
    [{ guard: { minStopAtr: 6 } }, ['guard.minStopAtr = 6', 'below guard.maxStopAtr']],
    [
      { guard: { riskPerTrade: 0.019, maxRiskPerTrade: 0.01 } },
      ['guard.riskPerTrade = 0.019', 'guard.maxRiskPerTrade'],
    ],
    [{ paper: { initialCash: 10_000 } }, ['paper.initialCash = 10000', 'expected string']],
    [{ paper: { initialCash: '-5' } }, ['paper.initialCash = "-5"', 'above zero']],
    [{ instrument: { tickSize: '0.50' } }, ['instrument.tickSize = "0.50"', 'trailing zeros']],
    [
      { instrument: { margin: { perNotional: { initial: { long: '0', short: '2' } } } } },
      ['instrument.margin.perNotional.initial.long = "0"', 'instrument.margin.perNotional.initial.short = "2"'],
    ],
    [{ news: { feeds: [{ name: 'x', url: 'file:///etc/passwd' }] } }, ['news.feeds[0].url', 'passwd']],
    [{ market: [] }, ['market = []', 'object']],
    ['text', ['my.json', 'JSON object']],
    [[], ['my.json', 'JSON object']],
  ])('%j is refused, naming path, value and remedy', (overrides, parts) => {
    const message = refusal(overrides)
    for (const part of parts) expect(message).toContain(part)
  })

  it('a credential put here by mistake is named, not shown', () => {
    const message = refusal({ decider: { kind: 'openai', apiKey: 'sk-secret-1' } })
    expect(message).toContain('decider.apiKey = (hidden)')
    expect(message).not.toContain('sk-secret-1')
  })

  it('an unknown strategy is refused with those there are', () => {
    expect(() => loadConfig({ strategy: 'toString' })).toThrow(/eth-perp, btc-perp/)
  })
})
