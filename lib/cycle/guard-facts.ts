import { type EpochMs, toIso } from '../core/time.ts'
import { liveSizeCap } from '../guard/live-size.ts'
import { positionOf, revalue, rollDay } from '../ledger/accounting.ts'
import type { GuardFacts } from '../../schemas/cycle-record.ts'
import type { InstrumentReading } from '../venue/broker.ts'
import type { Quote } from '../../schemas/market.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { CyclePorts } from './cycle-ports.ts'

/** What the guard judges by at `now`. Asks, in live mode, why live trading is not earned. */
export async function gatherGuardFacts(
  { config, liveBarriers }: CyclePorts,
  state: StrategyState,
  { now, quote, instrument, session }: { now: EpochMs; quote: Quote } & InstrumentReading,
): Promise<GuardFacts> {
  const at = toIso(now)
  const isLive = config.mode === 'live'
  const accounting = revalue(
    rollDay(state.accounting, at, state.instrument.calendar),
    positionOf(state.phase),
    quote.mark,
    at,
  )
  return {
    now: at,
    quote,
    instrument,
    session,
    accounting,
    phase: state.phase,
    halt: state.halt,
    trades: state.memory.trades,
    liveBarriers: isLive ? [...(await liveBarriers())] : [],
    sizeCap: isLive
      ? liveSizeCap(instrument.minQuantity, accounting.tradesClosed, config.live.tradesPerSizeStep)
      : null,
    openIncidents: state.incidents.length + state.suspicions.length,
  }
}
