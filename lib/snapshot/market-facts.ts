import type { EpochMs, Timeframe } from '../core/time.ts'
import type { CandleSeries } from '../market/market-data.ts'
import type { DataIssue, FundingRate, Quote } from '../../schemas/market.ts'
import type { NewsDigest } from '../../schemas/snapshot.ts'

/**
 * Everything read from outside for one snapshot, as of one instant. What could not be read is null, with an issue that
 * says so.
 */
export type MarketFacts = {
  readonly asOf: EpochMs
  /** Bars of the traded market: decision timeframe, four hours, one day. */
  readonly primary: CandleSeries
  readonly fourHour: CandleSeries
  readonly daily: CandleSeries
  readonly quote: Quote
  /** Settled rates of the last {@link FUNDING_DAYS} days, oldest first. */
  readonly funding: readonly FundingRate[] | null
  readonly openInterest: number | null
  /** Hourly bars of the reference market. */
  readonly reference: { readonly symbol: string; readonly series: CandleSeries } | null
  readonly news: NewsDigest
  /** Readings that are missing, by name. */
  readonly issues: readonly DataIssue[]
}

/** Days of funding that the average is taken over. */
export const FUNDING_DAYS = 3

/** Bars of the reference market. */
export const REFERENCE_TIMEFRAME = '1h' satisfies Timeframe
