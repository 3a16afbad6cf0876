import type { Clock } from '../core/time.ts'
import type { MarketConfig } from '../../schemas/strategy-config.ts'
import type { MarketData } from './market-data.ts'

/**
 * The market a configuration names: `sim`, `live`, or the path of a candle file. Only the source in use is loaded,
 * so a simulated run pays for neither ccxt nor the file reader. Rejects with UsageError for a file that is missing or
 * malformed and for an unknown exchange. Live sources are the only ones to read the clock.
 */
export async function createMarket({ config, clock }: { config: MarketConfig; clock: Clock }): Promise<MarketData> {
  switch (config.source) {
    case 'sim': {
      const { createSimMarket } = await import('./sim/sim-source.ts')
      return createSimMarket({ seed: config.seed })
    }
    case 'live': {
      const { createCcxtMarket } = await import('./ccxt-source.ts')
      return createCcxtMarket({ config, clock })
    }
    default: {
      const { createFileMarket } = await import('./file-source.ts')
      return createFileMarket({
        file: config.source,
        symbol: config.symbol,
        referenceFile: config.referenceFile,
        referenceSymbol: config.referenceSymbol,
        fundingFile: config.fundingFile,
      })
    }
  }
}
