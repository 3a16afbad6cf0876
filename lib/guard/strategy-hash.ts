import { hashOf } from '../core/canonical-json.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/**
 * Hash of what makes a strategy the one that a record speaks of: who decides, the limits, the sizes, the exits, what is
 * traded and how often. What a venue costs and how it is reached is not part of it.
 */
export const strategyHashOf = ({ decider, guard, sizing, exits, market, intervalMinutes }: StrategyConfig): string =>
  hashOf({ decider, guard, sizing, exits, symbol: market.symbol, intervalMinutes })
