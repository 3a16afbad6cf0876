import { RULES } from '../../guard/rules.ts'
import { GuardReport } from '../../../schemas/cli.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { table } from '../format.ts'
import type { Answer } from './answer.ts'

/** Where the rules are carried out; nothing else may let an entry pass. */
const ENFORCED_IN = {
  always: 'lib/guard/rules/standing.ts via judge, and every enforcement pass',
  entry: 'lib/guard/rules via judge, before every entry',
} as const

/** `hourhand guard --explain`: every rule, its limit under this configuration, and where it is enforced. */
export function guardCommand(config: StrategyConfig): Answer {
  const report: GuardReport = {
    strategyId: config.id,
    rules: RULES.map((rule) => ({
      rule: rule.name,
      limit: rule.limit(config),
      purpose: rule.purpose,
      appliesTo: rule.applies,
      halts: rule.applies === 'always' && rule.halts,
      enforcedIn:
        rule.name === 'kill_switch'
          ? 'lib/guard/rules/standing.ts via judge, and at the start of every cycle'
          : ENFORCED_IN[rule.applies],
    })),
  }
  const rows = report.rules.map(({ rule, limit, purpose, halts }) => [
    rule,
    halts ? `${limit} (halts)` : limit,
    purpose,
  ])
  const text = [
    `Guard of ${config.id}: ${rows.length} rules, all evaluated on every decision, in code (lib/guard/rules); approval is a type only the guard makes.`,
    '',
    ...table([['rule', 'limit', 'why'], ...rows]),
  ].join('\n')
  return { document: GuardReport.parse(report), text: `${text}\n`, exitCode: 0 }
}
