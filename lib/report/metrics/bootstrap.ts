import { createPrng, type Prng } from '../../core/prng.ts'
import type { Interval } from '../../../schemas/metrics.ts'

/** How intervals are made. Equal seeds and values, equal intervals; `confidence` is the share of resamples inside. */
export type BootstrapOptions = { resamples: number; confidence: number; seed: number | string }

/** With fewer values an interval would look narrower than the ignorance is. */
export const MIN_BOOTSTRAP_VALUES = 10

type Statistic = (sample: Float64Array) => number | null

/**
 * Mean length of a block, n^(1/3): the order that minimises the error of a bootstrapped variance (Hall, Horowitz and
 * Jing, 1995).
 */
export const meanBlockLength = (count: number): number => Math.max(1, Math.cbrt(count))

/**
 * Intervals for statistics of a series whose values depend on their neighbours: stationary block bootstrap, in which
 * blocks begin anywhere, have geometrically distributed lengths, and wrap around the end. Percentile intervals; all
 * statistics see the same resamples. Null of fewer than {@link MIN_BOOTSTRAP_VALUES} values.
 * Politis and Romano, "The Stationary Bootstrap", Journal of the American Statistical Association (1994).
 */
export const bootstrapSeries = (
  series: readonly number[],
  statistics: readonly Statistic[],
  options: BootstrapOptions,
): (Interval | null)[] =>
  bootstrap(series, statistics, options, createPrng('bootstrap', 'series', options.seed), drawBlocks)

/**
 * Interval for a statistic of values that do not depend on each other: plain bootstrap, drawn with replacement.
 * Percentile interval, null of fewer than {@link MIN_BOOTSTRAP_VALUES} values. Efron (1979).
 */
export const bootstrapValues = (
  values: readonly number[],
  statistic: Statistic,
  options: BootstrapOptions,
): Interval | null =>
  bootstrap(values, [statistic], options, createPrng('bootstrap', 'values', options.seed), drawValues)[0] ?? null

/** Fills `sample` from `source`, which is as long. */
type Draw = (prng: Prng, source: Float64Array, sample: Float64Array) => void

function drawBlocks(prng: Prng, source: Float64Array, sample: Float64Array): void {
  const count = source.length
  const logGoOn = Math.log(1 - 1 / meanBlockLength(count))
  let position = 0
  while (position < count) {
    let index = Math.floor(prng.uniform() * count)
    const end = Math.min(count, position + 1 + Math.floor(Math.log(1 - prng.uniform()) / logGoOn))
    for (; position < end; position += 1) {
      sample[position] = source[index] ?? 0
      index = index + 1 === count ? 0 : index + 1
    }
  }
}

function drawValues(prng: Prng, source: Float64Array, sample: Float64Array): void {
  const count = source.length
  for (let position = 0; position < count; position += 1)
    sample[position] = source[Math.floor(prng.uniform() * count)] ?? 0
}

function bootstrap(
  values: readonly number[],
  statistics: readonly Statistic[],
  { resamples, confidence }: BootstrapOptions,
  prng: Prng,
  draw: Draw,
): (Interval | null)[] {
  if (values.length < MIN_BOOTSTRAP_VALUES) return statistics.map(() => null)
  const source = Float64Array.from(values)
  const sample = new Float64Array(values.length)
  const found = statistics.map((): number[] => [])
  for (let resample = 0; resample < resamples; resample += 1) {
    draw(prng, source, sample)
    statistics.forEach((statistic, index) => {
      const value = statistic(sample)
      if (value !== null) found[index]?.push(value)
    })
  }
  // A statistic that mostly has no value has no interval either.
  return found.map((results) =>
    results.length === 0 || results.length < resamples / 2 ? null : percentiles(results, confidence),
  )
}

function percentiles(values: readonly number[], confidence: number): Interval {
  const sorted = Float64Array.from(values).sort()
  return { low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2) }
}

/**
 * The value with a share `p` of the sorted ones below it, between two of them linearly (type 7 of Hyndman and Fan,
 * 1996).
 */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const place = p * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}
