import { canonical, dec, sum, toNumber, ZERO_MONEY } from '../core/decimal.ts'
import { positionOf } from '../ledger/accounting.ts'
import { reportPosition } from '../ledger/position.ts'
import type { ReplayReport, ReplayTrade } from '../../schemas/cli.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import type { ReplayResult } from './run-replay.ts'

/** The stable JSON form of a replay. `bars` counts base bars from the first slot to the end. */
export function reportReplay(config: StrategyConfig, result: ReplayResult, bars: number, elapsedMs: number, hold: number | null): ReplayReport {
  const { trades, equity } = result
  const startEquity = config.paper.initialCash
  const endEquity = equity.at(-1)?.equity ?? startEquity
  const multiples = trades.flatMap((trade) => (trade.rMultiple === null ? [] : [trade.rMultiple]))
  const heldBars = result.book?.heldBars ?? 0
  const ambiguousBars = result.book?.ambiguousBars ?? 0
  return {
    config,
    counts: { bars, slots: result.slots, entries: result.outcomes.entered ?? 0, refusals: result.outcomes.refused ?? 0, ambiguousBars },
    trades: trades.map(reportTrade),
    metrics: {
      startEquity,
      endEquity,
      totalReturn: toNumber(canonical(dec(endEquity).div(startEquity).minus(1))),
      maxDrawdown: maxDrawdown(equity.map((point) => toNumber(point.equity))),
      trades: trades.length,
      winRate: trades.length === 0 ? null : trades.filter((trade) => dec(trade.pnl).gt(0)).length / trades.length,
      averageR: multiples.length === 0 ? null : multiples.reduce((total, r) => total + r, 0) / multiples.length,
      fees: sum(ZERO_MONEY, ...trades.map((trade) => trade.fees)),
      funding: sum(ZERO_MONEY, ...trades.map((trade) => trade.funding)),
      slippage: sum(ZERO_MONEY, ...trades.map((trade) => trade.slippage)),
      refusalsByRule: result.refusals,
      outcomes: result.outcomes,
      failures: result.failures,
      halt: result.state?.halt ?? null,
      openPosition: reportPosition(result.state === null ? null : positionOf(result.state.phase)),
      ambiguousBarShare: heldBars === 0 ? null : ambiguousBars / heldBars,
    },
    gates: [],
    baselines: { flat: { totalReturn: 0 }, ...(hold === null ? {} : { hold: { totalReturn: hold } }) },
    elapsedMs,
  }
}

function reportTrade(trade: Trade): ReplayTrade {
  const { id, side, quantity, entryTime, entryPrice, exitTime, exitPrice, exitReason, stopLossPrice, takeProfitPrice, fees, funding, slippage, pnl, rMultiple } = trade
  return { id, side, quantity, entryTime, entryPrice, exitTime, exitPrice, exitReason, stopLossPrice, takeProfitPrice, fees, funding, slippage, pnl, rMultiple }
}

/** Largest fall from a peak as a fraction of it. */
export function maxDrawdown(curve: readonly number[]): number {
  let peak = Number.NEGATIVE_INFINITY
  let worst = 0
  for (const value of curve) {
    peak = Math.max(peak, value)
    if (peak > 0) worst = Math.max(worst, (peak - value) / peak)
  }
  return worst
}
