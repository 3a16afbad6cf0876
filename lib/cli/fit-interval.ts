import { HOUR_MS, timeframeMs } from '../core/time.ts'
import type { MarketData } from '../market/market-data.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Io } from './io.ts'

/**
 * Hourly candles cannot carry half-hourly decisions: the default interval follows a candle file of hours, and stderr
 * says so. Any other interval that the bars are too coarse for is refused where the bars are needed.
 */
export function fitInterval(config: StrategyConfig, market: MarketData, io: Io): StrategyConfig {
  const barMs = timeframeMs(market.baseTimeframe)
  if (market.span === null || config.interval !== '30m' || barMs !== HOUR_MS) return config
  io.stderr('the candles are hourly: deciding every hour instead of every 30 minutes\n')
  return { ...config, interval: '1h' }
}
