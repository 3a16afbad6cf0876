import { findInstrument } from '../../lib/instrument/catalogue.ts'
import { withFacts } from '../../lib/config/resolve-instrument.ts'
import { StrategyConfig } from '../../schemas/strategy-config.ts'
import { Instrument, type TradingSession } from '../../schemas/instrument.ts'

type Fields<T> = T extends unknown ? Partial<T> : never

/** Facts to be changed; margin rates also by themselves. */
export type InstrumentChanges = Fields<Instrument> & {
  initialMarginRate?: { long?: string; short?: string }
  maintenanceMarginRate?: string
}

/** The instrument with other facts. */
export function changed(base: Instrument, changes: InstrumentChanges = {}): Instrument {
  const { initialMarginRate: initial, maintenanceMarginRate: maintenance, ...facts } = changes
  const margin = {
    perNotional: {
      ...(initial === undefined ? {} : { initial }),
      ...(maintenance === undefined ? {} : { maintenance }),
    },
  }
  const withMargin = initial === undefined && maintenance === undefined ? facts : { ...facts, margin }
  return Instrument.parse(withFacts(base, withMargin as Record<string, unknown>))
}

const known = (symbol: string): Instrument => {
  const found = findInstrument(symbol)
  if (found === null) throw new Error(`the catalogue has no ${symbol}`)
  return found
}

/** ETH in tenths, at a tick of half a dollar. */
export const ETH = known('ETP-20DEC30-CDE')

/** A session without a known end. */
export const OPEN_SESSION: TradingSession = { isOpen: true, nextClose: null, reason: 'open' }

/** The same instrument where nobody pays funding. */
export const withoutFunding = (instrument: Instrument): Instrument => changed(instrument, { fundingIntervalMs: null })

/** Settings over the defaults, for ETH unless they say otherwise. */
export const configOf = (settings: Record<string, unknown>): StrategyConfig =>
  StrategyConfig.parse({ instrument: ETH, ...settings })
