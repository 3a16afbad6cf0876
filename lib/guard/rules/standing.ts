import type { Accounting } from '../../../schemas/state.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { isBreached, limitsOf, limitText, type Standing, standingsOf } from '../limits.ts'
import { finding, percent, type StandingRule, tidy } from '../rule.ts'

export const killSwitch: StandingRule = {
  name: 'kill_switch',
  applies: 'always',
  halts: false,
  purpose: 'a halted strategy opens nothing until a person resumes it',
  limit: () => 'not halted',
  check: ({ facts: { halt } }) =>
    finding(
      halt === null,
      'not halted',
      halt === null ? 'not halted' : 'halted',
      'the strategy is not halted',
      `halted by ${halt?.by} since ${halt?.at}: ${halt?.reason}`,
    ),
}

export const dailyLossRule: StandingRule = {
  name: 'daily_loss',
  applies: 'always',
  halts: true,
  purpose: 'a bad day ends: the strategy halts',
  limit: (config) => `loss below ${limitText(limitsOf(config).maxDailyLoss)} of day-start equity`,
  check: ({ config, facts }) =>
    judgeStanding(facts.accounting, config, 0, (loss) => `the day stands at ${percent(-loss)}`),
}

export const drawdownRule: StandingRule = {
  name: 'drawdown',
  applies: 'always',
  halts: true,
  purpose: 'a slow bleed ends: the strategy halts',
  limit: (config) => `drawdown below ${limitText(limitsOf(config).maxDrawdown)} of peak equity`,
  check: ({ config, facts }) =>
    judgeStanding(facts.accounting, config, 1, (fall) => `equity is ${percent(fall)} below its peak`),
}

function judgeStanding(
  accounting: Accounting,
  config: StrategyConfig,
  which: 0 | 1,
  good: (actual: Standing['actual']) => string,
) {
  const standing = standingsOf(accounting, config)[which]
  const { actual, limit, reason } = standing
  return finding(!isBreached(standing), limit, tidy(actual), () => good(actual), reason)
}
