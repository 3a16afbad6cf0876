import { existsSync } from 'node:fs'
import path from 'node:path'

/** A history: its files by name, what trades it, what has to be known of it. */
export type HistoryFiles = {
  candles: string
  funding?: string
  strategy?: string
  /** Facts of a contract that the catalogue does not have. */
  instrument?: Record<string, unknown>
  note?: string
}

/** SOL has no named strategy: a contract about as small as the others', assumed. */
const SOL = {
  id: 'coinbase:SOL-PERP-ASSUMED',
  venueSymbol: 'SOL-PERP-ASSUMED',
  underlying: 'SOL',
  unit: 'SOL',
  multiplier: '5',
  tickSize: '0.01',
}

/** Years of hourly bars, and weeks of one-minute bars, which decide what happens inside the half-hour. */
export const HISTORIES: Readonly<Record<string, HistoryFiles>> = {
  'ETH-1h-2020-24': { candles: 'ETH-perp-1h-20200101-20240418', funding: 'ETH', note: 'with every crash since 2020' },
  'BTC-1h-2020-24': { candles: 'BTC-perp-1h-20200101-20240418', funding: 'BTC', strategy: 'btc-perp' },
  'SOL-1h-2020-24': { candles: 'SOL-perp-1h-20200914-20240418', instrument: SOL, note: 'no funding history' },
  'ETH-1h-spot-dirty': {
    candles: 'ETH-spot-1h-20170817-20230618-dirty',
    note: 'spot, no funding history; 128 hours missing, duplicates, a jump backwards',
  },
  'ETH-1m-2023': { candles: 'ETH-perp-1m-20230703-20230817', funding: 'ETH' },
  'ETH-5m-2023': { candles: 'ETH-perp-5m-20230703-20230817', funding: 'ETH', note: 'the same days as the line above' },
  'BTC-1m-2023': { candles: 'BTC-perp-1m-20230718-20230817', funding: 'BTC', strategy: 'btc-perp' },
  'SOL-1m-2023': { candles: 'SOL-perp-1m-20230718-20230817', instrument: SOL, note: 'no funding history' },
  'ETH-1m-2025': { candles: 'ETH-perp-1m-20241219-20250118', funding: 'ETH' },
}

/** Real candles and funding. They are not part of this repository. */
const DATA = path.resolve(import.meta.dirname, '../../../shared/data')

export const candleFile = ({ candles }: HistoryFiles): string => path.join(DATA, 'candles', `${candles}.csv.gz`)
export const fundingFile = ({ funding }: HistoryFiles): string | null =>
  funding === undefined ? null : path.join(DATA, 'funding', `${funding}-perp-funding-8h.csv.gz`)
export const symbolOf = (name: string): string => `${name.slice(0, 3)}-PERP`
export const isHourly = ({ candles }: HistoryFiles): boolean => candles.includes('-1h-')

/** Ends the process with a word of explanation where the candles are not. */
export function requireHistories(): void {
  if (existsSync(DATA)) return
  console.log('skipped: ../shared/data is not there; the real candles are not part of this repository')
  process.exit(0)
}
