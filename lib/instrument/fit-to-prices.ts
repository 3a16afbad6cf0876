import { type Decimal, dec, toNumber } from '../core/decimal.ts'
import type { Instrument } from '../../schemas/instrument.ts'
import { initialMarginRate } from './margin.ts'

/**
 * What an instrument is held against: a typical price, and how far it typically moves within one bar of the decision
 * timeframe.
 */
export type TypicalPrices = { readonly price: number; readonly range: number }

/** What an account can carry. Fractions are of equity. */
export type Means = {
  readonly equity: string
  readonly maxLeverage: number
  readonly maxNotional: string
  readonly maxRiskPerTrade: number
  /** The nearest stop that is allowed, in ranges of a bar. */
  readonly minStopRanges: number
}

/** A round trip that costs more of the position than this leaves nothing to trade for. */
const MAX_ROUND_TRIP = 0.01

/**
 * Why an instrument and prices do not belong together, a sentence each; empty where they may. Nothing is said of prices
 * between ticks: the prices of another venue may stand in for the instrument's own. A price at or below zero is left
 * out of all that is a share of it.
 */
export function misfitsOf(instrument: Instrument, { price, range }: TypicalPrices, means: Means): string[] {
  const { tickSize, multiplier, fees, unit, quoteCurrency } = instrument
  const found: string[] = []
  if (range > 0 && Number(tickSize) >= range)
    found.push(
      `its price moves in steps of ${tickSize}, and these prices move by about ${short(range)} a bar: stops and targets would be rounded away`,
    )
  if (price <= 0) return found
  const notional = dec(multiplier).times(price)
  const roundTrip = 2 * (Number(fees.taker) + Number(fees.perContract) / toNumber(notional))
  if (roundTrip > MAX_ROUND_TRIP)
    found.push(
      `a contract of ${multiplier} ${unit} is worth ${amount(notional)} ${quoteCurrency} at these prices, and a round trip costs ${(roundTrip * 100).toFixed(2)} % of that`,
    )
  const needed = equityNeeded(instrument, { price, range }, means)
  if (needed.gt(means.equity))
    found.push(
      `one order of the least size (${instrument.minQuantity} x ${multiplier} ${unit}) is worth ${amount(notional.times(instrument.minQuantity))} ${quoteCurrency}: it takes an equity of ${amount(needed)} under these limits, and there are ${amount(dec(means.equity))}`,
    )
  if (notional.times(instrument.minQuantity).gt(means.maxNotional))
    found.push(
      `one order of the least size is worth ${amount(notional.times(instrument.minQuantity))} ${quoteCurrency}, above guard.maxNotional of ${amount(dec(means.maxNotional))}`,
    )
  return found
}

/** The equity with which one order of the least size can be margined, and its nearest stop lost, within the limits. */
function equityNeeded(instrument: Instrument, { price, range }: TypicalPrices, means: Means): Decimal {
  const base = dec(instrument.multiplier).times(instrument.minQuantity)
  const notional = base.times(price)
  const [long, short] = [
    initialMarginRate(instrument, 'long', dec(price)),
    initialMarginRate(instrument, 'short', dec(price)),
  ]
  const least = long.lt(short) ? long : short
  const limit = dec(1).div(means.maxLeverage)
  const asked = limit.gt(least) ? limit : least
  const margin = notional.times(asked)
  const risk = base.times(range).times(means.minStopRanges).div(means.maxRiskPerTrade)
  return risk.gt(margin) ? risk : margin
}

/** Those of a catalogue that fit the prices; of the same underlying where there are such. */
export function fitting(
  catalogue: readonly Instrument[],
  wanted: Instrument,
  prices: TypicalPrices,
  means: Means,
): Instrument[] {
  const fit = catalogue.filter((one) => one.id !== wanted.id && misfitsOf(one, prices, means).length === 0)
  const same = fit.filter(({ underlying }) => underlying === wanted.underlying)
  return same.length > 0 ? same : fit
}

/**
 * The middle of the bars' closes, and of their ranges scaled to a longer timeframe: a walk's range grows with the root
 * of time.
 */
export function typicalOf(
  bars: readonly { readonly high: number; readonly low: number; readonly close: number }[],
  barMs: number,
  timeframeMs: number,
): TypicalPrices {
  const step = Math.max(1, Math.floor(bars.length / SAMPLE))
  const sampled = bars.filter((_bar, index) => index % step === 0)
  const scale = Math.sqrt(Math.max(1, timeframeMs / barMs))
  return {
    price: middle(sampled.map(({ close }) => close)),
    range: middle(sampled.map(({ high, low }) => high - low)) * scale,
  }
}

const SAMPLE = 5_000

const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const short = (value: number): string => String(Number(value.toPrecision(3)))
const amount = (value: Decimal): string => toNumber(value).toLocaleString('en-US', { maximumFractionDigits: 2 })
