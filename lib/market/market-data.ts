import type { EpochMs, Timeframe } from '../core/time.ts'
import type { Candle, DataIssue, FundingRate, Quote } from '../../schemas/market.ts'

/**
 * Whether orders sent now can fill. `open`: yes. `quiet`: the venue takes orders, but nobody trades, and what goes at
 * market does not fill. `closed`: the venue takes none. `reason` is in the venue's own words.
 */
export type Trading = {
  readonly kind: 'open' | 'quiet' | 'closed'
  readonly reason: string
  /** The next close the venue announces. */
  readonly nextClose: EpochMs | null
}

/** Bars as asked for, oldest first, with everything found wrong on the way. */
export type CandleSeries = { readonly candles: readonly Candle[]; readonly issues: readonly DataIssue[] }

/** Which bars: those that had closed by `asOf`, at most `limit` of them, the newest. */
export type CandleQuery = { symbol: string; timeframe: Timeframe; asOf: EpochMs; limit: number }

/**
 * The market as it was known at an instant. Every method takes that instant, and nothing later than it
 * can come back: the simulator, a file of history and a live exchange answer alike.
 */
export type MarketData = {
  /** What the source is, for people: `sim seed 7`, an exchange, a file name. */
  readonly name: string
  /** The finest bars the source has; exits between two passes are judged on these. */
  readonly baseTimeframe: Timeframe
  /** First and last instant a source of history can answer for; null for one without an end. */
  readonly span: { readonly from: EpochMs; readonly to: EpochMs } | null
  /** Closed bars only: open + timeframe <= asOf. Rejects with {@link MarketDataError} when the source cannot answer. */
  candles(query: CandleQuery): Promise<CandleSeries>
  /**
   * Tradable prices at `at`. In history the price is the open of the base bar that contains `at`: known from
   * the moment that bar begins, and the next tradable price after the bar before it closed.
   */
  quote(symbol: string, at: EpochMs): Promise<Quote>
  /**
   * By which fraction the price moves in the `afterMs` from `at` on, along straight lines through its bars: what an
   * order meets that is on its way for so long. Only history knows; a live order has its delay in fact.
   */
  driftAfter?(symbol: string, at: EpochMs, afterMs: number): Promise<number>
  /**
   * What the venue says about trading at `at`. A market without this method is always open. Never rejects: what cannot
   * be read is closed.
   */
  trading?(symbol: string, at: EpochMs): Promise<Trading>
  /** Settled funding rates with from < time <= to, oldest first; empty where the source has none. */
  fundingRates(symbol: string, from: EpochMs, to: EpochMs): Promise<readonly FundingRate[]>
  /** Open interest as of the instant, or null where the source has none. */
  openInterest(symbol: string, at: EpochMs): Promise<number | null>
}

/** The source could not answer: network, exchange error, no data for the instant. */
export class MarketDataError extends Error {
  override readonly name = 'MarketDataError'
}
