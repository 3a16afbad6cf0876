import { openStore } from '../../compose/compose-ports.ts'
import { money, sum } from '../../core/decimal.ts'
import { tradesCsv } from '../../report/csv.ts'
import { readAll } from '../../store/read-all.ts'
import { TradesReport } from '../../../schemas/cli.ts'
import type { Trade } from '../../../schemas/trade.ts'
import { amount, table } from '../format.ts'
import { headline, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

/** `hourhand trades [--csv]`: every closed trade. */
export async function tradesCommand({ world, config, target }: Session, { csv }: { csv: boolean }): Promise<Answer> {
  const store = openStore(world)
  const trades = await readAll((page) => store.listTrades(config.id, page))
  return {
    document: TradesReport.parse({ target, strategyId: config.id, trades }),
    text: csv ? tradesCsv(trades) : `${headline(target)}\n${toTable(trades)}`,
    exitCode: 0,
  }
}

function toTable(trades: readonly Trade[]): string {
  if (trades.length === 0) return 'no trades yet\n'
  const rows = trades.map((trade) => [
    trade.entryTime.slice(0, 16),
    trade.side,
    trade.quantity,
    `${amount(trade.entryPrice)} -> ${amount(trade.exitPrice)}`,
    trade.exitTime.slice(0, 16),
    trade.exitReason,
    `fees ${amount(trade.fees)}`,
    `funding ${amount(trade.funding)}`,
    `pnl ${amount(trade.pnl)}`,
    trade.rMultiple === null ? '' : `${trade.rMultiple.toFixed(2)} R`,
  ])
  const total = sum(...trades.map((trade) => trade.pnl))
  const fees = sum(...trades.map((trade) => trade.fees))
  return `${table(rows).join('\n')}\n${trades.length} trades, pnl ${amount(total)} after fees of ${amount(fees)} and funding of ${amount(sum(money(0), ...trades.map((trade) => trade.funding)))}\n`
}
