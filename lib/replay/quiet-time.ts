import { tradingDayOf } from '../calendar/calendar.ts'
import { toNumber } from '../core/decimal.ts'
import { directionOf } from '../core/margin.ts'
import { type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import { nextWatchMark } from '../execution/run-enforcement.ts'
import { expiryExitDue } from '../instrument/expiry.ts'
import { firstAtOrAfter } from '../market/candle-history.ts'
import type { Candle } from '../../schemas/market.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Kept clear of every level, as a fraction of it: what is this near is looked at by the real pass. */
const MARGIN = 1e-9
/** The same for account limits, in equity: funding on the way moves it a little. */
const LIMIT_MARGIN = 0.005

export type QuietQuestion = {
  state: StrategyState
  config: StrategyConfig
  bars: readonly Candle[]
  barMs: number
  /** Passes stand at the closes of bars, from this instant on. */
  from: EpochMs
  /** Exclusive. */
  until: EpochMs
}

/**
 * The first of the passes in [from, until) that might do something, or null when none would: a pass is quiet when a
 * position is open and protected, the bar behind it touched neither stop nor target nor liquidation price, the price
 * before it lies within all of them and clear of the account's limits, and neither time limit nor look-out mark nor the
 * end of the contract is due. In doubt a pass is not quiet. What funding settles meanwhile is booked by the next pass
 * or cycle, under its own time.
 */
export function firstPassToMake({ state, config, bars, barMs, from, until }: QuietQuestion): EpochMs | null {
  if (from >= until) return null
  if (state.phase.kind !== 'open') return from
  const { position } = state.phase
  if (position.protection.status !== 'live' || position.bracket === null) return from
  const due = Math.min(
    nextWatchMark(state, position),
    expiryExitDue(state.instrument) ?? Number.POSITIVE_INFINITY,
    config.exits.maxHoldingMinutes === null
      ? Number.POSITIVE_INFINITY
      : fromIso(position.openedAt) + config.exits.maxHoldingMinutes * MINUTE_MS,
  )
  const { lower, upper } = quietRange(state, config, until)
  let index = firstAtOrAfter(bars, from - barMs)
  for (let pass = from; pass < until; pass += barMs, index++) {
    if (pass >= due) return pass
    const bar = bars[index]
    const next = bars[index + 1]
    // A hole: the real pass finds out what can be known in it.
    if (bar?.time !== pass - barMs || next?.time !== pass) return pass
    if (bar.low <= lower || bar.high >= upper || next.open <= lower || next.open >= upper) return pass
  }
  return null
}

/** The prices between which neither the venue's exits nor ours, nor a limit of the account, can be met. */
function quietRange(
  state: StrategyState,
  { guard, exits }: StrategyConfig,
  until: EpochMs,
): { lower: number; upper: number } {
  const { accounting, phase, halt, instrument } = state
  if (phase.kind !== 'open' || phase.position.bracket === null)
    return { lower: Number.POSITIVE_INFINITY, upper: Number.NEGATIVE_INFINITY }
  const { side, bracket, liquidationPrice, quantity, multiplier, costBasis } = phase.position
  const direction = directionOf(side)
  const stop = toNumber(bracket.stopLossPrice)
  const target = toNumber(bracket.takeProfitPrice)
  // Levels on the losing side: of them the nearest counts.
  const losing = [stop]
  if (liquidationPrice !== null) losing.push(toNumber(liquidationPrice) / (1 - direction * exits.liquidationDistance))
  if (halt === null) {
    const base = toNumber(quantity) * toNumber(multiplier)
    const cash = toNumber(accounting.cash)
    // A pass in a new trading day, the first of it among them, reckons its loss from what there was at the end of the
    // last.
    const dayStart = Math.max(
      toNumber(accounting.dayStartEquity),
      tradingDayOf(instrument.calendar, until - 1) > accounting.day ? toNumber(accounting.equity) : 0,
    )
    const least = Math.max(
      dayStart * (1 - guard.maxDailyLoss),
      toNumber(accounting.peakEquity) * (1 - guard.maxDrawdown),
    )
    // equity = cash + direction x (price x base - cost basis)
    losing.push(
      (toNumber(costBasis) + direction * (least + toNumber(accounting.peakEquity) * LIMIT_MARGIN - cash)) / base,
    )
  }
  return direction === 1
    ? { lower: Math.max(...losing) * (1 + MARGIN), upper: target * (1 - MARGIN) }
    : { lower: target * (1 + MARGIN), upper: Math.min(...losing) * (1 - MARGIN) }
}
