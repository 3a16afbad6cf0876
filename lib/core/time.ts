import { InvariantError } from './invariant.ts'

/** Milliseconds since the Unix epoch, UTC. */
export type EpochMs = number

/** Reads the present instant. Real in composition roots, simulated everywhere else; read once a run. */
export type Clock = () => EpochMs

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Bar lengths this system knows, finest first. */
export const TIMEFRAMES = ['1m', '5m', '15m', '30m', '1h', '4h', '1d'] as const
export type Timeframe = (typeof TIMEFRAMES)[number]

const TIMEFRAME_MS: Record<Timeframe, number> = {
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '4h': 4 * HOUR_MS,
  '1d': DAY_MS,
}

/** Length of a timeframe in milliseconds. All of them divide a UTC day, so bars align to the epoch. */
export const timeframeMs = (timeframe: Timeframe): number => TIMEFRAME_MS[timeframe]

/** The largest multiple of `stepMs` that is not after `instant`. */
export const floorTime = (instant: EpochMs, stepMs: number): EpochMs => Math.floor(instant / stepMs) * stepMs

/** ISO 8601 UTC with milliseconds dropped when they are zero: `2026-11-02T09:30:00Z`. */
export function toIso(instant: EpochMs): string {
  if (!Number.isFinite(instant)) throw new InvariantError(`not an instant: ${instant}`)
  return new Date(instant).toISOString().replace('.000Z', 'Z')
}

/** Epoch milliseconds of an ISO 8601 instant. Throws on anything that is not one. */
export function fromIso(text: string): EpochMs {
  const instant = Date.parse(text)
  if (Number.isNaN(instant)) throw new InvariantError(`not an ISO 8601 instant: ${JSON.stringify(text)}`)
  return instant
}

/** UTC calendar day, `2026-11-02`: the day that daily limits count in. */
export const utcDay = (instant: EpochMs): string => toIso(instant).slice(0, 10)
