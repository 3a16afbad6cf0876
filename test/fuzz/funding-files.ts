import { UsageError } from '../../lib/core/invariant.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../lib/core/time.ts'
import { readFunding } from '../../lib/market/funding-file.ts'
import { chance, damage, pick, type Random, whole } from './harness/random.ts'
import type { FuzzTarget } from './harness/target.ts'

const NOW = Date.UTC(2026, 10, 2)
const SPLINTERS = [
  '%',
  '"',
  ',',
  '\n',
  ';',
  'null',
  'NaN',
  '-',
  '1e-999',
  '1e999',
  '0',
  '99999999999999999',
  '\0',
  '[',
  '{',
  'funding_rate',
  '1,5',
  '\u001b[2J',
] as const
const HEADERS: readonly [readonly string[], ...(readonly string[])[]] = [
  ['timestamp', 'funding_rate'],
  ['calc_time', 'last_funding_rate'],
  ['fundingTime', 'fundingRate'],
  ['time', 'Funding Rate (%)'],
  ['date', 'funding_rate_bps'],
  ['date', 'annualized_funding_rate'],
]
const UNITS = [null, null, null, 'fraction', 'percent', 'bps', 'fraction/year', 'percent/8h'] as const

type Input = { bytes: Uint8Array; unit: (typeof UNITS)[number] }

function rowsOf(random: Random): [time: number, rate: number][] {
  const start = Math.floor((Date.UTC(2020, 0, 1) + random() * 6 * 365 * DAY_MS) / DAY_MS) * DAY_MS
  const step = pick(random, [1, 4, 8, 24]) * HOUR_MS
  const factor = pick(random, [1, 1, 1, 100, 1e4, 1_095, 0, 1e-6])
  return Array.from({ length: whole(random, 0, 40) }, (_, index) => [
    start + index * step + (chance(random, 0.1) ? whole(random, 0, 20) : 0),
    (chance(random, 0.5) ? 0.0001 : (random() - 0.4) * 0.0006) * factor,
  ])
}

/**
 * Funding files in several units and damaged: each is read as ordered finite rates, or refused as a {@link UsageError}.
 */
export const fundingFiles: FuzzTarget = {
  name: 'funding-files',
  make(random): Input {
    const header = pick(random, HEADERS)
    const delimiter = pick(random, [',', ',', ';', '\t'])
    const isIso = chance(random, 0.3)
    const scale = pick(random, [1, 1, 1e3, 1e6, 1e-3])
    const sign = chance(random, 0.1) ? '%' : ''
    const rows = rowsOf(random)
    const text = chance(random, 0.8)
      ? [
          header.join(delimiter),
          ...rows.map(([time, rate]) =>
            [isIso ? toIso(time) : time * scale, `${rate.toFixed(10)}${sign}`].join(delimiter),
          ),
        ].join('\n')
      : JSON.stringify(rows.map(([fundingTime, fundingRate]) => ({ fundingTime, fundingRate: String(fundingRate) })))
    return {
      bytes: Buffer.from(chance(random, 0.5) ? damage(random, text, SPLINTERS) : text),
      unit: pick(random, UNITS),
    }
  },
  run(input) {
    const { bytes, unit } = input as Input
    try {
      const { rates } = readFunding([{ name: 'f', bytes }], {
        now: NOW,
        timeZone: null,
        dateOrder: null,
        fundingUnit: unit,
      })
      let before = -1
      for (const { time, rate } of rates) {
        if (!(time > before)) throw new Error(`rates are not in order at ${time}`)
        if (time > NOW + DAY_MS) throw new Error(`a rate at ${time} lies after now`)
        if (!Number.isFinite(rate)) throw new Error(`a rate of ${rate}`)
        before = time
      }
      return unit === null ? 'rates' : 'rates in a unit that was said'
    } catch (error) {
      if (error instanceof UsageError) return /another unit/.test(error.message) ? 'refused for its unit' : 'refused'
      throw error
    }
  },
}
