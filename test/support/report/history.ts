import { createPrng, type Prng } from '../../../lib/core/prng.ts'
import { MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { canonical, dec, type Decimal, money, price, quantity } from '../../../lib/core/decimal.ts'
import type { Candle } from '../../../schemas/market.ts'
import type { ExitReason, Trade } from '../../../schemas/trade.ts'

export const SLOT_MS = 30 * MINUTE_MS
export const CONTRACT_SIZE = 0.1
export const START_EQUITY = 10_000
/** How often the generator guesses right which way the price goes. */
const SKILL = 0.74
export const REGIMES = ['trend', 'range', 'breakout', 'high_volatility'] as const

const cents = (value: number): number => Math.round(value * 100) / 100
const ticks = (value: number): number => Math.round(value * 2) / 2

/** Half-hour bars of a walk with clusters of volatility, at cents. */
export function walkBars(prng: Prng, from: number, count: number): Candle[] {
  let close = 2_600
  let level = 0
  return Array.from({ length: count }, (_, index) => {
    level = 0.985 * level + 0.12 * prng.normal()
    const open = close
    const spread = 0.005 * Math.exp(Math.min(level, 1.6))
    close = Math.max(200, cents(open * (1 + spread * prng.normal())))
    const high = cents(Math.max(open, close) * (1 + 0.6 * spread * prng.uniform()))
    const low = cents(Math.min(open, close) * (1 - 0.6 * spread * prng.uniform()))
    return {
      time: from + index * SLOT_MS,
      open,
      high: Math.max(high, open, close),
      low: Math.min(low, open, close),
      close,
      volume: Math.round((900 + 90_000 * spread) * (0.5 + prng.uniform()) * 1_000) / 1_000,
    }
  })
}

/** A trade as the generator plays it: slots of entry and exit beside the record. */
export type Played = { trade: Trade; cycleId: string; entry: number; exit: number; confidence: number; atr: number }

/** Trades of two ATR against three and a half, one after another; a few end by decision or time limit. */
export function playTrades(prng: Prng, bars: readonly Candle[], wanted: number, strategyId: string): Played[] {
  const played: Played[] = []
  const spacing = bars.length / Math.max(1, wanted)
  let equity = START_EQUITY
  for (let index = 40; index < bars.length - 2 && played.length < wanted;) {
    const entryBar = bars[index]
    if (entryBar === undefined) break
    const atr = bars.slice(index - 14, index).reduce((total, bar) => total + bar.high - bar.low, 0) / 14
    // A hint of the bars to come, right a little more often than not: without it costs eat every curve.
    const later = bars[Math.min(bars.length - 1, index + Math.ceil(spacing / 2))]?.close ?? entryBar.open
    const side = later > entryBar.open === prng.uniform() < SKILL ? 'long' : 'short'
    const sign = side === 'long' ? 1 : -1
    const entryPrice = ticks(entryBar.open + sign)
    const reach = Math.min(1, spacing / 20)
    const stop = ticks(entryPrice - sign * Math.max(4, 2 * atr * reach))
    const target = ticks(entryPrice + sign * Math.max(6, 3.5 * atr * reach))
    const limit = Math.max(4, Math.round(spacing * 3))
    let exit = index
    let exitPrice = entryPrice
    let exitReason: ExitReason = 'time_limit'
    for (; exit < bars.length; exit += 1) {
      const bar = bars[exit]
      if (bar === undefined) break
      exitPrice = ticks(bar.close)
      const [worst, best] = side === 'long' ? [bar.low, bar.high] : [bar.high, bar.low]
      if (sign * (worst - stop) <= 0) [exitPrice, exitReason] = [ticks(stop - sign * 0.5), 'stop_loss']
      else if (sign * (best - target) >= 0) [exitPrice, exitReason] = [target, 'take_profit']
      else if (prng.uniform() < 0.25 / spacing) exitReason = 'decision'
      else if (exit - index < limit) continue
      break
    }
    if (exit >= bars.length) break
    const confidence = Math.round((0.35 + 0.5 * prng.uniform()) * 1e4) / 1e4
    const contracts = Math.max(
      1,
      Math.floor((0.006 * confidence * equity) / (Math.abs(entryPrice - stop) * CONTRACT_SIZE)),
    )
    const entryTime = entryBar.time
    const exitTime = entryBar.time + (exit - index) * SLOT_MS + Math.floor(prng.uniform() * 29 + 1) * MINUTE_MS
    const amounts = settle({
      sign,
      contracts,
      entryPrice,
      exitPrice,
      hours: (exitTime - entryTime) / 3_600_000,
      rate: prng.normal() * 1e-5,
    })
    equity += Number(amounts.pnl)
    const cycleId = `${strategyId}-${toIso(entryTime).replace(/[-:]/g, '').replace(/00Z$/, 'Z')}`
    played.push({
      cycleId,
      entry: index,
      exit,
      confidence,
      atr,
      trade: {
        id: `${cycleId}-${Math.floor(prng.uniform() * 0x1000000)
          .toString(16)
          .padStart(6, '0')}`,
        strategyId,
        side,
        quantity: quantity(contracts),
        entryTime: toIso(entryTime),
        entryPrice: price(entryPrice),
        exitTime: toIso(exitTime),
        exitPrice: price(exitPrice),
        exitReason,
        stopLossPrice: price(stop),
        takeProfitPrice: price(target),
        ...amounts,
        rMultiple:
          Math.round((Number(amounts.pnl) / (Math.abs(entryPrice - stop) * contracts * CONTRACT_SIZE)) * 1e6) / 1e6,
        regime: REGIMES[Math.floor(prng.uniform() * REGIMES.length)] ?? null,
        fillIds: [`paper-${index}`, `paper-${exit}`],
      },
    })
    index = exit + 1 + Math.floor(prng.uniform() * spacing * 0.8)
  }
  return played
}

/** Money of a round trip as the paper venue charges it: 3 bp and 0.15 a contract each way, pnl exact. */
function settle({
  sign,
  contracts,
  entryPrice,
  exitPrice,
  hours,
  rate,
}: {
  sign: number
  contracts: number
  entryPrice: number
  exitPrice: number
  hours: number
  rate: number
}) {
  const size: Decimal = dec(contracts).times(CONTRACT_SIZE)
  const gross = size.times(dec(exitPrice).minus(entryPrice)).times(sign)
  const fees = size.times(dec(entryPrice).plus(exitPrice)).times('0.0003').plus(dec(contracts).times('0.3'))
  const funding = money(size.times(entryPrice).times(-sign * rate * Math.floor(hours)))
  return {
    gross: money(gross),
    fees: money(fees),
    funding,
    slippage: money(size.times(1.5)),
    pnl: money(dec(canonical(gross)).minus(fees).plus(funding)),
  }
}

/** Equity at each slot: what was realised, and the open trade at the slot's price. */
export function equityOf(bars: readonly Candle[], played: readonly Played[]): number[] {
  let realised = START_EQUITY
  let next = 0
  return bars.map((bar, index) => {
    for (let trade = played[next]; trade !== undefined && trade.exit < index; trade = played[next]) {
      realised += Number(trade.trade.pnl)
      next += 1
    }
    const open = played[next]
    if (open === undefined || open.entry >= index) return cents(realised)
    const sign = open.trade.side === 'long' ? 1 : -1
    return cents(
      realised + sign * Number(open.trade.quantity) * CONTRACT_SIZE * (bar.open - Number(open.trade.entryPrice)),
    )
  })
}

export const prngOf = (seed: number): Prng => createPrng('report', seed)
