import { type EpochMs, MINUTE_MS } from '../core/time.ts'

/**
 * What the text of a time zone means: minutes east of UTC, or a name of the IANA database, whose offset depends on the
 * day. `doubt` says how an ambiguous one is read.
 */
export type Zone = { offset: number | IanaName; doubt: string | null }
type IanaName = string

/** Minutes east of UTC of abbreviations with one meaning in feeds; those of RFC 822 have theirs from there. */
const OFFSETS = tableOf(`
  UT 0, UTC 0, GMT 0, Z 0, WET 0, WEST 60, CET 60, CEST 120, MET 60, MEST 120, MEZ 60, MESZ 120, EET 120,
  EEST 180, MSK 180, MSD 240, TRT 180, FET 180, SAMT 240, WAT 60, CAT 120, SAST 120, EAT 180, EST -300,
  EDT -240, CST -360, CDT -300, MST -420, MDT -360, PST -480, PDT -420, AKST -540, AKDT -480, HST -600,
  HDT -540, HAST -600, NST -210, NDT -150, ADT -180, BRT -180, BRST -120, ART -180, CLT -240, CLST -180,
  COT -300, PET -300, VET -240, BOT -240, UYT -180, IDT 180, IRST 210, TRST 180, GST 240, PKT 300, UZT 300,
  NPT 345, MMT 390, ICT 420, WIB 420, WITA 480, WIT 540, HKT 480, SGT 480, MYT 480, PHT 480, PHST 480,
  AWST 480, JST 540, KST 540, ACST 570, ACDT 630, AEST 600, AEDT 660, CHST 600, NZST 720, NZDT 780, YEKT 300,
  OMST 360, NOVT 420, KRAT 420, IRKT 480, YAKT 540, VLAT 600, MAGT 660, PETT 720, AZT 240, GET 240, AMT -240,
  HNE -300, HAE -240
`)

/** Abbreviations that several places use for different offsets: the reading taken, and how it is told. */
const AMBIGUOUS: Readonly<Record<string, readonly [offset: number, told: string]>> = {
  IST: [330, 'as India’s time, +05:30 (Israel and Ireland use the same letters)'],
  BST: [60, 'as British summer time, +01:00 (Bangladesh uses the same letters)'],
  AST: [-240, 'as Atlantic time, -04:00 (Arabia uses the same letters)'],
  SST: [480, 'as Singapore’s time, +08:00 (Samoa uses the same letters)'],
  ECT: [-300, 'as Ecuador’s time, -05:00 (others use the same letters)'],
}

/** Names that follow daylight saving without saying so, and names written out. */
const IANA = tableOf(`
  ET America/New_York, CT America/Chicago, MT America/Denver, PT America/Los_Angeles,
  EASTERN TIME America/New_York, CENTRAL TIME America/Chicago, PACIFIC TIME America/Los_Angeles,
  MOUNTAIN TIME America/Denver, UK TIME Europe/London, LONDON TIME Europe/London
`)

/** First letters of names written out, such as "Eastern Standard Time" or "Central European Summer Time". */
const WRITTEN = tableOf(`
  COORDINATED UNIVERSAL TIME UTC, UNIVERSAL TIME UTC, GREENWICH MEAN TIME GMT, INDIA STANDARD TIME +0530,
  INDIAN STANDARD TIME +0530, IRISH STANDARD TIME +0100, ISRAEL STANDARD TIME +0200,
  ISRAEL DAYLIGHT TIME +0300, BRITISH SUMMER TIME +0100, EASTERN STANDARD TIME EST, EASTERN DAYLIGHT TIME EDT,
  CENTRAL STANDARD TIME CST, CENTRAL DAYLIGHT TIME CDT, MOUNTAIN STANDARD TIME MST, MOUNTAIN DAYLIGHT TIME MDT,
  PACIFIC STANDARD TIME PST, PACIFIC DAYLIGHT TIME PDT, ATLANTIC STANDARD TIME -0400,
  CENTRAL EUROPEAN TIME CET, CENTRAL EUROPEAN STANDARD TIME CET, CENTRAL EUROPEAN SUMMER TIME CEST,
  EASTERN EUROPEAN TIME EET, EASTERN EUROPEAN SUMMER TIME EEST, MOSCOW STANDARD TIME MSK,
  JAPAN STANDARD TIME JST, KOREAN STANDARD TIME KST, CHINA STANDARD TIME +0800, SINGAPORE STANDARD TIME SGT,
  HONG KONG STANDARD TIME HKT, GULF STANDARD TIME +0400, AUSTRALIAN EASTERN STANDARD TIME AEST,
  AUSTRALIAN EASTERN DAYLIGHT TIME AEDT, ARABIAN STANDARD TIME +0300
`)

