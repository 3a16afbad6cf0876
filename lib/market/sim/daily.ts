import { createPrng } from '../../core/prng.ts'

/**
 * The slow part of a simulated factor, one UTC day after another from the epoch of the simulation:
 * a regime (range, bull, bear, storm) that lasts for days, a volatility that clusters, a return.
 * Day n is the same whoever asks and whenever, since it follows from the days before it alone.
 */
export type DailyPath = {
  /** Standard deviation of the day's log return. */
  sigma(day: number): number
  /** Log return of the day. */
  total(day: number): number
  /** Sum of the log returns of all days before this one. */
  levelBefore(day: number): number
}

export type DailyOptions = {
  /** What names the factor; equal names, equal paths. */
  readonly stream: readonly (string | number)[]
  /** Standard deviation of a day's log return in an average regime. */
  readonly sigma: number
  /** Share of the accumulated log return given back each day: keeps a price within sight of its start. */
  readonly reversion: number
}

/** `drift` in standard deviations a day, `scale` of the volatility, `days` it lasts on average. */
const REGIMES = [
  { drift: 0, scale: 0.75, days: 12, next: [0, 0.4, 0.35, 0.25] },
  { drift: 0.4, scale: 0.9, days: 16, next: [0.55, 0, 0.2, 0.25] },
  { drift: -0.35, scale: 1.15, days: 11, next: [0.5, 0.25, 0, 0.25] },
  { drift: -0.05, scale: 2, days: 4, next: [0.4, 0.3, 0.3, 0] },
] as const

/** AR(1) of the logarithm of volatility: a shock has halved after a week. */
const VOLATILITY_MEMORY = 0.9
const VOLATILITY_SHOCK = 0.16

export function createDailyPath({ stream, sigma: average, reversion }: DailyOptions): DailyPath {
  const prng = createPrng(...stream, 'daily')
  const sigmas: number[] = []
  const totals: number[] = []
  const levels: number[] = [0]
  let regime: (typeof REGIMES)[number] = REGIMES[0]
  let logVolatility = 0

  const extend = (day: number): void => {
    while (totals.length <= day) {
      if (prng.uniform() < 1 / regime.days) regime = pick(regime.next, prng.uniform())
      logVolatility = VOLATILITY_MEMORY * logVolatility + VOLATILITY_SHOCK * prng.normal()
      const sigma = average * regime.scale * Math.exp(logVolatility)
      const level = levels[totals.length] ?? 0
      const total = sigma * (regime.drift + prng.normal()) - reversion * level
      sigmas.push(sigma)
      totals.push(total)
      levels.push(level + total)
    }
  }
  const read = (values: readonly number[], day: number): number => {
    extend(day)
    return values[day] ?? 0
  }
  return {
    sigma: (day) => read(sigmas, day),
    total: (day) => read(totals, day),
    levelBefore: (day) => read(levels, day),
  }
}

function pick(chances: readonly number[], uniform: number): (typeof REGIMES)[number] {
  let rest = uniform
  for (const [index, chance] of chances.entries()) {
    rest -= chance
    if (rest < 0) return REGIMES[index] ?? REGIMES[0]
  }
  return REGIMES[0]
}
