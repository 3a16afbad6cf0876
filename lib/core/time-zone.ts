import { DAY_MS, type EpochMs, MINUTE_MS } from './time.ts'

/** Whether the platform knows a time zone by this name: `Europe/Zurich`, `America/New_York`, `UTC`. */
export function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en-US', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** The instants at which clocks of the zone show a local time: none in the hour that spring skips, two in autumn's. */
export type LocalTimes = (local: number) => readonly EpochMs[]

const QUARTER_MS = 15 * MINUTE_MS

/**
 * `local` counts milliseconds as if the clock's face were UTC. Answers are kept by quarter of an hour: offsets change
 * on those.
 */
export function createLocalTimes(zone: string): LocalTimes {
  if (/^(?:utc|gmt|etc\/(?:utc|gmt))$/i.test(zone)) return (local) => [local]
  const offsetAt = offsetsOf(zone)
  const known = new Map<number, readonly number[]>()
  return (local) => {
    const quarter = Math.floor(local / QUARTER_MS)
    let offsets = known.get(quarter)
    if (offsets === undefined) {
      const face = quarter * QUARTER_MS
      offsets = [...new Set([offsetAt(face - DAY_MS), offsetAt(face + DAY_MS)])].filter(
        (offset) => offsetAt(face - offset) === offset,
      )
      known.set(quarter, offsets)
    }
    return offsets.map((offset) => local - offset)
  }
}

/** Milliseconds that the zone's clocks are ahead of UTC at an instant. */
function offsetsOf(zone: string): (instant: EpochMs) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1_000) * 1_000
  }
}
