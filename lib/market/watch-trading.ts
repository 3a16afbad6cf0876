import { type EpochMs, MINUTE_MS, SECOND_MS, toIso } from '../core/time.ts'
import { MAX_CARRIED_MS } from './carry.ts'
import type { ExchangeReader } from './exchange-reader.ts'
import type { Trading } from './market-data.ts'

/** What the venue said is believed for so long: one pass asks several times. */
const ANSWER_LIFE_MS = 5 * SECOND_MS

/**
 * What a live venue says about trading, for those who must not fill where it would not. A market in which nobody has
 * traded for longer than {@link MAX_CARRIED_MS} is quiet, whatever its flags say. Never rejects: what cannot be read is
 * closed, and asked again the next time.
 */
export function watchTrading(
  reader: Pick<ExchangeReader, 'trading'>,
  exchange: string,
): (symbol: string, at: EpochMs) => Promise<Trading> {
  const known = new Map<string, { at: EpochMs; trading: Promise<Trading> }>()
  const ask = async (symbol: string, at: EpochMs): Promise<Trading> => {
    try {
      const { blocks, nextClose, lastTradeAt } = await reader.trading(symbol, at)
      if (blocks.length > 0) return { kind: 'closed', reason: blocks.join(', '), nextClose }
      if (lastTradeAt !== null && at - lastTradeAt > MAX_CARRIED_MS)
        return {
          kind: 'quiet',
          reason: `the last trade was at ${toIso(lastTradeAt)}, ${Math.floor((at - lastTradeAt) / MINUTE_MS)} min ago`,
          nextClose,
        }
      return { kind: 'open', reason: 'open', nextClose }
    } catch (error) {
      known.delete(symbol)
      const why = error instanceof Error ? error.message : String(error)
      return { kind: 'closed', reason: `what ${exchange} says about trading cannot be read: ${why}`, nextClose: null }
    }
  }
  return (symbol, at) => {
    const last = known.get(symbol)
    if (last !== undefined && at >= last.at && at - last.at < ANSWER_LIFE_MS) return last.trading
    const trading = ask(symbol, at)
    known.set(symbol, { at, trading })
    return trading
  }
}
