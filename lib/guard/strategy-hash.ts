import { hashOf } from '../core/canonical-json.ts'
import { contractOf } from '../instrument/contract-facts.ts'
import type { DeciderConfig, StrategyConfig } from '../../schemas/strategy-config.ts'

/**
 * Hash of what makes a strategy the one that a record speaks of: who decides, what it is shown, the limits, the sizes,
 * the exits, what is traded and how often. Costs, margin, addresses and files are not part of it.
 */
export const strategyHashOf = (config: StrategyConfig): string =>
  hashOf({ ...decidingOf(config), sizing: config.sizing })

/** The same without sizes: what evidence for sizing belongs to. R-multiples do not depend on how much was risked. */
export const settingsHashOf = (config: StrategyConfig): string => hashOf(decidingOf(config))

function decidingOf({
  decider,
  guard,
  exits,
  market,
  instrument,
  interval,
  decisionTimeframe,
  memory,
  news,
}: StrategyConfig) {
  const { maxHeadlines, maxAgeHours, maxTitleLength } = news
  return {
    decider: deciding(decider),
    guard,
    exits,
    instrument: contractOf(instrument),
    // The rules do not look at it; a candle file often comes without one.
    referenceSymbol: decider.kind === 'rules' ? null : market.referenceSymbol,
    interval,
    decisionTimeframe,
    memory,
    news: { maxHeadlines, maxAgeHours, maxTitleLength },
  }
}

/** A decider without its address, its price and what only reports read. */
function deciding(decider: DeciderConfig): unknown {
  const rest: Record<string, unknown> = { ...decider }
  for (const key of ['knowledgeCutoff', 'baseUrl', 'price', 'file']) delete rest[key]
  return rest
}
