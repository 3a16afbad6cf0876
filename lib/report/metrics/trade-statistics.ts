import { dec, type Money, money, sumAll, toNumber } from '../../core/decimal.ts'
import { fromIso, MINUTE_MS } from '../../core/time.ts'
import type { TradeStatistics } from '../../../schemas/metrics.ts'
import type { Trade } from '../../../schemas/trade.ts'
import { divide, mean } from './moments.ts'

/** A win is a trade with pnl above zero, after fees and funding; a loss one below. One of exactly zero is neither. */
export const isWin = ({ pnl }: Trade): boolean => pnl !== '0' && !pnl.startsWith('-')
export const isLoss = ({ pnl }: Trade): boolean => pnl.startsWith('-')

/** Wins over all trades; null of none. */
export const winRate = (trades: readonly Trade[]): number | null => divide(trades.filter(isWin).length, trades.length)

/** Sum of the wins over the sum of the losses, without its sign; null without a loss. The sums are exact. */
export const profitFactor = (trades: readonly Trade[]): number | null =>
  divide(
    toNumber(sumAll(trades.filter(isWin).map(({ pnl }) => pnl))),
    -toNumber(sumAll(trades.filter(isLoss).map(({ pnl }) => pnl))),
  )

/** Average pnl of a trade, rounded half-up to the places of money; null of none. */
export const expectancy = (trades: readonly Trade[]): Money | null =>
  trades.length === 0 ? null : money(dec(sumAll(trades.map(({ pnl }) => pnl))).div(trades.length))

/** Average R-multiple (pnl over money at risk at entry) of the trades that have one; null of none. */
export const averageR = (trades: readonly Trade[]): number | null => mean(multiplesOf(trades))

/** The R-multiples there are: a trade without a known stop has none. */
export const multiplesOf = (trades: readonly Trade[]): number[] =>
  trades.flatMap(({ rMultiple }) => (rMultiple === null ? [] : [rMultiple]))

/** Average time from entry to exit, in minutes; null of none. */
export const averageHoldingMinutes = (trades: readonly Trade[]): number | null =>
  mean(trades.map(({ entryTime, exitTime }) => (fromIso(exitTime) - fromIso(entryTime)) / MINUTE_MS))

/** What was bought and sold in money: (entry price + exit price) × quantity × contract size, over all trades. */
export const tradedNotional = (trades: readonly Trade[], multiplier: string): number =>
  toNumber(multiplier) *
  trades.reduce(
    (total, { entryPrice, exitPrice, quantity }) =>
      total + (toNumber(entryPrice) + toNumber(exitPrice)) * toNumber(quantity),
    0,
  )

/** All of the above of a set of closed trades. Sums of money are exact. */
export function tradeStatistics(trades: readonly Trade[]): TradeStatistics {
  return {
    trades: trades.length,
    winRate: winRate(trades),
    profitFactor: profitFactor(trades),
    expectancy: expectancy(trades),
    averageR: averageR(trades),
    averageWinR: averageR(trades.filter(isWin)),
    averageLossR: averageR(trades.filter(isLoss)),
    averageHoldingMinutes: averageHoldingMinutes(trades),
    pnl: sumAll(trades.map(({ pnl }) => pnl)),
    fees: sumAll(trades.map(({ fees }) => fees)),
    funding: sumAll(trades.map(({ funding }) => funding)),
    slippage: sumAll(trades.map(({ slippage }) => slippage)),
  }
}

/** {@link tradeStatistics} of the trades of each key. Every trade is in one group; keys come sorted. */
export function groupTrades(
  trades: readonly Trade[],
  keyOf: (trade: Trade) => string,
): Record<string, TradeStatistics> {
  const groups = new Map<string, Trade[]>()
  for (const trade of trades) {
    const key = keyOf(trade)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [trade])
    else group.push(trade)
  }
  return Object.fromEntries(
    [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, group]) => [key, tradeStatistics(group)]),
  )
}

/** The groupings of a report. */
export const sideOf = ({ side }: Trade): string => side
/** Regime at the entry; `unknown` where none was recorded. */
export const regimeOf = ({ regime }: Trade): string => regime ?? 'unknown'
/** UTC hour of the entry, `00` to `23`: times are ISO 8601 in UTC. */
export const hourOf = ({ entryTime }: Trade): string => entryTime.slice(11, 13)
export const exitReasonOf = ({ exitReason }: Trade): string => exitReason
