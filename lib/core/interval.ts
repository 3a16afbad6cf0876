import { InvariantError } from './invariant.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type Timeframe, TIMEFRAMES, timeframeMs } from './time.ts'

/** The shortest and the longest time between two decisions, in milliseconds. */
export const MIN_INTERVAL_MS = 10 * SECOND_MS
export const MAX_INTERVAL_MS = DAY_MS

const UNITS = { d: DAY_MS, h: HOUR_MS, m: MINUTE_MS, s: SECOND_MS } as const

/** Milliseconds of a duration such as `15s`, `30m`, `1h` or `1d`; null for anything else, zero included. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS]
}

/** A duration of whole seconds in its largest whole unit: 1,800,000 is `30m`, 5,400,000 is `90m`. */
export function durationText(durationMs: number): string {
  const unit = (Object.keys(UNITS) as (keyof typeof UNITS)[]).find((one) => durationMs % UNITS[one] === 0)
  if (unit === undefined || durationMs <= 0)
    throw new InvariantError(`not a duration of whole seconds: ${durationMs} ms`)
  return `${durationMs / UNITS[unit]}${unit}`
}

/** The same for a sentence: `30 min`, `15 s`, `1 h`, `1 d`. */
export const durationWords = (durationMs: number): string =>
  durationText(durationMs).replace(/[smhd]$/, (unit) => ` ${unit === 'm' ? 'min' : unit}`)

/** Why a text is no interval, with what to write instead; null where it is one. */
export function intervalProblem(text: string): string | null {
  const intervalMs = parseDuration(text)
  const isWithin = intervalMs !== null && intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS
  return isWithin ? null : 'expected a duration from 10s to 1d, such as 15s, 30m, 1h or 1d'
}

/** Texts read lately: every slot of a replay asks for the same one. */
const known = new Map<string, number>()

/** Milliseconds between two decisions. Throws {@link InvariantError} for a text that no configuration lets through. */
export function intervalMsOf({ interval }: { readonly interval: string }): number {
  const before = known.get(interval)
  if (before !== undefined) return before
  const intervalMs = parseDuration(interval)
  if (intervalMs === null) throw new InvariantError(`not an interval: ${JSON.stringify(interval)}`)
  known.set(interval, intervalMs)
  return intervalMs
}

/**
 * The length of the bars that a decision is made on: the configured one, or the longest known timeframe that is not
 * longer than the interval, and for intervals below a minute one minute.
 */
export function decisionTimeframeOf(config: {
  readonly interval: string
  readonly decisionTimeframe: Timeframe | null
}): Timeframe {
  if (config.decisionTimeframe !== null) return config.decisionTimeframe
  const intervalMs = intervalMsOf(config)
  return TIMEFRAMES.findLast((timeframe) => timeframeMs(timeframe) <= intervalMs) ?? TIMEFRAMES[0]
}
