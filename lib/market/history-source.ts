import { price } from '../core/decimal.ts'
import { type EpochMs, floorTime, timeframeMs, toIso } from '../core/time.ts'
import type { Candle, FundingRate, Quote } from '../../schemas/market.ts'
import { type CandleHistory, coverageOf, firstAtOrAfter, spanOf } from './candle-history.ts'
import { carriedBar } from './carry.ts'
import { type MarketData, MarketDataError, type Trading } from './market-data.ts'

export type HistoryMarketOptions = {
  /** What the history is called, for people. */
  name: string
  /** The traded market. */
  symbol: string
  /** By symbol; that of the traded market has to be there. */
  histories: ReadonlyMap<string, CandleHistory>
  /** Settled funding of the traded market, oldest first. */
  funding: readonly FundingRate[]
}

/** A market whose whole history is at hand: what a replay walks through. `parts` is what it was made of. */
export type HistoryMarket = MarketData & {
  readonly history: CandleHistory
  readonly parts: Omit<HistoryMarketOptions, 'name'>
}

/**
 * A market of finished history. It has no spread: bid, ask, last and mark are the open of the base bar that contains
 * the instant, in a minute without trades the price carried into it, and exactly at the close of the last bar its
 * close.
 */
export function createHistoryMarket({ name, symbol, histories, funding }: HistoryMarketOptions): HistoryMarket {
  const historyOf = (wanted: string): CandleHistory => {
    const history = histories.get(wanted)
    if (history !== undefined) return history
    throw new MarketDataError(
      `${name}: no candles of ${wanted}, only of ${[...histories.keys()].join(' and ')}${wanted === symbol ? '' : '; give market.referenceFile for it'}`,
    )
  }
  const traded = historyOf(symbol)
  let asked: { symbol: string; at: EpochMs; quote: Quote } | null = null

  return {
    name,
    history: traded,
    parts: { symbol, histories, funding },
    baseTimeframe: traded.baseTimeframe,
    span: spanOf(traded),
    async candles({ symbol: wanted, timeframe, asOf, limit }) {
      const history = historyOf(wanted)
      if (timeframeMs(timeframe) < timeframeMs(history.baseTimeframe)) {
        throw new MarketDataError(
          `${name}: ${timeframe} bars of ${wanted} were asked for, but its file has bars of ${history.baseTimeframe}; give a file with finer bars`,
        )
      }
      return history.query(timeframe, asOf, limit)
    },
    async quote(wanted, at) {
      if (asked?.symbol !== wanted || asked.at !== at)
        asked = { symbol: wanted, at, quote: quoteOf(historyOf(wanted), wanted, at, name) }
      return asked.quote
    },
    async trading(wanted, at) {
      const history = historyOf(wanted)
      const opens = floorTime(at, timeframeMs(history.baseTimeframe))
      // The end of a history is its present: there its last price is the one to trade at.
      if (opens === spanOf(history)?.to || carriedAt(history, opens) === null) return OPEN
      return {
        kind: 'quiet',
        reason: `nobody trades in the ${history.baseTimeframe === '1m' ? 'minute' : `${history.baseTimeframe} bar`} of ${toIso(opens)}, the last price is carried`,
        nextClose: null,
      }
    },
    async driftAfter(wanted, at, afterMs) {
      const { barAt, baseTimeframe } = historyOf(wanted)
      const barMs = timeframeMs(baseTimeframe)
      const priceAt = (instant: EpochMs): number | null => {
        const bar = barAt(floorTime(instant, barMs))
        return bar === undefined ? null : bar.open + ((bar.close - bar.open) * (instant - bar.time)) / barMs
      }
      const [from, to] = [priceAt(at), priceAt(at + afterMs)]
      // Over a hole nothing is known of the way.
      return from === null || to === null ? 0 : to / from - 1
    },
    async fundingRates(wanted, from, to) {
      return wanted === symbol ? ratesWithin(funding, from, to) : []
    },
    async openInterest() {
      return null
    },
  }
}

function quoteOf(history: CandleHistory, symbol: string, at: EpochMs, name: string): Quote {
  const baseMs = timeframeMs(history.baseTimeframe)
  const opens = floorTime(at, baseMs)
  const bar = history.barAt(opens) ?? carriedAt(history, opens)
  const last = history.last
  const level = bar?.open ?? (last !== undefined && opens === last.time + baseMs ? last.close : undefined)
  if (level === undefined) {
    throw new MarketDataError(
      `${name}: no price of ${symbol} at ${toIso(at)}; the file covers ${coverageOf(history)} and has no bar opening ${toIso(opens)}`,
    )
  }
  const text = price(level)
  return { at: toIso(at), bid: text, ask: text, last: text, mark: text }
}

/**
 * The bar carried into a hole at `opens`, or null where a bar is there or nobody has traded for too long. Only what was
 * before counts: how long a hole will get is not known in it.
 */
function carriedAt({ bars, baseTimeframe }: CandleHistory, opens: EpochMs): Candle | null {
  const next = firstAtOrAfter(bars, opens)
  const before = bars[next - 1]
  if (before === undefined || bars[next]?.time === opens) return null
  return carriedBar(before, opens, timeframeMs(baseTimeframe))
}

const OPEN: Trading = { kind: 'open', reason: 'open', nextClose: null }

/** Rates with from < time <= to. */
function ratesWithin(rates: readonly FundingRate[], from: EpochMs, to: EpochMs): readonly FundingRate[] {
  return rates.slice(firstAtOrAfter(rates, from + 1), firstAtOrAfter(rates, to + 1))
}
