import { z } from 'zod'
import { dec, isAbove, type Money, money } from '../../core/decimal.ts'
import { UsageError } from '../../core/invariant.ts'
import { isBreached, standingsOf } from '../../guard/limits.ts'
import { proveRules, type RuleProof } from '../../guard/prove/prove-rules.ts'
import { RULES } from '../../guard/rules.ts'
import { openBooks } from '../../ledger/accounting.ts'
import { GuardForecast, GuardProof, GuardReport } from '../../../schemas/cli.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { table } from '../format.ts'
import type { Answer } from './answer.ts'

/** Where the rules are carried out; nothing else may let an entry pass. */
const ENFORCED_IN = {
  always: 'lib/guard/rules/standing.ts via judge, and every enforcement pass',
  entry: 'lib/guard/rules via judge, before every entry',
} as const

export const GuardOptions = z.object({
  prove: z.boolean().default(false),
  if: z.string().optional(),
})
export type GuardOptions = z.infer<typeof GuardOptions>

/** `hourhand guard`: lists the rules, proves that each can refuse, or says whether an account would halt. */
export function guardCommand(config: StrategyConfig, { prove, if: assumption }: GuardOptions): Answer {
  if (prove && assumption !== undefined)
    throw new UsageError('options: --prove and --if answer two questions: give one of them')
  if (prove) return proveGuard(config)
  return assumption === undefined ? explainGuard(config) : forecastHalt(config, assumption)
}

/** `--prove`: one case for every rule. Exit 1 when a rule lets its case pass. */
function proveGuard(config: StrategyConfig): Answer {
  const rules = proveRules(config)
  const named = (wanted: RuleProof['verdict']) =>
    rules.flatMap(({ rule, verdict }) => (verdict === wanted ? [rule] : []))
  const silent = named('silent')
  const refusing = named('always')
  const isProven = silent.length === 0
  const rows = rules.map(({ rule, case: text, narrowed, verdict, reason, halts }) => [
    SHOWN[verdict],
    rule,
    narrowed === null ? text : `${text} (with ${narrowed}: this configuration sets no limit)`,
    halts ? `halts: ${reason}` : reason,
  ])
  const text = [
    `Guard of ${config.id} (${config.mode}): one case for every rule, beside an entry that all should let pass.`,
    '',
    ...table([['', 'rule', 'case', 'verdict'], ...rows]),
    '',
    isProven
      ? `${rules.length} of ${rules.length} rules refuse their case; daily loss and drawdown halt the strategy.`
      : `NOT PROVEN: ${silent.join(', ')} let the case pass. Do not trade with this program and configuration.`,
    ...(refusing.length === 0
      ? []
      : [`${refusing.join(', ')}: refuses the sound entry as well; with this configuration nothing may be entered.`]),
  ].join('\n')
  const document = { strategyId: config.id, isProven, rules }
  return { document: GuardProof.parse(document), text: `${text}\n`, exitCode: isProven ? 0 : 1 }
}

const SHOWN = { fires: 'ok', silent: 'NO', always: '--' } as const

/** `--if equity=8400`: the account limits against assumed books, in the words of a halt. */
function forecastHalt(config: StrategyConfig, assumption: string): Answer {
  const given = readAssumption(assumption, config.paper.initialCash)
  const books = {
    ...openBooks(given.equity, new Date(0).toISOString(), 'always-open'),
    peakEquity: given.peak,
    dayStartEquity: given.dayStart,
  }
  const limits = standingsOf(books, config).map((standing) => ({ ...standing, isBreached: isBreached(standing) }))
  const breached = limits.filter((limit) => limit.isBreached)
  const named = breached.length > 0 ? breached : limits
  const text = [
    `${breached.length > 0 ? 'halts' : 'does not halt'}: ${named.map(({ reason }) => reason).join('; ')}`,
    `reckoned with equity ${given.equity}, peak ${given.peak}, day start ${given.dayStart} (peak and day-start can be given too)`,
  ].join('\n')
  const document = { strategyId: config.id, halts: breached.length > 0, given, limits }
  return { document: GuardForecast.parse(document), text: `${text}\n`, exitCode: 0 }
}

type Assumed = { equity: Money; peak: Money; dayStart: Money }

/**
 * Reads `equity=8400,peak=10000,day-start=9000`. The peak is the paper account's cash or the equity, if that is more.
 */
function readAssumption(text: string, initialCash: Money): Assumed {
  const found = new Map<string, Money>()
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=', 2).map((word) => word.trim())
    const isKnown = name === 'equity' || name === 'peak' || name === 'day-start'
    if (!isKnown || found.has(name) || !/^\d{1,15}(\.\d{1,8})?$/.test(value))
      throw new UsageError(
        `options: if = ${JSON.stringify(text)}: ${JSON.stringify(part)} is not understood; write amounts such as equity=8400 or equity=8400,peak=10000,day-start=9000`,
      )
    found.set(name, money(dec(value)))
  }
  const equity = found.get('equity')
  if (equity === undefined)
    throw new UsageError(`options: if = ${JSON.stringify(text)}: the equity is missing; write equity=8400`)
  const highest = isAbove(equity, initialCash) ? equity : initialCash
  return { equity, peak: found.get('peak') ?? highest, dayStart: found.get('day-start') ?? equity }
}

/** `--explain`, and what the command does by itself: every rule, its limit here, and where it is enforced. */
function explainGuard(config: StrategyConfig): Answer {
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