/** Names and what they mean, from lines of "NAME MEANING, …": the last word is the meaning. */
function tableOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim())
  return new Map(
    pairs.map((pair) => [pair.slice(0, pair.lastIndexOf(' ')), pair.slice(pair.lastIndexOf(' ') + 1)] as const),
  )
}

const MAX_OFFSET = 14 * 60

/**
 * The zone that a date's text ends in, or null for one that nobody knows: such a date is not believed, since a guess
 * could be wrong by a day. No zone is UTC, and so is a single letter: RFC 822 published those with the wrong sign, and
 * RFC 2822 says to take them as an unknown place's UTC.
 */
export function readZone(raw: string): Zone | null {
  const text = raw.trim().replaceAll('_', ' ').toUpperCase()
  if (text === '') return { offset: 0, doubt: 'dates without a time zone are read as UTC' }
  const numeric = readOffset(text)
  if (numeric !== null) return { offset: numeric, doubt: null }
  const known = OFFSETS.get(text)
  if (known !== undefined) return { offset: Number(known), doubt: null }
  const short = WRITTEN.get(text)
  if (short !== undefined) return readZone(short)
  if (Object.hasOwn(AMBIGUOUS, text)) {
    const [offset, told] = AMBIGUOUS[text] ?? [0, '']
    return { offset, doubt: `dates in ${text} are read ${told}` }
  }
  if (/^[A-IK-Y]$/.test(text)) return { offset: 0, doubt: `dates in the military zone ${text} are read as UTC` }
  const name = IANA.get(text) ?? raw.trim()
  return formatterOf(name) !== null ? { offset: name, doubt: null } : null
}

/** `+05:30`, `-0500`, `+5`, `GMT+2`, `UTC-03:30`; null for anything else and for what no place on earth has. */
function readOffset(text: string): number | null {
  const match = /^(?:GMT|UTC|UT|Z)? ?(?<sign>[+\-−]) ?(?<hours>\d{1,2}):?(?<minutes>\d{2})?$/.exec(text)
  const { sign, hours, minutes } = match?.groups ?? {}
  if (hours === undefined) return null
  const offset = Number(hours) * 60 + Number(minutes ?? 0)
  if (offset > MAX_OFFSET || Number(minutes ?? 0) > 59) return null
  return sign === '+' ? offset : -offset
}

/** The instant at which clocks in a zone show a local time, given as if it were UTC. */
export function instantIn({ offset }: Zone, local: EpochMs): EpochMs {
  if (typeof offset === 'number') return local - offset * MINUTE_MS
  // The offset is that of the instant sought, which begins as that of the local time read as UTC. Twice is enough but
  // within the hour that a change of clocks leaves out, where no answer is right.
  const first = local - offsetAt(offset, local) * MINUTE_MS
  return local - offsetAt(offset, first) * MINUTE_MS
}

function offsetAt(name: IanaName, instant: EpochMs): number {
  const parts = formatterOf(name)?.formatToParts(instant) ?? []
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
  return text === 'GMT' ? 0 : (readOffset(text.toUpperCase()) ?? 0)
}

/** There are some six hundred names, so this stays small. */
const formatters = new Map<IanaName, Intl.DateTimeFormat>()

function formatterOf(name: IanaName): Intl.DateTimeFormat | null {
  // Only names with a place: `Intl` also knows abbreviations, with meanings of its own.
  if (!/^[A-Za-z]{1,20}(?:\/[A-Za-z0-9_+-]{1,20}){1,2}$/.test(name)) return null
  const key = name.toLowerCase()
  const known = formatters.get(key)
  if (known !== undefined) return known
  try {
    const made = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' })
    formatters.set(key, made)
    return made
  } catch {
    return null
  }
}
