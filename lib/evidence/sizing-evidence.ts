import { settingsHashOf } from '../guard/strategy-hash.ts'
import { estimateEdge } from '../guard/size-entry.ts'
import type { SizingEvidence, StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'

/**
 * What a record of closed trades says about how much to risk: the part of a configuration that `sizing.evidence` takes.
 * It bears the hash of the settings it was made with, and is refused with others.
 */
export function evidenceOf(
  config: StrategyConfig,
  trades: readonly Pick<Trade, 'rMultiple'>[],
  source: string,
): SizingEvidence {
  const multiples = trades.flatMap(({ rMultiple }) => (rMultiple === null ? [] : [rMultiple]))
  const { wins, losses } = estimateEdge(trades, { evidence: null, shrinkageTrades: 1 })
  return {
    source,
    settingsHash: settingsHashOf(config),
    wins,
    losses,
    averageWinR: averageSize(multiples.filter((r) => r > 0)),
    averageLossR: averageSize(multiples.filter((r) => r < 0)),
  }
}

const averageSize = (values: readonly number[]): number =>
  values.length === 0 ? 0 : Math.abs(values.reduce((total, value) => total + value, 0) / values.length)
