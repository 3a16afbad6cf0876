import { type Money, sum } from '../core/decimal.ts'
import { toSignificant } from '../indicators/significant.ts'
import type { RecentPerformance } from '../../schemas/snapshot.ts'
import type { TradeSummary } from '../../schemas/state.ts'

type Group = Pick<RecentPerformance, 'trades' | 'winRate' | 'averageR' | 'pnl'>

/**
 * How `trades` went: all, by side, by regime at entry. A win is a trade with pnl above zero, after fees and funding.
 */
export function summarisePerformance(trades: readonly TradeSummary[]): RecentPerformance {
  const regimes = [...new Set(trades.map(regimeOf))].sort()
  return {
    ...groupOf(trades),
    bySide: {
      long: groupOf(trades.filter(({ side }) => side === 'long')),
      short: groupOf(trades.filter(({ side }) => side === 'short')),
    },
    byRegime: Object.fromEntries(
      regimes.map((regime) => [regime, groupOf(trades.filter((trade) => regimeOf(trade) === regime))]),
    ),
  }
}

const regimeOf = ({ regime }: TradeSummary): string => regime ?? 'unknown'

function groupOf(trades: readonly TradeSummary[]): Group {
  const wins = trades.filter(({ pnl }) => isGain(pnl)).length
  const multiples = trades.flatMap(({ rMultiple }) => (rMultiple === null ? [] : [rMultiple]))
  return {
    trades: trades.length,
    winRate: trades.length === 0 ? null : toSignificant(wins / trades.length),
    averageR:
      multiples.length === 0
        ? null
        : toSignificant(multiples.reduce((total, multiple) => total + multiple, 0) / multiples.length),
    pnl: sum(...trades.map(({ pnl }) => pnl)),
  }
}

const isGain = (pnl: Money): boolean => pnl !== '0' && !pnl.startsWith('-')
