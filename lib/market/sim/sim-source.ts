import { price } from '../../core/decimal.ts'
import {
  DAY_MS,
  type EpochMs,
  floorTime,
  HOUR_MS,
  MINUTE_MS,
  type Timeframe,
  timeframeMs,
  toIso,
} from '../../core/time.ts'
import type { Candle, FundingRate } from '../../../schemas/market.ts'
import { type MarketData, MarketDataError } from '../market-data.ts'
import { SIM_END, SIM_EPOCH } from './sim-span.ts'
import { createLru } from './lru.ts'
import { createDailyPath } from './daily.ts'
import { createMinutePath, type MinutePath, MINUTES, newMinutePath, RHYTHM } from './intraday.ts'
import { createPrng, hashUniform } from '../../core/prng.ts'
import { findInstrument } from '../../instrument/catalogue.ts'

/** How one symbol is simulated. */
export type SimSymbol = {
  /** Price at the simulation's epoch; it wanders, and is half drawn back in about four months. */
  readonly startPrice: number
  /** Share of the common factor's return that it follows. */
  readonly beta: number
  /** Daily deviation of the part that is its own. */
  readonly ownSigma: number
}

export type SimMarketOptions = {
  seed: number
  /** Overrides what a symbol's name suggests. */
  symbols?: Readonly<Record<string, Partial<SimSymbol>>>
}

const MARKET_SIGMA = 0.024
/** Days whose bars, and whose minutes, stay in memory; others are made again, the same. */
const BAR_DAYS = 1_500
const MINUTE_DAYS = 40
const FACTOR_DAYS = 400
/** Bars kept with their day; finer ones are made from its minutes. */
const KEPT: readonly Timeframe[] = ['30m', '1h', '4h', '1d']

/** Neutral funding of an hour: 0.01 % per 8 hours. */
const NEUTRAL_FUNDING = 0.0000125
/** Funding of an hour per unit of log return over the last day: 5 % a day up costs longs 0.005 % an hour more. */
const FUNDING_LEAN = 0.001
const MAX_FUNDING = 0.0005

/**
 * A market that does not exist and behaves like one: regimes that last for days, volatility that clusters and has
 * a daily rhythm, jumps, symbols that move together, funding that leans with momentum. 1-minute bars without gaps,
 * no spread, from {@link SIM_EPOCH} on.
 *
 * Price, volume and funding are functions of (seed, symbol, time) alone: whatever is asked, in whatever order or
 * process, the bytes are the same. Log price = start + beta x common factor + own factor; each factor is a sequence
 * of days ({@link createDailyPath}) filled with minutes ({@link createMinutePath}).
 */
export function createSimMarket({ seed, symbols = {} }: SimMarketOptions): MarketData {
  const factor = createDailyPath({ stream: [seed, 'market'], sigma: MARKET_SIGMA, reversion: 0.006 })
  const factorMinutes = createLru<number, MinutePath>(FACTOR_DAYS)
  const factorDay = (day: number): MinutePath =>
    factorMinutes.get(day, () =>
      createMinutePath({ stream: [seed, 'market'], day, sigma: factor.sigma(day), total: factor.total(day) }),
    )
  const known = new Map<string, SimulatedSymbol>()
  const simulated = (symbol: string): SimulatedSymbol => {
    const found =
      known.get(symbol) ?? createSymbol(seed, symbol, { ...suggestedBy(symbol), ...symbols[symbol] }, factor, factorDay)
    known.set(symbol, found)
    return found
  }

  const name = `sim seed ${seed}`
  const begin = (at: EpochMs): void => {
    if (!(at >= SIM_EPOCH && at <= SIM_END))
      throw new MarketDataError(
        `${name}: the simulated market begins ${toIso(SIM_EPOCH)} and ends ${toIso(SIM_END)}, asked for ${toIso(at)}`,
      )
  }
  return {
    name,
    baseTimeframe: '1m',
    span: null,
    async candles({ symbol, timeframe, asOf, limit }) {
      begin(asOf)
      const stepMs = timeframeMs(timeframe)
      const until = floorTime(asOf, stepMs)
      const from = Math.max(SIM_EPOCH, until - limit * stepMs)
      const candles: Candle[] = []
      for (let start = floorTime(from, DAY_MS); start < until; start += DAY_MS) {
        const bars = simulated(symbol).bars((start - SIM_EPOCH) / DAY_MS, timeframe)
        const first = Math.max(0, (from - start) / stepMs)
        const stop = Math.min(bars.length, (until - start) / stepMs)
        for (let index = first; index < stop; index += 1) {
          const bar = bars[index]
          if (bar !== undefined) candles.push(bar)
        }
      }
      return { candles, issues: [] }
    },
    async quote(symbol, at) {
      begin(at)
      const text = price(simulated(symbol).openAt(floorTime(at, MINUTE_MS)))
      return { at: toIso(at), bid: text, ask: text, last: text, mark: text }
    },
    async driftAfter(symbol, at, afterMs) {
      begin(at)
      const { openAt } = simulated(symbol)
      const priceAt = (instant: EpochMs): number => {
        const minute = floorTime(instant, MINUTE_MS)
        const open = openAt(minute)
        return open + ((openAt(minute + MINUTE_MS) - open) * (instant - minute)) / MINUTE_MS
      }
      return priceAt(at + afterMs) / priceAt(at) - 1
    },
    async fundingRates(symbol, from, to) {
      begin(to)
      const rates: FundingRate[] = []
      const first = Math.max(floorTime(from, HOUR_MS) + HOUR_MS, SIM_EPOCH + HOUR_MS)
      for (let time = first; time <= to; time += HOUR_MS) rates.push({ time, rate: simulated(symbol).fundingAt(time) })
      return rates
    },
    async openInterest(symbol, at) {
      begin(at)
      return simulated(symbol).openInterestAt(at)
    },
  }
}

