import type { EpochMs, Timeframe } from '../core/time.ts'
import type { FundingRate } from '../../schemas/market.ts'
import type { MarketConfig } from '../../schemas/strategy-config.ts'
import type { RawCandle } from './inspect-candles.ts'

/** Why nothing trades now, in the venue's own words (empty while it does), and the next close it announces. */
export type TradingState = { readonly blocks: readonly string[]; readonly nextClose: EpochMs | null }

/** Present prices of one market; null where the venue gives none. */
export type Prices = { bid: number | null; ask: number | null; last: number | null; mark: number | null }

/**
 * What the venue says about trading now: `blocks` in its own words, empty while it trades; the last trade where known.
 */
export type ReportedTrading = TradingState & { readonly lastTradeAt: EpochMs | null }

/**
 * What one kind of exchange can be asked. Amounts parsed, bars unjudged and in the venue's own order made oldest first.
 */
export type ExchangeReader = {
  /** Bar lengths the venue itself has. */
  readonly timeframes: readonly Timeframe[]
  /** Bars that open in [from, until), perhaps with more about them. */
  candles(symbol: string, timeframe: Timeframe, from: EpochMs, until: EpochMs): Promise<RawCandle[]>
  prices(symbol: string, at: EpochMs): Promise<Prices>
  /** Rates the venue still tells of, with from < time <= to. */
  fundingRates(symbol: string, from: EpochMs, to: EpochMs): Promise<readonly FundingRate[]>
  trading(symbol: string, at: EpochMs): Promise<ReportedTrading>
  openInterest(symbol: string, at: EpochMs): Promise<number | null>
}

/** Opens a venue's own way to read its prices; null for an exchange that is read through ccxt's unified methods. */
export type OpenVenueReader = (config: MarketConfig) => Promise<ExchangeReader> | null
