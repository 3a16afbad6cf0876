import type { Instrument } from '../../schemas/instrument.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { ExecutionPorts } from './ports.ts'

/** Whether two descriptions are of one contract: the same id, and the same amount of the underlying in it. */
export const isSameContract = (a: Instrument, b: Instrument): boolean => a.id === b.id && a.multiplier === b.multiplier

/**
 * The instrument whose position, orders and exits concern the state: the one it holds or has an order in, else the
 * configured one. A configuration that names another instrument while something is held changes nothing of what is
 * held.
 */
export const instrumentOf = ({ phase, instrument }: StrategyState, configured: Instrument): Instrument =>
  phase.kind === 'flat' && phase.abandoned === null ? configured : instrument

/** The ports with the state's instrument in their configuration; the same ports where the two agree. */
export function portsFor<Ports extends ExecutionPorts>(ports: Ports, state: StrategyState): Ports {
  const { config } = ports
  const instrument = instrumentOf(state, config.instrument)
  if (isSameContract(instrument, config.instrument)) return ports
  return { ...ports, config: { ...config, instrument, market: { ...config.market, symbol: instrument.venueSymbol } } }
}