type SimulatedSymbol = {
  bars(day: number, timeframe: Timeframe): readonly Candle[]
  openAt(minute: EpochMs): number
  fundingAt(hour: EpochMs): number
  openInterestAt(at: EpochMs): number
}

type Minutes = {
  readonly prices: Float64Array
  readonly highs: Float64Array
  readonly lows: Float64Array
  readonly volumes: Float64Array
}

function createSymbol(
  seed: number,
  symbol: string,
  facts: SimSymbol,
  factor: ReturnType<typeof createDailyPath>,
  factorDay: (day: number) => MinutePath,
): SimulatedSymbol {
  const stream = [seed, 'symbol', symbol]
  const own = createDailyPath({ stream, sigma: facts.ownSigma, reversion: 0.006 })
  const { startPrice, beta } = facts
  /** Ticks a unit of price: hundredths, finer only for what costs little. */
  const ticks = startPrice >= 10 ? 100 : 1_000_000
  const minuteDays = createLru<number, Minutes>(MINUTE_DAYS)
  const barDays = createLru<number, Map<Timeframe, readonly Candle[]>>(BAR_DAYS)

  const priceBefore = (day: number): number =>
    startPrice * Math.exp(beta * factor.levelBefore(day) + own.levelBefore(day))
  const round = (value: number): number => Math.max(1, Math.round(value * ticks)) / ticks

  const scratch = newMinutePath()
  const makeMinutes = (day: number): Minutes => {
    const common = factorDay(day)
    const particular = createMinutePath({ stream, day, sigma: own.sigma(day), total: own.total(day), into: scratch })
    const prng = createPrng(...stream, 'bars', day)
    const prices = new Float64Array(MINUTES + 1)
    const highs = new Float64Array(MINUTES)
    const lows = new Float64Array(MINUTES)
    const volumes = new Float64Array(MINUTES)
    const usual = Math.sqrt((beta * MARKET_SIGMA) ** 2 + facts.ownSigma ** 2) / Math.sqrt(MINUTES)
    const lot = 250_000 / startPrice
    let exact = priceBefore(day)
    prices[0] = round(exact)
    for (let minute = 0; minute < MINUTES; minute += 1) {
      const commonSigma = beta * (common.sigmas[minute] ?? 0)
      const ownSigma = particular.sigmas[minute] ?? 0
      const deviation = Math.sqrt(commonSigma * commonSigma + ownSigma * ownSigma)
      const move = beta * (common.returns[minute] ?? 0) + (particular.returns[minute] ?? 0)
      const before = exact
      // The last minute ends where the next day begins, to the bit.
      exact = minute === MINUTES - 1 ? priceBefore(day + 1) : exact * grow(move)
      prices[minute + 1] = round(exact)
      const up = prng.uniform()
      const down = prng.uniform()
      highs[minute] = round(Math.max(before, exact) * (1 + deviation * up * up))
      lows[minute] = round(Math.min(before, exact) * (1 - deviation * down * down))
      const activity =
        (0.3 + prng.uniform()) *
        (0.4 * (RHYTHM[minute] ?? 1) + 0.4 * (deviation / usual) + 0.3 * (Math.abs(move) / usual))
      volumes[minute] = roundVolume(lot * activity)
    }
    return { prices, highs, lows, volumes }
  }

  const minutesOf = (day: number): Minutes => minuteDays.get(day, () => makeMinutes(day))
  const barsOf = (day: number, timeframe: Timeframe): readonly Candle[] => {
    const kept = barDays.get(day, () => {
      const minutes = minutesOf(day)
      return new Map(KEPT.map((each) => [each, collectBars(minutes, day, each)]))
    })
    return kept.get(timeframe) ?? collectBars(minutesOf(day), day, timeframe)
  }
  const openAt = (at: EpochMs): number => {
    const day = dayOf(at)
    return minutesOf(day).prices[(at - SIM_EPOCH - day * DAY_MS) / MINUTE_MS] ?? Number.NaN
  }
  const hourlyOpen = (hour: EpochMs): number => {
    const day = dayOf(hour)
    return barsOf(day, '1h')[(hour - SIM_EPOCH - day * DAY_MS) / HOUR_MS]?.open ?? Number.NaN
  }

  return {
    bars: barsOf,
    openAt,
    fundingAt(hour) {
      const momentum = Math.log(hourlyOpen(hour) / hourlyOpen(Math.max(SIM_EPOCH, hour - DAY_MS)))
      const noise = (hashUniform(...stream, 'funding', hour) - 0.5) * 2 * NEUTRAL_FUNDING
      const rate = NEUTRAL_FUNDING + FUNDING_LEAN * momentum + noise
      return Math.round(Math.max(-MAX_FUNDING, Math.min(MAX_FUNDING, rate)) * 1e8) / 1e8
    },
    openInterestAt(at) {
      const day = dayOf(at)
      const part = (at - SIM_EPOCH - day * DAY_MS) / DAY_MS
      const wave =
        hashUniform(...stream, 'interest', day) * (1 - part) + hashUniform(...stream, 'interest', day + 1) * part
      return Math.round((400_000_000 / startPrice) * (0.75 + 0.5 * wave))
    },
  }
}

