import { canonical, dec, minus, type Money, money, price, type Quantity, sum, ZERO_MONEY } from '../core/decimal.ts'
import { type EpochMs, toIso } from '../core/time.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { affordable, createVenueWalk } from './venue-walk.ts'

export type HoldResult = { equity: EquityPoint[]; fees: Money; funding: Money; endEquity: Money }

/** Kept back of the cash for the entry's fee and slippage. */
const RESERVE = 0.01

/**
 * Buying at the first slot as much as the cash pays in full (leverage 1) and selling after the last, with the venue's
 * costs and funding; the curve has a point a slot. There is no guard in it: holding has no stop that a guard could
 * judge. Null when not even the smallest lot can be paid or the first slot has no price.
 */
export async function holdThrough(
  config: StrategyConfig,
  market: HistoryMarket,
  slots: readonly EpochMs[],
  to: EpochMs,
): Promise<HoldResult | null> {
  const first = slots[0]
  if (first === undefined) return null
  const cash = config.paper.initialCash
  const walk = await createVenueWalk(config, market, first, to)
  const level = market.history.barAt(first)?.open
  if (level === undefined) return null
  const quantity = affordable(cash, level, walk.venue, RESERVE)
  const tick = dec(walk.venue.instrument.tickSize)
  // Exits that no price reaches.
  const bracket = { stopLossPrice: price(tick), takeProfitPrice: price(tick.times(1e12)) }
  const opened = await walk.open(first, cash, { side: 'long', quantity, bracket, leverage: '1' as Quantity })
  if (opened === null) return null
  let book = opened
  let gained: Money = ZERO_MONEY
  const settle = (next: typeof book): typeof book => {
    gained = sum(gained, minus(next.cash, book.cash))
    return next
  }
  const equity: EquityPoint[] = []
  for (const slot of slots) {
    book = settle(walk.advance(book, slot))
    const value = await walk.equity(book, slot)
    if (value !== null)
      equity.push({
        at: toIso(slot),
        equity: money(canonical(dec(value))),
        cash: book.cash,
        markPrice: null,
        phase: book.position === null ? 'flat' : 'open',
      })
  }
  const last = slots.at(-1) ?? first
  const closed = await walk.close(book, last)
  const fees = sum(ZERO_MONEY, ...closed.fills.map(({ fee }) => fee))
  const end = equity.at(-1)
  if (end !== undefined) equity[equity.length - 1] = { ...end, equity: closed.cash, cash: closed.cash, phase: 'flat' }
  return { equity, fees, funding: gained, endEquity: closed.cash }
}
