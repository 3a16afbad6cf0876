import { dailyLoss, drawdown } from '../../ledger/accounting.ts'
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
  limit: (config) => `loss below ${percent(config.guard.maxDailyLoss)} of day-start equity`,
  check: ({ config, facts }) => {
    const loss = dailyLoss(facts.accounting)
    const limit = config.guard.maxDailyLoss
    return finding(
      loss < limit,
      limit,
      tidy(loss),
      () => `the day stands at ${percent(-loss)}`,
      () => `the day has lost ${percent(loss)} of its starting equity`,
    )
  },
}

export const drawdownRule: StandingRule = {
  name: 'drawdown',
  applies: 'always',
  halts: true,
  purpose: 'a slow bleed ends: the strategy halts',
  limit: (config) => `drawdown below ${percent(config.guard.maxDrawdown)} of peak equity`,
  check: ({ config, facts }) => {
    const fall = drawdown(facts.accounting)
    const limit = config.guard.maxDrawdown
    return finding(
      fall < limit,
      limit,
      tidy(fall),
      () => `equity is ${percent(fall)} below its peak`,
      () => `equity has fallen ${percent(fall)} from its peak`,
    )
  },
}