/** Number of the day an instant lies in, from the simulation's epoch. */
const dayOf = (at: EpochMs): number => Math.floor((at - SIM_EPOCH) / DAY_MS)

/** A day's minutes as bars. Volumes are whole thousandths, so any way of adding them gives the same sum. */
function collectBars({ prices, highs, lows, volumes }: Minutes, day: number, timeframe: Timeframe): readonly Candle[] {
  const length = timeframeMs(timeframe) / MINUTE_MS
  const bars: Candle[] = []
  for (let start = 0; start < MINUTES; start += length) {
    let high = 0
    let low = Number.POSITIVE_INFINITY
    let volume = 0
    for (let minute = start; minute < start + length; minute += 1) {
      high = Math.max(high, highs[minute] ?? 0)
      low = Math.min(low, lows[minute] ?? low)
      volume += volumes[minute] ?? 0
    }
    bars.push({
      time: SIM_EPOCH + day * DAY_MS + start * MINUTE_MS,
      open: prices[start] ?? 0,
      high,
      low,
      close: prices[start + length] ?? 0,
      volume: roundVolume(volume),
    })
  }
  return bars
}

/**
 * e^x by its series: within 1e-7 for a move of 4 %, and quicker than the exponential. Each day ends on its own exact
 * close.
 */
const grow = (move: number): number => 1 + move * (1 + move * (0.5 + move / 6))

const roundVolume = (volume: number): number => Math.round(volume * 1_000) / 1_000

/** Start prices near the real ones of the underlying, or of what a name suggests: Ether, Bitcoin, Solana. */
function suggestedBy(symbol: string): SimSymbol {
  const underlying = findInstrument(symbol)?.underlying ?? symbol
  if (/ETH/i.test(underlying)) return { startPrice: 3_000, beta: 1.1, ownSigma: 0.016 }
  if (/BTC|XBT/i.test(underlying)) return { startPrice: 60_000, beta: 0.85, ownSigma: 0.009 }
  if (/SOL/i.test(underlying)) return { startPrice: 150, beta: 1.25, ownSigma: 0.024 }
  return { startPrice: 100, beta: 1, ownSigma: 0.02 }
}
