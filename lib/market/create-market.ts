import type { Clock } from '../core/time.ts'
import type { MarketConfig } from '../../schemas/strategy-config.ts'
import type { OpenVenueReader } from './exchange-reader.ts'
import type { MarketData } from './market-data.ts'

/**
 * The market a configuration names: `sim`, `live`, or the path of a candle file. Only the source in use is loaded,
 * so a simulated run pays for neither ccxt nor the file reader. Rejects with UsageError for a file that is missing or
 * malformed and for an unknown exchange. Live sources are the only ones to read the clock.
 */
export async function createMarket({
  config,
  clock,
  wallClock = clock,
  openVenueReader,
}: {
  config: MarketConfig
  clock: Clock
  /** The real time, where `clock` is not it: files hold nothing later. */
  wallClock?: Clock
  /** How venues with a wire format of their own are read. */
  openVenueReader: OpenVenueReader
}): Promise<MarketData & { readonly notes?: readonly string[] }> {
  switch (config.source) {
    case 'sim': {
      const { createSimMarket } = await import('./sim/sim-source.ts')
      return createSimMarket({ seed: config.seed })
    }
    case 'live': {
      const { createCcxtMarket } = await import('./ccxt-source.ts')
      return createCcxtMarket({ config, clock, openVenueReader })
    }
    default: {
      const { createFileMarket } = await import('./file-source.ts')
      return createFileMarket({ ...config, files: filesOf(config.source), now: wallClock() })
    }
  }
}

/** The paths that a source other than `sim` and `live` stands for. */
export const filesOf = (source: MarketConfig['source']): readonly string[] =>
  typeof source === 'string' ? [source] : source
