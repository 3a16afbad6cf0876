import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isOpenAt, sessionsBetween } from '../../lib/calendar/calendar.ts'
import { chicagoOffset } from '../../lib/calendar/chicago.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import type { CalendarId } from '../../schemas/calendar.ts'

const DATA = path.resolve(import.meta.dirname, '../../../shared/data')
const isThere = existsSync(DATA)
const CALENDARS: Readonly<Record<string, CalendarId>> = {
  ES: 'cme-equity',
  CL: 'cme-energy',
  NG: 'cme-energy',
  GC: 'cme-metals',
  '6E': 'cme-fx',
}

const rowsOf = (text: string): string[][] =>
  text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(','))

/** The end of a day's session in Chicago as `12:15`, `closed`, or an empty text for a whole day. */
function endOf(calendar: CalendarId, day: string): string {
  const noon = Date.parse(`${day}T12:00:00Z`)
  const session = [...sessionsBetween(calendar, noon - DAY_MS, noon + DAY_MS)].find((one) => one.day === day)
  if (session === undefined) return 'closed'
  const local = toIso(session.closes + chicagoOffset(session.closes)).slice(11, 16)
  return local === '16:00' ? '' : local
}

describe.skipIf(!isThere)('the calendar against what was recorded (skipped: ../shared/data is absent)', () => {
  it('ends a special day when both published calendars do, or else no later than the earlier of them', () => {
    const rows = rowsOf(readFileSync(path.join(DATA, 'events/cme-holidays-early-closes-2020-2027.csv'), 'utf8'))
    expect(rows.length).toBe(411)
    const late: string[] = []
    let equal = 0
    for (const [day = '', product = '', , , , agree, seen = '', , , , safe = ''] of rows) {
      const ours = endOf(CALENDARS[product] ?? 'always-open', day)
      if (ours === safe) equal += 1
      // A bar that was seen overrules both calendars.
      const isSeen = /^\d/.test(seen)
      const latest = isSeen && (safe === 'closed' || seen > safe) ? seen : safe
      const isLater =
        latest !== '' && ours !== 'closed' && (ours === '' ? latest < '16:00' : latest === 'closed' || ours > latest)
      if (isLater)
        late.push(
          `${day} ${product}: ours ${ours || 'whole'}, published ${safe || 'whole'}, seen ${seen || 'nothing'}, agree ${agree}`,
        )
    }
    expect(late).toEqual([])
    expect(equal).toBeGreaterThan(350)
  })

  it.each([
    ['ES-1h-20220102-20251205-backadjusted', 'ES', HOUR_MS],
    ['CL-1h-20220102-20251205-backadjusted', 'CL', HOUR_MS],
    ['NG-1h-20240528-20251231', 'NG', HOUR_MS],
    ['GC-1h-20240528-20251231', 'GC', HOUR_MS],
    ['6E-1m-6EH4-20240101-20240131', '6E', MINUTE_MS],
  ])('%s has nearly no bar outside the sessions of %s', (name, product, barMs) => {
    const file = path.join(DATA, 'futures', `${name}.csv.gz`)
    if (!existsSync(file)) return
    const times = rowsOf(gunzipSync(readFileSync(file)).toString('utf8')).map(([time]) => Number(time))
    expect(times.length).toBeGreaterThan(5_000)
    const calendar = CALENDARS[product] ?? 'always-open'
    const outside = times.filter((time) => !isOpenAt(calendar, time) && !isOpenAt(calendar, time + barMs - 1))
    expect(outside.length / times.length).toBeLessThan(0.002)
  })
})
