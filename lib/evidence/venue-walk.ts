import { fundingIntervalOf } from '../../schemas/instrument.ts'
import { canonical, dec, type Money, price, type Quantity, sum, toNumber } from '../core/decimal.ts'
import type { PositionSide } from '../core/margin.ts'
import { type EpochMs, floorTime, fromIso, timeframeMs, toIso } from '../core/time.ts'
import { advanceBook, bookUnrealised, openBook, type PaperVenue, placeOrder } from '../venue/paper/book.ts'
import { FUNDING_MEMORY_MS, settlementsBetween } from '../venue/paper/funding.ts'
import { paperVenueOf } from '../venue/paper/paper-broker.ts'
import { withSpread } from '../venue/paper/spread.ts'
import { firstAtOrAfter } from '../market/candle-history.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import type { FundingRate } from '../../schemas/market.ts'
import type { Bracket, CloseOrder, EntryOrder } from '../../schemas/order.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

export type Opening = { side: PositionSide; quantity: Quantity; bracket: Bracket; leverage: Quantity }

/**
 * The paper venue without a strategy: what a position opened at an instant would have come to under the same spread,
 * slippage, latency, fees, funding and exits. For baselines and for decisions that were not carried out.
 */
export type VenueWalk = {
  readonly venue: PaperVenue
  /**
   * A book with `cash` in which the position was just opened, or null when the venue would have refused it or there is
   * no price.
   */
  open(at: EpochMs, cash: Money, opening: Opening): Promise<PaperBook | null>
  /** The book with every bar played that closed by `to`, and what funding was due. */
  advance(book: PaperBook, to: EpochMs): PaperBook
  /** The book with what is held closed at market; as it is when there is no price. */
  close(book: PaperBook, at: EpochMs): Promise<PaperBook>
  /** Cash and what is held, at the price of the instant; null when there is none. */
  equity(book: PaperBook, at: EpochMs): Promise<number | null>
}

const CLIENT_ID = '00000000-0000-8000-8000-000000000000'

/** A walk through [from, to): the settlements of that span are worked out once. */
export async function createVenueWalk(
  config: StrategyConfig,
  market: HistoryMarket,
  from: EpochMs,
  to: EpochMs,
): Promise<VenueWalk> {
  const { symbol } = config.market
  const { instrument } = config
  const venue = paperVenueOf(config)
  const spread = withSpread(market, config.paper.spreadBps)
  const { bars } = market.history
  const barMs = timeframeMs(market.baseTimeframe)
  const intervalMs = fundingIntervalOf(instrument)
  const known = await market.fundingRates(symbol, from - FUNDING_MEMORY_MS, to)
  const settlements: readonly FundingRate[] =
    intervalMs === null
      ? []
      : settlementsBetween(from, to, intervalMs, known, toNumber(config.paper.assumedFundingRate))

  const arrivalAt = async (at: EpochMs) => {
    const [quote, drift] = await Promise.all([
      spread.quote(symbol, at),
      market.driftAfter?.(symbol, at, config.paper.latencyMs) ?? 0,
    ])
    return { quote, drift }
  }
  const hasPrice = (at: EpochMs): boolean => market.history.barAt(floorTime(at, barMs)) !== undefined

  return {
    venue,
    async open(at, cash, { side, quantity, bracket, leverage }) {
      if (!hasPrice(at)) return null
      const buys = side === 'long'
      const order: EntryOrder = {
        kind: 'entry',
        clientOrderId: CLIENT_ID,
        symbol,
        side: buys ? 'buy' : 'sell',
        quantity,
        priceLimit: price(buys ? '1000000000' : instrument.tickSize),
        bracket,
        leverage,
      }
      const { book, placement } = placeOrder(openBook(symbol, cash, toIso(at)), order, await arrivalAt(at), toIso(at), {
        ...venue,
        paper: { ...venue.paper, attachedBrackets: true },
      })
      return placement.outcome === 'accepted' && book.position !== null ? book : null
    },
    advance(book, until) {
      const since = fromIso(book.advancedTo)
      const playable = bars.slice(firstAtOrAfter(bars, since), firstAtOrAfter(bars, until - barMs + 1))
      return advanceBook(
        book,
        playable,
        barMs,
        settlements.slice(firstAtOrAfter(settlements, since - barMs + 1), firstAtOrAfter(settlements, until + 1)),
        venue,
      )
    },
    async close(book, at) {
      if (book.position === null || !hasPrice(at)) return book
      const order: CloseOrder = {
        kind: 'close',
        clientOrderId: CLIENT_ID.replace(/0$/, '1'),
        symbol,
        side: book.position.side === 'long' ? 'sell' : 'buy',
        quantity: book.position.quantity,
      }
      return placeOrder(book, order, await arrivalAt(at), toIso(at), venue).book
    },
    async equity(book, at) {
      if (book.position === null) return toNumber(book.cash)
      if (!hasPrice(at)) return null
      const { mark } = await spread.quote(symbol, at)
      return toNumber(sum(book.cash, bookUnrealised(book, instrument, mark)))
    },
  }
}

/**
 * Contracts, whole lots, that `cash` pays in full at `level` with the fees of the entry; `share` of it is kept back for
 * a worse fill.
 */
export function affordable(cash: Money, level: number, { instrument, paper }: PaperVenue, share: number): Quantity {
  // A tick and twice the usual way above the price.
  const worst = dec(level)
    .times(
      dec(paper.spreadBps + paper.slippageBps)
        .div(10_000)
        .plus(1),
    )
    .plus(instrument.tickSize)
  const perContract = worst
    .times(instrument.multiplier)
    .times(dec(instrument.fees.taker).plus(1))
    .plus(instrument.fees.perContract)
  const lots = dec(cash)
    .times(1 - share)
    .div(perContract.times(instrument.lotSize))
    .round(0, 0)
  return canonical(lots.times(instrument.lotSize)) as Quantity
}
