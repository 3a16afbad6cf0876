import { canonical, dec, type Price, price, type Quantity } from '../core/decimal.ts'
import { createPrng } from '../core/prng.ts'
import { DAY_MS } from '../core/time.ts'
import { createCandleHistory } from '../market/candle-history.ts'
import { createHistoryMarket, type HistoryMarket } from '../market/history-source.ts'
import type { DatedHeadline } from '../news/file-news-source.ts'
import type { Candle } from '../../schemas/market.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** What of a history is made unrecognisable. */
export type Disguise = { dates: boolean; names: boolean; prices: boolean; news: 'kept' | 'removed' | 'swapped' }

/**
 * Days that dates go back: a multiple of a week, so that weekends stay weekends, and of every anchor of the indicators'
 * windows, so that a history and its disguise have the very same readings.
 */
export const SHIFT_DAYS = 1_400
/** What prices are multiplied by; the contract shrinks by as much, so that a position is worth the same. */
export const PRICE_FACTOR = 2.5
const NAMES = { traded: 'AAA-PERP', reference: 'BBB-PERP' } as const

export type Disguised = {
  config: StrategyConfig
  market: HistoryMarket
  headlines: DatedHeadline[]
  from: number
  to: number
}

/**
 * The same history under other names, at other times, at other prices: whoever decides by what is shown decides the
 * same, and who remembers what came next can no longer tell when and where it is.
 */
export function disguise(
  { config, market, headlines, from, to }: Omit<Disguised, 'headlines'> & { headlines: readonly DatedHeadline[] },
  { dates, names, prices, news }: Disguise,
): Disguised {
  const shiftMs = dates ? -SHIFT_DAYS * DAY_MS : 0
  const factor = prices ? PRICE_FACTOR : 1
  const { symbol, histories, funding } = market.parts
  const renamed = (name: string): string => (!names ? name : name === symbol ? NAMES.traded : NAMES.reference)
  const change = ({ time, open, high, low, close, volume }: Candle): Candle => ({
    time: time + shiftMs,
    open: scaled(open, factor),
    high: scaled(high, factor),
    low: scaled(low, factor),
    close: scaled(close, factor),
    volume: volume === null ? null : volume / factor,
  })
  const changed = new Map(
    [...histories].map(([name, { baseTimeframe, bars, findings }]) => [
      renamed(name),
      createCandleHistory(
        {
          candles: bars.map(change),
          findings: findings.map((finding) => ({
            ...finding,
            at: finding.at === null ? null : finding.at + shiftMs,
            knownAt: finding.knownAt + shiftMs,
          })),
        },
        baseTimeframe,
      ),
    ]),
  )
  const { instrument } = config
  const { referenceSymbol } = config.market
  return {
    config: {
      ...config,
      market: {
        ...config.market,
        symbol: renamed(symbol),
        referenceSymbol: referenceSymbol === null ? null : renamed(referenceSymbol),
      },
      instrument: {
        ...instrument,
        venueSymbol: renamed(symbol),
        id: names ? `masked:${renamed(symbol)}` : instrument.id,
        ...(names ? { underlying: 'AAA', unit: 'AAA' } : {}),
        multiplier: canonical(dec(instrument.multiplier).div(factor)) as Quantity,
        tickSize: price(dec(instrument.tickSize).times(factor)) satisfies Price,
      },
    },
    market: createHistoryMarket({
      name: market.name,
      symbol: renamed(symbol),
      histories: changed,
      funding: funding.map(({ time, rate }) => ({ time: time + shiftMs, rate })),
    }),
    headlines: newsAs(news, headlines).map((headline) => ({
      ...headline,
      publishedAt: headline.publishedAt + shiftMs,
    })),
    from: from + shiftMs,
    to: to + shiftMs,
  }
}

/** To twelve digits, as prices are written: a product's last bits are noise. */
const scaled = (value: number, factor: number): number =>
  factor === 1 ? value : Number((value * factor).toPrecision(12))

/** Swapped: each headline at the time of another, always the same other: one cycle through all (Sattolo 1986). */
function newsAs(news: Disguise['news'], headlines: readonly DatedHeadline[]): DatedHeadline[] {
  if (news === 'removed') return []
  if (news === 'kept') return [...headlines]
  const { uniform } = createPrng('swapped-news')
  const times = headlines.map(({ publishedAt }) => publishedAt)
  for (let index = times.length - 1; index > 0; index -= 1) {
    const other = Math.floor(uniform() * index)
    const [a = 0, b = 0] = [times[index], times[other]]
    times[index] = b
    times[other] = a
  }
  return headlines.map((headline, index) => ({ ...headline, publishedAt: times[index] ?? headline.publishedAt }))
}
