import { MINUTE_MS, timeframeMs } from '../core/time.ts'
import type { MarketData } from '../market/market-data.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Io } from './io.ts'

/**
 * Hourly candles cannot carry half-hourly decisions: the interval follows a candle file of hours, and says so on
 * stderr. Coarser files are refused where the bars are needed.
 */
export function fitInterval(config: StrategyConfig, market: MarketData, io: Io): StrategyConfig {
  const barMs = timeframeMs(market.baseTimeframe)
  if (market.span === null || barMs <= config.intervalMinutes * MINUTE_MS || barMs > 60 * MINUTE_MS) return config
  io.stderr(`the candles are hourly: deciding every 60 minutes instead of every ${config.intervalMinutes}\n`)
  return { ...config, intervalMinutes: 60 }
}
