import type { Gate, Metrics } from '../../schemas/metrics.ts'
import type { GateConfig } from '../../schemas/strategy-config.ts'

/**
 * Daily returns, and closed trades, below which no ratio is judged: the usual number from which a mean is taken to be
 * normally distributed, which the error of a Sharpe ratio rests on; and with fewer trades one more or less decides.
 */
export const ENOUGH = { observations: 30, trades: 30 } as const

/** What a result is judged by. */
type Facts = Pick<
  Metrics,
  'observations' | 'trades' | 'sharpe' | 'maxDrawdown' | 'totalReturn' | 'startEquity' | 'tokenCostUsd' | 'tokens'
> & {
  evidence: Pick<Metrics['evidence'], 'trials' | 'deflatedSharpe' | 'probabilisticSharpe'>
}

/** What holding the market came to over the same time; null where it has no return. */
export type HoldBaseline = { hold: { totalReturn: number } | null }

/**
 * Judges a result, each gate by itself, in the order of `GATE_NAMES`. Limits are strict. Where {@link ENOUGH} is not
 * reached or the number does not exist, the result is `not_enough_evidence`, which is neither pass nor fail, with two
 * exceptions that more time cannot mend or is all that is asked for: a fall beyond its limit fails at once, and the
 * number of trades never fails, since it only grows.
 *
 * Costs: equity is after fees, funding and slippage; what the model cost (US dollars, taken as the quote currency) is
 * subtracted here, for the comparison with holding.
 */
export function judgeGates(metrics: Facts, baselines: HoldBaseline, limits: GateConfig): Gate[] {
  return [
    judgeSharpe(metrics, limits.minSharpe),
    judgeDrawdown(metrics, limits.maxDrawdown),
    judgeTrades(metrics, limits.minTrades),
    judgeDeflated(metrics, limits.minDeflatedSharpe),
    judgeHolding(metrics, baselines, limits.minReturnOverHolding),
  ]
}

function judgeSharpe(metrics: Facts, limit: number): Gate {
  const { sharpe: actual, observations } = metrics
  const missing = missingEvidence(metrics)
  const base = { gate: 'sharpe', limit, actual } as const
  if (missing !== null)
    return { ...base, result: 'not_enough_evidence', reason: `The Sharpe ratio cannot be judged yet: ${missing}.` }
  if (actual === null)
    return {
      ...base,
      result: 'not_enough_evidence',
      reason: 'The daily returns are all the same, so there is no Sharpe ratio.',
    }
  const [found, asked] = tellApart(actual, limit)
  return actual > limit
    ? {
        ...base,
        result: 'pass',
        reason: `The Sharpe ratio is ${found} a year over ${observations} daily returns, above ${asked}.`,
      }
    : {
        ...base,
        result: 'fail',
        reason: `The Sharpe ratio is ${found} a year over ${observations} daily returns, not above ${asked}.`,
      }
}

function judgeDrawdown(metrics: Facts, limit: number): Gate {
  const { maxDrawdown: actual } = metrics
  const missing = missingEvidence(metrics)
  const base = { gate: 'max_drawdown', limit, actual } as const
  const [found, asked] = tellApart(actual * 100, limit * 100)
  if (actual >= limit)
    return { ...base, result: 'fail', reason: `Equity has fallen ${found} % from a peak, not less than ${asked} %.` }
  return missing === null
    ? { ...base, result: 'pass', reason: `Equity has fallen at most ${found} % from a peak, less than ${asked} %.` }
    : {
        ...base,
        result: 'not_enough_evidence',
        reason: `Equity has fallen at most ${found} % from a peak, but that is little to go by: ${missing}.`,
      }
}

function judgeTrades({ trades: actual }: Facts, limit: number): Gate {
  const base = { gate: 'trades', limit, actual } as const
  return actual > limit
    ? { ...base, result: 'pass', reason: `There are ${count(actual, 'closed trade')}, more than ${limit}.` }
    : {
        ...base,
        result: 'not_enough_evidence',
        reason: `There are ${count(actual, 'closed trade')} and more than ${limit} are asked for; time will bring them.`,
      }
}

function judgeDeflated(metrics: Facts, limit: number): Gate {
  const { trials, deflatedSharpe: actual } = metrics.evidence
  const missing = missingEvidence(metrics)
  const base = { gate: 'deflated_sharpe', limit, actual } as const
  if (missing !== null)
    return { ...base, result: 'not_enough_evidence', reason: `Luck and skill cannot be told apart yet: ${missing}.` }
  if (actual === null)
    return {
      ...base,
      result: 'not_enough_evidence',
      reason: 'The daily returns take too few values for the error of a Sharpe ratio.',
    }
  const [found, asked] = tellApart(actual, limit)
  const finding = `The Sharpe ratio is more than the luck of ${count(trials, 'trial')} with probability ${found}`
  return actual > limit
    ? { ...base, result: 'pass', reason: `${finding}, above ${asked}.` }
    : { ...base, result: 'fail', reason: `${finding}, not above ${asked}.` }
}

function judgeHolding(metrics: Facts, { hold }: HoldBaseline, lead: number): Gate {
  const actual = metrics.totalReturn - (metrics.tokenCostUsd ?? 0) / Number(metrics.startEquity)
  const limit = (hold?.totalReturn ?? 0) + lead
  const missing = missingEvidence(metrics)
  const base = { gate: 'beats_holding', limit, actual } as const
  if (hold === null)
    return { ...base, result: 'not_enough_evidence', reason: 'What holding the market would have made is not known.' }
  if (missing !== null)
    return {
      ...base,
      result: 'not_enough_evidence',
      reason: `Holding made ${percent(hold.totalReturn)}, this ${percent(actual)}, too soon to compare: ${missing}.`,
    }
  const isUnpriced = metrics.tokenCostUsd === null && metrics.tokens.input + metrics.tokens.output > 0
  const costs = isUnpriced
    ? 'after all costs but those of the model, whose price is unknown (decider.price)'
    : 'after all costs'
  const [found, bar] = tellApart(actual * 100, limit * 100)
  const asked = lead === 0 ? `${bar} %` : `${percent(hold.totalReturn)}: ${bar} % with the lead that is asked for`
  return actual > limit
    ? {
        ...base,
        result: 'pass',
        reason: `The return is ${found} % ${costs}, better than holding, which made ${asked}.`,
      }
    : {
        ...base,
        result: 'fail',
        reason: `The return is ${found} % ${costs}, not better than holding, which made ${asked}.`,
      }
}

/** What there is too little of; null when there is enough. */
function missingEvidence({ observations, trades }: Facts): string | null {
  if (observations >= ENOUGH.observations && trades >= ENOUGH.trades) return null
  return `${count(observations, 'daily return')} and ${count(trades, 'closed trade')}, ${ENOUGH.observations} and ${ENOUGH.trades} are needed`
}

/** Both numbers with as few digits, from four on, as show which is the greater. */
function tellApart(actual: number, limit: number): [string, string] {
  for (let digits = 4; ; digits += 1) {
    const texts: [string, string] = [plain(actual, digits), plain(limit, digits)]
    if (texts[0] !== texts[1] || actual === limit || digits === 17) return texts
  }
}

const plain = (value: number, digits = 4): string => String(Number(value.toPrecision(digits)))
const percent = (fraction: number): string => `${plain(fraction * 100)} %`
const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
