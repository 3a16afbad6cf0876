import { isAbove, minus, type Money, ratioOf } from '../core/decimal.ts'
import { dailyLoss, drawdown } from '../ledger/accounting.ts'
import type { Accounting } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/**
 * The widest limits that live trading may have, as fractions of equity. No configuration passes them: `loadConfig`
 * refuses a wider one, and the guard judges by the tighter of the two whatever a stored configuration says.
 */
export const LIVE_CEILINGS = { maxDailyLoss: 0.05, maxDrawdown: 0.15, maxRiskPerTrade: 0.02 } as const

type LimitedConfig = Pick<StrategyConfig, 'mode' | 'guard'>

/** The account limits that are in force: those of the configuration, in live mode none wider than its ceiling. */
export function limitsOf({ mode, guard }: LimitedConfig): { maxDailyLoss: number; maxDrawdown: number; risk: number } {
  const risk = Math.min(guard.riskPerTrade, guard.maxRiskPerTrade)
  if (mode === 'paper') return { maxDailyLoss: guard.maxDailyLoss, maxDrawdown: guard.maxDrawdown, risk }
  return {
    maxDailyLoss: Math.min(guard.maxDailyLoss, LIVE_CEILINGS.maxDailyLoss),
    maxDrawdown: Math.min(guard.maxDrawdown, LIVE_CEILINGS.maxDrawdown),
    risk: Math.min(risk, LIVE_CEILINGS.maxRiskPerTrade),
  }
}

/**
 * Each limit of a live configuration that is wider than its ceiling, as a sentence; empty when none is, or on paper.
 */
export function widerThanCeilings({ mode, guard }: LimitedConfig): string[] {
  if (mode === 'paper') return []
  const names = Object.keys(LIVE_CEILINGS) as (keyof typeof LIVE_CEILINGS)[]
  return names.flatMap((name) =>
    guard[name] > LIVE_CEILINGS[name]
      ? [
          `guard.${name} = ${guard[name]}: live trading allows at most ${LIVE_CEILINGS[name]}, ` +
            `whatever a configuration says; set it to ${LIVE_CEILINGS[name]} or less (paper and replay may go higher)`,
        ]
      : [],
  )
}

/** One account limit and where the books stand against it; both are fractions, a loss or fall is positive. */
export type Standing = { rule: 'daily_loss' | 'drawdown'; actual: number; limit: number; reason: string }

/**
 * Where the books stand against both account limits. The words are the same wherever a limit is judged: in a cycle, in
 * an enforcement pass, in `guard --prove` and `guard --if`.
 *
 * In live mode a resume does not begin the ceilings anew: the day counts from where it really began, and the drawdown
 * from the highest equity that the strategy ever had. The limits of the configuration count from the resume.
 */
export function standingsOf(accounting: Accounting, config: LimitedConfig): readonly [Standing, Standing] {
  const { maxDailyLoss, maxDrawdown } = limitsOf(config)
  const loss = { rule: 'daily_loss', actual: dailyLoss(accounting), limit: maxDailyLoss } as const
  const fall = { rule: 'drawdown', actual: drawdown(accounting), limit: maxDrawdown } as const
  if (config.mode === 'paper') return [told(loss), told(fall)]
  const { dayOpenEquity, lifetimePeakEquity, equity } = accounting
  return [
    told(loss, shareLost(dayOpenEquity, equity), LIVE_CEILINGS.maxDailyLoss),
    told(fall, shareLost(lifetimePeakEquity, equity), LIVE_CEILINGS.maxDrawdown),
  ]
}

/** Whether a standing has reached its limit: reaching it is breaching it. */
export const isBreached = ({ actual, limit }: Pick<Standing, 'actual' | 'limit'>): boolean => actual >= limit

/** The first account limit that the books have reached, or null. */
export const breachOf = (accounting: Accounting, config: LimitedConfig): Standing | null =>
  standingsOf(accounting, config).find(isBreached) ?? null

const WORDS = { daily_loss: 'daily loss', drawdown: 'drawdown' } as const

/** The limit in force with its sentence; the ceiling over all resumes where that, and not the limit, is reached. */
function told(standing: Omit<Standing, 'reason'>, overall: number | null = null, ceiling = Infinity): Standing {
  const { rule, actual, limit } = standing
  if (!isBreached(standing) && overall !== null && overall >= ceiling) {
    const reason = `${WORDS[rule]} ${lossText(overall)} counted across resumes, ceiling of live trading ${limitText(ceiling)}`
    return { rule, actual: overall, limit: ceiling, reason }
  }
  return { ...standing, reason: `${WORDS[rule]} ${lossText(actual)}, limit ${limitText(limit)}` }
}

/** Two decimals, as an owner reads percents. */
export const lossText = (fraction: number): string => `${(fraction * 100).toFixed(2)} %`
/** A limit as it was set: no more decimals than it has. */
export const limitText = (fraction: number): string => `${Number((fraction * 100).toFixed(4))} %`

/**
 * How much of `base` is gone, as a fraction; null where there is no such base. A base that is spent is a total loss.
 */
function shareLost(base: Money | null, equity: Money): number | null {
  if (base === null) return null
  return isAbove(base, '0' as Money) ? ratioOf(minus(base, equity), base) : 1
}
