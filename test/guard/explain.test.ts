import { configOf } from '../support/instruments.ts'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { guardCommand } from '../../lib/cli/commands/guard.ts'
import { money } from '../../lib/core/decimal.ts'
import { RULES } from '../../lib/guard/rules.ts'
import { GuardReport } from '../../schemas/cli.ts'
import { type GuardConfig } from '../../schemas/strategy-config.ts'
import { GUARD_RULES, type GuardRuleName } from '../../schemas/verdict.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const config = configOf({ id: 'eth-perp' })

const reportOf = (guard: Partial<GuardConfig> = {}) =>
  GuardReport.parse(guardCommand({ ...config, guard: { ...config.guard, ...guard } }, { prove: false }).document)
const limitsOf = (guard: Partial<GuardConfig> = {}) =>
  new Map(reportOf(guard).rules.map(({ rule, limit }) => [rule, limit]))

/** Every rule with a configured limit: a change to it, and what the list then says. */
const SHOWN: readonly [GuardRuleName, Partial<GuardConfig>, string][] = [
  ['daily_loss', { maxDailyLoss: 0.031 }, '3.1 %'],
  ['drawdown', { maxDrawdown: 0.123 }, '12.3 %'],
  ['session_open', { sessionBufferMinutes: 47 }, '47 min'],
  ['stop_distance', { minStopAtr: 0.7 }, '0.7 to 5 ATR'],
  ['stop_distance', { maxStopAtr: 4.2 }, '0.5 to 4.2 ATR'],
  ['stop_before_liquidation', { liquidationBuffer: 0.033 }, '3.3 %'],
  ['reward_to_risk', { minRewardToRisk: 1.7 }, 'at least 1.7'],
  ['confidence', { minConfidence: 0.44 }, 'at least 0.44'],
  ['risk_per_trade', { riskPerTrade: 0.007 }, '0.7 %'],
  ['risk_per_trade', { maxRiskPerTrade: 0.008 }, '0.8 %'],
  ['leverage', { maxLeverage: 2.5 }, 'at most 2.5'],
  ['notional_cap', { maxNotional: money('1234.5') }, 'at most 1234.5'],
  ['price_moved', { maxPriceMoveAtr: 0.35 }, '0.35 ATR'],
  ['cooldown', { cooldownMinutesAfterLoss: 75 }, '75 min'],
  ['entries_per_day', { maxEntriesPerDay: 9 }, '9 entries'],
  ['trading_hours', { tradingHoursUtc: { from: 22, to: 6 } }, '22-6 h'],
  ['trading_hours', { tradingDaysUtc: [1, 5] }, 'weekdays 1,5'],
  ['funding_cost', { maxFundingAnnualised: 0.6 }, '60 %'],
]

describe('guard --explain', () => {
  it('lists every rule once, in order, with limit, purpose and place', () => {
    const { strategyId, rules } = reportOf()
    expect(strategyId).toBe('eth-perp')
    expect(rules.map(({ rule }) => rule)).toEqual([...GUARD_RULES])
    for (const { limit, purpose, enforcedIn } of rules)
      for (const text of [limit, purpose, enforcedIn]) expect(text).toMatch(/\S/)
    expect(new Set(rules.map(({ purpose }) => purpose)).size).toBe(rules.length)
  })

  it('says which rules judge the account always, and which halt', () => {
    const { rules } = reportOf()
    expect(rules.filter(({ appliesTo }) => appliesTo === 'always').map(({ rule }) => rule)).toEqual([
      'kill_switch',
      'daily_loss',
      'drawdown',
    ])
    expect(rules.filter(({ halts }) => halts).map(({ rule }) => rule)).toEqual(['daily_loss', 'drawdown'])
  })

  it('names a place that exists and has the rule', () => {
    for (const { rule, enforcedIn } of reportOf().rules) {
      const place = path.join(ROOT, enforcedIn.split(' ')[0] ?? '')
      expect(existsSync(place)).toBe(true)
      const files = place.endsWith('.ts')
        ? [place]
        : ['conditions.ts', 'contract.ts', 'entry.ts'].map((file) => path.join(place, file))
      expect(files.filter((file) => readFileSync(file, 'utf8').includes(`name: '${rule}'`))).toHaveLength(1)
    }
  })

  it.each(SHOWN)('%s shows its limit: %o', (rule, change, text) => {
    expect(limitsOf(change).get(rule)).toContain(text)
    expect(limitsOf().get(rule)).not.toContain(text)
  })

  it('shows every rule as text, halting ones marked', () => {
    const { text, exitCode } = guardCommand(config, { prove: false })
    expect(exitCode).toBe(0)
    const lines = text.split('\n')
    for (const rule of RULES) {
      const line = lines.find((candidate) => candidate.trimStart().startsWith(rule.name))
      expect(line).toContain(rule.limit(config))
      expect(line?.includes('(halts)')).toBe(rule.applies === 'always' && rule.halts)
    }
  })
})
