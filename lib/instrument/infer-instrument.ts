import path from 'node:path'
import type { Instrument } from '../../schemas/instrument.ts'

/**
 * The instrument that a candle file's name speaks of: the one of the catalogue whose underlying or symbol is a word of
 * it (`ETH-perp-1h-2020.csv.gz`, `BTCUSDT_5m.csv`). Null where it speaks of none, or of several.
 */
export function inferInstrument(file: string, catalogue: readonly Instrument[]): Instrument | null {
  const name = path.basename(file).toUpperCase()
  const words = new Set(name.split(/[^A-Z0-9]+/).map((word) => word.replace(/(?:USDT|USDC|USD|PERP)$/, '')))
  const found = catalogue.filter(({ underlying, venueSymbol }) => words.has(underlying) || name.includes(venueSymbol))
  return found.length === 1 ? (found[0] ?? null) : null
}
