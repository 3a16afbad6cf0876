import {
  canonical,
  dec,
  minus,
  type Money,
  money,
  price,
  type Quantity,
  sum,
  toNumber,
  ZERO_MONEY,
} from '../core/decimal.ts'
import { type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import { exitsOnTick } from '../guard/plan-entry.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import type { Attribution, SlotLine } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import { createVenueWalk, type VenueWalk } from './venue-walk.ts'

/** Cash of a decision played out: enough for any size of one lot. */
const AMPLE = '1000000000' as Money
/** Without a time limit a decision is played for this long at most. */
const LONGEST_MINUTES = 7 * 1_440

/**
 * Splits a result into what the decider, the guard, early exits and sizing made of it.
 *
 * Each entry decision, let through or refused, is played to its stop, its target or the time limit in a venue of its
 * own with one lot; its R is the gain after all costs over the money at risk from its fill to its stop. With u, the
 * average money at risk of the trades made:
 *
 *   decider = u x sum of R over all entry decisions
 *   guard   = -u x sum of R over those refused
 *   exits   = u x sum over the trades of (the trade's own R - R of its decision)
 *   sizing  = pnl - u x sum of the trades' own R
 *
 * The four add up to pnl. Refused decisions overlap in time and with trades: the guard's part is what taking each of
 * them alone would have come to. Null without a trade that had a stop.
 */
export async function attributeResult({
  config,
  market,
  lines,
  trades,
  to,
}: {
  config: StrategyConfig
  market: HistoryMarket
  lines: readonly SlotLine[]
  trades: readonly Trade[]
  to: EpochMs
}): Promise<Attribution | null> {
  const sized = trades.filter((trade) => trade.rMultiple !== null && trade.rMultiple !== 0)
  const first = lines[0]
  if (sized.length === 0 || first === undefined) return null
  const risks = sized.map(({ pnl, rMultiple }) => toNumber(pnl) / (rMultiple ?? 1))
  const unit = total(risks) / risks.length
  const walk = await createVenueWalk(config, market, fromIso(first.slot), to)
  const bySlot = new Map(trades.map((trade) => [trade.entryTime, trade]))

  const approved: number[] = []
  const refused: number[] = []
  let exits = 0
  for (const { slot, ask, outcome } of lines) {
    if (ask === null || (outcome !== 'entered' && outcome !== 'refused')) continue
    const r = await playOut(walk, config, fromIso(slot), to, ask)
    if (r === null) continue
    if (outcome === 'refused') refused.push(r)
    else {
      approved.push(r)
      const own = bySlot.get(slot)?.rMultiple
      // Still held at the end: it has not been closed early.
      if (own !== undefined && own !== null) exits += own - r
    }
  }
  const all = [...approved, ...refused]
  const pnl = sum(ZERO_MONEY, ...trades.map((trade) => trade.pnl))
  const inUnits = (r: number): Money => money(canonical(dec((r * unit).toFixed(8))))
  const decider = inUnits(total(all))
  const guard = inUnits(-total(refused))
  const closing = inUnits(exits)
  return {
    riskUnit: money(canonical(dec(unit.toFixed(8)))),
    decisions: all.length,
    approved: approved.length,
    refused: refused.length,
    averageR: average(all),
    averageApprovedR: average(approved),
    averageRefusedR: average(refused),
    decider,
    guard,
    exits: closing,
    sizing: minus(pnl, sum(decider, guard, closing)),
    pnl,
  }
}

/** R of one decision with one lot, or null where the venue would not have taken it. */
async function playOut(
  walk: VenueWalk,
  config: StrategyConfig,
  at: EpochMs,
  to: EpochMs,
  { side, stopLossPrice, takeProfitPrice }: NonNullable<SlotLine['ask']>,
): Promise<number | null> {
  const { instrument } = walk.venue
  const exits = exitsOnTick(side, { stopLossPrice, takeProfitPrice }, dec(instrument.tickSize))
  if (exits.stopLossPrice.lte(0) || exits.takeProfitPrice.lte(0)) return null
  const bracket = { stopLossPrice: price(exits.stopLossPrice), takeProfitPrice: price(exits.takeProfitPrice) }
  const opened = await walk.open(at, AMPLE, {
    side,
    quantity: instrument.minQuantity,
    bracket,
    leverage: '1' as Quantity,
  })
  const entry = opened?.fills.at(-1)
  if (opened === null || opened === undefined || entry === undefined) return null
  const risk = dec(entry.price).minus(bracket.stopLossPrice).abs().times(entry.quantity).times(instrument.multiplier)
  if (risk.lte(0)) return null
  const limit = Math.min(to, at + (config.exits.maxHoldingMinutes ?? LONGEST_MINUTES) * MINUTE_MS)
  const ended = await walk.close(walk.advance(opened, limit), limit)
  if (ended.position !== null) return null
  return toNumber(canonical(dec(minus(ended.cash, AMPLE)).div(risk)))
}

const total = (values: readonly number[]): number => values.reduce((sumOf, value) => sumOf + value, 0)
const average = (values: readonly number[]): number | null =>
  values.length === 0 ? null : total(values) / values.length
