import { hashOf } from '../core/canonical-json.ts'
import type { DeciderConfig, StrategyConfig } from '../../schemas/strategy-config.ts'

/**
 * Hash of what makes a strategy the one that a record speaks of: who decides, the limits, the sizes, the exits, what is
 * traded and how often. What a venue costs and how it is reached is not part of it.
 */
export const strategyHashOf = ({
  decider,
  guard,
  sizing,
  exits,
  market,
  interval,
  decisionTimeframe,
}: StrategyConfig): string =>
  hashOf({ decider: deciding(decider), guard, sizing, exits, symbol: market.symbol, interval, decisionTimeframe })

/** The same without sizes: what evidence for sizing belongs to. R-multiples do not depend on how much was risked. */
export const settingsHashOf = ({
  decider,
  guard,
  exits,
  market,
  interval,
  decisionTimeframe,
}: StrategyConfig): string =>
  hashOf({ decider: deciding(decider), guard, exits, symbol: market.symbol, interval, decisionTimeframe })

/** A decider without what only reports read. */
function deciding(decider: DeciderConfig): unknown {
  const { knowledgeCutoff: _, ...rest } = { knowledgeCutoff: null, ...decider }
  return rest
}
