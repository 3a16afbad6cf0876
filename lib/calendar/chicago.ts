import { DAY_MS, type EpochMs, HOUR_MS } from '../core/time.ts'
import { nthOf, SUNDAY } from './days.ts'

const STANDARD_MS = 6 * HOUR_MS
const DAYLIGHT_MS = 5 * HOUR_MS

type Summer = { from: EpochMs; to: EpochMs }
const summers = new Map<number, Summer>()

/** When clocks in Chicago show daylight time in a year: the rules of 1987 and of 2007, both at two in the morning. */
function summerOf(year: number): Summer {
  const known = summers.get(year)
  if (known !== undefined) return known
  const [begins, ends] =
    year >= 2007
      ? [nthOf(year, 3, SUNDAY, 2), nthOf(year, 11, SUNDAY, 1)]
      : [nthOf(year, 4, SUNDAY, 1), nthOf(year, 10, SUNDAY, -1)]
  const summer = {
    from: begins * DAY_MS + 2 * HOUR_MS + STANDARD_MS,
    to: ends * DAY_MS + 2 * HOUR_MS + DAYLIGHT_MS,
  }
  summers.set(year, summer)
  return summer
}

function isDaylight(instant: EpochMs): boolean {
  const { from, to } = summerOf(new Date(instant).getUTCFullYear())
  return instant >= from && instant < to
}

/**
 * Milliseconds to be added to UTC for the time that clocks in Chicago show, from 1987 on. Arithmetic alone: a walk
 * through history asks millions of times.
 */
export const chicagoOffset = (instant: EpochMs): number => (isDaylight(instant) ? -DAYLIGHT_MS : -STANDARD_MS)

/**
 * The instant at which clocks in Chicago show a time of a day (day number, milliseconds after midnight). Not for the
 * hours between one and three in the morning, in which clocks are changed.
 */
export function fromChicago(day: number, ofDayMs: number): EpochMs {
  const local = day * DAY_MS + ofDayMs
  return isDaylight(local + DAYLIGHT_MS) ? local + DAYLIGHT_MS : local + STANDARD_MS
}
