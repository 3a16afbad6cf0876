import { createPrng, hashUniform } from '../../core/prng.ts'

export const MINUTES = 1_440
/** Volatility and trend move on once per block of this many minutes. */
const BLOCK = 5
const BLOCKS = MINUTES / BLOCK

/** Log returns of a factor in each minute of a day, and the volatility behind each. */
export type MinutePath = { readonly returns: Float64Array; readonly sigmas: Float64Array }

export type IntradayOptions = {
  readonly stream: readonly (string | number)[]
  readonly day: number
  /** Standard deviation of the day's log return. */
  readonly sigma: number
  /** Log return of the day: the minutes sum to it. */
  readonly total: number
  /** Written over and returned, where the caller is done with it; otherwise a new one is made. */
  readonly into?: MinutePath
}

export const newMinutePath = (): MinutePath => ({
  returns: new Float64Array(MINUTES),
  sigmas: new Float64Array(MINUTES),
})

/**
 * Stationary deviation of the logarithm of intraday volatility, and its memory from block to block (halves in an hour).
 */
const HEAT_SIGMA = 0.45
const HEAT_MEMORY = 0.94
/** What a jump adds to that logarithm, fading over about an hour. */
const JUMP_HEAT = 1.1
const JUMP_FADE = 0.92
const JUMPS_A_DAY = 1.5
/** Drift within the day, in minute deviations, halving in four hours: what makes a half-hour trend. */
const TREND_SIGMA = 0.03
const TREND_MEMORY = 0.9856

/**
 * One day of one factor, from its name and number alone. Volatility has the daily rhythm, clusters, and starts
 * from a heat shared with the end of the day before, so midnight leaves no seam. The minutes are bridged to the
 * day's return: what is lacking is spread by variance, as a Brownian bridge would.
 */
export function createMinutePath({ stream, day, sigma, total, into }: IntradayOptions): MinutePath {
  const prng = createPrng(...stream, 'minutes', day)
  const heats = heatOf(stream, day, prng)
  const { returns, sigmas } = into ?? newMinutePath()
  const average = sigma / Math.sqrt(MINUTES)
  const trendShock = TREND_SIGMA * Math.sqrt(1 - TREND_MEMORY * TREND_MEMORY)
  let trend = TREND_SIGMA * prng.normal()
  let jumpHeat = 0
  let sum = 0
  let variance = 0
  for (let block = 0; block < BLOCKS; block += 1) {
    trend = TREND_MEMORY * trend + trendShock * prng.normal()
    const heat = Math.exp((heats[block] ?? 0) + jumpHeat - HEAT_SIGMA * HEAT_SIGMA) * average
    jumpHeat *= JUMP_FADE
    const jumpAt = prng.uniform() < JUMPS_A_DAY / BLOCKS ? Math.floor(prng.uniform() * BLOCK) : -1
    for (let step = 0; step < BLOCK; step += 1) {
      const minute = block * BLOCK + step
      const deviation = heat * (RHYTHM[minute] ?? 1)
      let move = deviation * (prng.normal() + trend)
      if (step === jumpAt) {
        move += deviation * (prng.uniform() < 0.5 ? -1 : 1) * (6 + 8 * prng.uniform())
        jumpHeat += JUMP_HEAT
      }
      returns[minute] = move
      sigmas[minute] = deviation
      sum += move
      variance += deviation * deviation
    }
  }
  const correction = (total - sum) / variance
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const deviation = sigmas[minute] ?? 0
    returns[minute] = (returns[minute] ?? 0) + correction * deviation * deviation
  }
  return { returns, sigmas }
}

/** AR(1) heat of each block, led from the heat at one midnight to that at the next. */
function heatOf(stream: readonly (string | number)[], day: number, prng: { normal(): number }): Float64Array {
  const shock = HEAT_SIGMA * Math.sqrt(1 - HEAT_MEMORY * HEAT_MEMORY)
  const heats = new Float64Array(BLOCKS)
  let heat = midnightHeat(stream, day)
  for (let block = 0; block < BLOCKS; block += 1) {
    heats[block] = heat
    heat = HEAT_MEMORY * heat + shock * prng.normal()
  }
  const gap = midnightHeat(stream, day + 1) - heat
  // Only the last blocks are bent: the process forgets its past within a few hours anyway.
  const bent = 60
  for (let block = BLOCKS - bent; block < BLOCKS; block += 1)
    heats[block] = (heats[block] ?? 0) + (gap * (block - BLOCKS + bent)) / bent
  return heats
}

/** Heat at the midnight that begins a day: within one and a half deviations, evenly. */
const midnightHeat = (stream: readonly (string | number)[], day: number): number =>
  HEAT_SIGMA * (3 * hashUniform(...stream, 'midnight', day) - 1.5)

/**
 * Volatility by minute of the UTC day, mean square 1: a trough in the small hours, a rise at the European open,
 * the peak at the American one (14:30), as crypto futures show it.
 */
export const RHYTHM: Float64Array = createRhythm()

function createRhythm(): Float64Array {
  const rhythm = new Float64Array(MINUTES)
  let square = 0
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const value = 0.7 + bump(minute, 14.5, 2.2, 0.9) + bump(minute, 8, 1.5, 0.35) + bump(minute, 0.2, 0.8, 0.35)
    rhythm[minute] = value
    square += value * value
  }
  const scale = Math.sqrt(MINUTES / square)
  return rhythm.map((value) => value * scale)
}

/** A hill over the day's circle: centre and width in hours. */
function bump(minute: number, centre: number, width: number, height: number): number {
  const distance = Math.abs(minute / 60 - centre)
  const hours = Math.min(distance, 24 - distance) / width
  return height * Math.exp(-0.5 * hours * hours)
}
