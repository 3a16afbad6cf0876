import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { apiKeyIn } from '../../compose/parse-environment.ts'
import { UsageError } from '../../core/invariant.ts'
import { fromIso, timeframeMs, toIso } from '../../core/time.ts'
import { createDecider } from '../../decision/create-decider.ts'
import { createMarket } from '../../market/create-market.ts'
import { reportReplay } from '../../replay/report-replay.ts'
import { runReplay } from '../../replay/run-replay.ts'
import { ReplayReport } from '../../../schemas/cli.ts'
import type { Environment } from '../../../schemas/environment.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { fitInterval } from '../fit-interval.ts'
import type { Io } from '../io.ts'
import { amount, section, signedPercent, table } from '../format.ts'
import type { Answer } from './answer.ts'

export type ReplayOptions = { from?: string | undefined; to?: string | undefined; out?: string | undefined }

/** `hourhand replay`: history through the code that trades. With `--out` the document is also written to replay.json. */
export async function replayCommand(configured: StrategyConfig, { from, to, out }: ReplayOptions, environment: Environment, io: Io): Promise<Answer> {
  const market = await createMarket({ config: configured.market, clock: io.clock })
  if (market.span === null) throw new UsageError('--candles: a replay needs a candle file')
  const config = fitInterval(configured, market, io)
  const start = Math.max(market.span.from, from === undefined ? market.span.from : fromIso(from))
  const end = Math.min(market.span.to, to === undefined ? market.span.to : fromIso(to))
  const { kind } = config.decider
  const apiKey = kind === 'openai' || kind === 'anthropic' ? apiKeyIn(environment, kind) : undefined
  const decider = await createDecider({ config: config.decider, clock: io.clock, ...(apiKey === undefined ? {} : { apiKey }) })
  const startedAt = io.clock()
  const result = await runReplay({ config, market, decider, from: start, to: end })
  const bars = Math.round((end - start) / timeframeMs(market.baseTimeframe))
  const report = ReplayReport.parse(reportReplay(config, result, bars, io.clock() - startedAt, await holdReturn(market, config.market.symbol, start, end)))
  if (out !== undefined) {
    await mkdir(out, { recursive: true })
    await writeFile(path.join(out, 'replay.json'), `${JSON.stringify(report, null, 2)}\n`)
  }
  return { document: report, text: render(report, toIso(start), toIso(end)), exitCode: 0 }
}

/** What buying at the first price and holding to the last would have returned, before any cost. */
async function holdReturn(market: Awaited<ReturnType<typeof createMarket>>, symbol: string, from: number, to: number): Promise<number | null> {
  const series = await market.candles({ symbol, timeframe: market.baseTimeframe, asOf: to, limit: Math.ceil((to - from) / timeframeMs(market.baseTimeframe)) })
  const first = series.candles.find((bar) => bar.time >= from)
  const last = series.candles.at(-1)
  return first === undefined || last === undefined ? null : last.close / first.open - 1
}

function render(report: ReplayReport, from: string, to: string): string {
  const { config, counts, metrics, trades, baselines } = report
  const rows = trades.map((trade) => [trade.entryTime.slice(0, 16), trade.side, trade.quantity, `${amount(trade.entryPrice)} -> ${amount(trade.exitPrice)}`, trade.exitTime.slice(0, 16), trade.exitReason, `pnl ${amount(trade.pnl)}`, trade.rMultiple === null ? '' : `${trade.rMultiple.toFixed(2)} R`])
  return `${[
    `Hourhand  replay of ${config.market.source} · ${from} to ${to} · every ${config.intervalMinutes} min · decider ${config.decider.kind}`,
    '',
    ...(rows.length === 0 ? [] : [section('Trades', table(rows)), '']),
    section('Counts', [`${counts.bars} bars, ${counts.slots} slots, ${counts.entries} entries, ${counts.refusals} refusals, ${counts.ambiguousBars} ambiguous bars; ${report.elapsedMs} ms`, outcomes(metrics.outcomes)]),
    section('Refused', refusals(metrics.refusalsByRule)),
    section('Result', [
      `equity ${amount(metrics.startEquity)} -> ${amount(metrics.endEquity)} (${signedPercent(metrics.totalReturn)}), largest drawdown ${(metrics.maxDrawdown * 100).toFixed(2)} %`,
      `${metrics.trades} trades, won ${metrics.winRate === null ? 'none to count' : `${(metrics.winRate * 100).toFixed(1)} %`}, average ${metrics.averageR === null ? 'none' : `${metrics.averageR.toFixed(3)} R`}`,
      `fees ${amount(metrics.fees)}, funding ${amount(metrics.funding)}, slippage ${amount(metrics.slippage)} (inside the prices)`,
      ...(metrics.halt === null ? [] : [`HALTED since ${metrics.halt.at}: ${metrics.halt.reason}; nothing was opened after that`]),
      ...(metrics.openPosition === null ? [] : [`still open: ${metrics.openPosition.side} ${metrics.openPosition.quantity} from ${metrics.openPosition.entryPrice}`]),
      ...Object.entries(metrics.failures).map(([reason, count]) => `${count} cycles failed: ${reason}`),
      ...Object.entries(baselines).map(([name, { totalReturn }]) => `${name}: ${signedPercent(totalReturn)}`),
    ]),
  ].join('\n')}\n`
}

const outcomes = (counts: Record<string, number>): string => Object.entries(counts).map(([outcome, count]) => `${outcome} ${count}`).join(', ')

function refusals(byRule: Record<string, number>): string[] {
  const rows = Object.entries(byRule).sort(([, a], [, b]) => b - a).map(([rule, count]) => [rule, String(count)])
  return rows.length === 0 ? ['nothing'] : table(rows)
}
