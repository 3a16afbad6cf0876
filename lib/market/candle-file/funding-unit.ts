import { DAY_MS, HOUR_MS } from '../../core/time.ts'

/**
 * What a number in a funding file counts: a fraction, a hundredth or a basis point of the notional, paid over which
 * time.
 */
export type FundingUnit = { readonly scale: 'fraction' | 'percent' | 'bps'; readonly periodMs: number | 'interval' }

const SCALES: Record<FundingUnit['scale'], number> = { fraction: 1, percent: 0.01, bps: 0.0001 }
const YEAR_MS = 365 * DAY_MS
const UNIT = /^(fraction|percent|bps)(?:\/(interval|hour|day|year|(\d{1,2})h))?$/

export const FUNDING_UNIT_HELP =
  'fraction, percent or bps, alone for one settlement or with /hour, /8h, /day or /year for the time that it is paid over'

/** A unit as `--funding-unit` takes it: `percent`, `fraction/year`, `bps/8h`; null for anything else. */
export function parseFundingUnit(text: string): FundingUnit | null {
  const match = UNIT.exec(text)
  if (match === null) return null
  const [, scale, per = 'interval', hours] = match
  const named: Record<string, number | 'interval'> = { interval: 'interval', hour: HOUR_MS, day: DAY_MS, year: YEAR_MS }
  const periodMs = hours === undefined ? named[per] : Number(hours) * HOUR_MS
  return periodMs === undefined || periodMs === 0 ? null : { scale: scale as FundingUnit['scale'], periodMs }
}

/** What a number of a unit is as a fraction of the notional over one settlement. */
export const factorOf = ({ scale, periodMs }: FundingUnit, intervalMs: number): number =>
  SCALES[scale] * (periodMs === 'interval' ? 1 : intervalMs / periodMs)

/** What the name of a column says of its unit; null where it says nothing. `Funding Rate (%)`, `rate_bps`, `apr`. */
export function unitInName(name: string): FundingUnit | null {
  const text = name.toLowerCase()
  const isYear = /annual|per[_ ]?year|\bapr\b|\bapy\b|yearly|p\.a\./.test(text)
  const isPercent = /%|percent|\bpct\b|_pct|\bapr\b|\bapy\b/.test(text)
  const isBps = /\bbps?\b|_bps?\b|basis/.test(text)
  const hours = /(?:^|[^\d])(\d{1,2}) ?h(?:ours?)?(?![a-z])/.exec(text)?.[1]
  if (!isYear && !isPercent && !isBps && hours === undefined) return null
  const periodMs = isYear ? YEAR_MS : hours === undefined ? ('interval' as const) : Number(hours) * HOUR_MS
  return { scale: isPercent ? 'percent' : isBps ? 'bps' : 'fraction', periodMs: periodMs === 0 ? 'interval' : periodMs }
}

/** A unit for people. */
export const shownUnit = ({ scale, periodMs }: FundingUnit, intervalMs: number): string => {
  const per = periodMs === 'interval' ? intervalMs : periodMs
  return `${scale === 'fraction' ? 'a fraction' : scale} per ${per === YEAR_MS ? 'year' : shownHours(per)}`
}

const shownHours = (ms: number): string => (ms === HOUR_MS ? 'hour' : `${Number((ms / HOUR_MS).toFixed(2))} hours`)

/** Units that a funding file may well be in, each as `--funding-unit` takes it. */
const CANDIDATES = [
  'fraction',
  'percent',
  'bps',
  'fraction/year',
  'percent/year',
  'fraction/hour',
  'fraction/8h',
  'percent/8h',
  'percent/hour',
]

/** What perpetual markets charge when nobody leans: 0.01 % in 8 hours. Most rates of most venues are exactly that. */
const NEUTRAL_PER_8H = 0.0001
/**
 * Longs pay some 11 % a year in quiet markets, 100 % in manic ones; medians of a file lie between, or are in another
 * unit.
 */
const MOST_A_YEAR = 1.5
/** A handful of rates may all be of one manic day. */
const FEW = 8
const MOST_A_YEAR_OF_FEW = 5
const LEAST_A_YEAR = 0.001
/** A tenth of the rates above this has not been seen anywhere. */
const MOST_TAIL_A_YEAR = 10

export type Judgement =
  | { readonly kind: 'plausible' }
  | {
      readonly kind: 'wrong'
      readonly medianPerYear: number
      readonly likely: readonly { unit: string; perYear: number }[]
    }

/**
 * Holds the rates of a file, as fractions over one settlement, against what markets pay: their median and upper tail as
 * a year's rate, and the rate that most of them have, which is the neutral one in whichever unit the file is in.
 */
export function judgeRates(rates: readonly number[], intervalMs: number): Judgement {
  const sizes = rates
    .map((rate) => Math.abs(rate))
    .filter((size) => size > 0)
    .sort((a, b) => a - b)
  if (sizes.length === 0) return { kind: 'plausible' }
  const perYear = YEAR_MS / intervalMs
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0
  const tail = sizes[Math.floor(sizes.length * 0.9)] ?? 0
  const usual = mostCommon(sizes)
  const neutral = NEUTRAL_PER_8H * (intervalMs / (8 * HOUR_MS))
  const isNeutral = usual !== null && isNear(usual, neutral)
  const likely = CANDIDATES.flatMap((unit) => {
    const parsed = parseFundingUnit(unit)
    if (parsed === null) return []
    const year = median * factorOf(parsed, intervalMs) * perYear
    const fits = usual !== null && isNear(usual * factorOf(parsed, intervalMs), neutral)
    return unit !== 'fraction' && (fits || (year >= 0.005 && year <= 1)) ? [{ unit, perYear: year, fits }] : []
  })
  const isOtherNeutral = usual !== null && !isNeutral && likely.some(({ fits }) => fits)
  const medianPerYear = median * perYear
  const most = sizes.length < FEW ? MOST_A_YEAR_OF_FEW : MOST_A_YEAR
  const isOutside = medianPerYear > most || medianPerYear < LEAST_A_YEAR || tail * perYear > MOST_TAIL_A_YEAR
  if (!isOutside && !isOtherNeutral) return { kind: 'plausible' }
  const best = likely.filter(({ fits }) => fits)
  // Over one settlement and over its hours are the same; the shorter name is enough.
  const different = (best.length > 0 ? best : likely).filter(
    ({ perYear }, index, all) => all.findIndex((other) => isNear(other.perYear, perYear)) === index,
  )
  return { kind: 'wrong', medianPerYear, likely: different.slice(0, 3) }
}

/** The size that a fifth of the rates or more have to the digit; null where none has. */
function mostCommon(sorted: readonly number[]): number | null {
  if (sorted.length < FEW) return null
  let best = { size: 0, count: 0 }
  let count = 0
  for (const [index, size] of sorted.entries()) {
    count = index > 0 && isNear(size, sorted[index - 1] ?? 0) ? count + 1 : 1
    if (count > best.count) best = { size, count }
  }
  return best.count >= sorted.length / 5 ? best.size : null
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(a, b)
