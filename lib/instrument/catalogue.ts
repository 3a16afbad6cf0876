import { Instrument } from '../../schemas/instrument.ts'

/**
 * Perp-style futures of Coinbase's US exchange: contract sizes from its product pages, fees as its customers report
 * them (0.03 % taker and 0.15 dollars a contract), margin rates of its overnight window in 2026. Paper trading and
 * replays take these facts; live trading asks the venue.
 */
const coinbasePerp = ({
  symbol,
  coin,
  multiplier,
  tickSize,
}: Record<'symbol' | 'coin' | 'multiplier' | 'tickSize', string>): Instrument =>
  Instrument.parse({
    kind: 'perp',
    id: `coinbase:${symbol}`,
    venue: 'coinbase',
    venueSymbol: symbol,
    underlying: coin,
    unit: coin,
    quoteCurrency: 'USD',
    multiplier,
    tickSize,
    lotSize: '1',
    minQuantity: '1',
    maxQuantity: '5000',
    margin: { perNotional: { initial: { long: '0.25', short: '0.31' }, maintenance: '0.05' } },
    fees: { maker: '0', taker: '0.0003', perContract: '0.15' },
    calendar: 'always-open',
    fundingIntervalMs: 3_600_000,
  })

/** Instruments whose facts are known here without asking a venue. */
export const CATALOGUE: readonly Instrument[] = [
  coinbasePerp({ symbol: 'ETP-20DEC30-CDE', coin: 'ETH', multiplier: '0.1', tickSize: '0.5' }),
  coinbasePerp({ symbol: 'BIP-20DEC30-CDE', coin: 'BTC', multiplier: '0.01', tickSize: '5' }),
]

/**
 * The instrument of an id (`coinbase:ETP-20DEC30-CDE`) or of a venue's own symbol; null where the catalogue has none.
 */
export const findInstrument = (name: string): Instrument | null =>
  CATALOGUE.find(({ id, venueSymbol }) => id === name || venueSymbol === name) ?? null
