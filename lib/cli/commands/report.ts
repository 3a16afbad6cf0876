import { intervalMsOf } from '../../core/interval.ts'
import path from 'node:path'
import { z } from 'zod'
import { openStore } from '../../compose/compose-ports.ts'
import { UsageError } from '../../core/invariant.ts'
import { fromIso, TIMEFRAMES, timeframeMs } from '../../core/time.ts'
import { writeKept } from '../../files/keep-files.ts'
import { VERSION } from '../../core/version.ts'
import { type ReportParts, reportOfRecord, reportOfReplay } from '../../evidence/report-data.ts'
import { columnsOf } from '../../replay/chart-bars.ts'
import { isUnfinished } from '../../replay/journal.ts'
import { equityCsv, tradesCsv } from '../../report/csv.ts'
import { renderFailedReport } from '../../report/html/render-failed-report.ts'
import { renderReport } from '../../report/html/render-report.ts'
import { judgeReport } from '../../report/verdict.ts'
import { makeWritable } from '../../store/make-writable.ts'
import { readAll } from '../../store/read-all.ts'
import { ReportWritten } from '../../../schemas/cli.ts'
import { Metrics } from '../../../schemas/metrics.ts'
import type { StoredFailedReplay } from '../../../schemas/replay.ts'
import { ReportData } from '../../../schemas/report.ts'
import { section, wrap } from '../format.ts'
import type { Session } from '../session.ts'
import type { Answer } from './answer.ts'

export const ReportOptions = z.object({
  out: z.string().min(1),
  database: z.boolean().default(false),
  force: z.boolean().default(false),
})
type ReportOptions = z.infer<typeof ReportOptions>

/** `hourhand report --out DIR`: the result of a replay as one page and three tables, written beside it. */
export function reportCommand({ out, force }: ReportOptions): Answer {
  if (isUnfinished(out))
    throw new UsageError(
      `--out ${out}: the replay there was broken off; run the same hourhand replay again, it goes on from where it was`,
    )
  const found = reportOfReplay(out)
  const keeping = { of: 'replay', force }
  return 'problem' in found ? writeFailed(out, keeping, found) : write(out, keeping, found)
}

/** The page of a replay whose answers failed; there are no figures for tables. */
function writeFailed(directory: string, keeping: { of: string; force: boolean }, failed: StoredFailedReplay): Answer {
  const html = renderFailedReport(failed)
  const file = path.join(directory, 'report.html')
  writeKept(directory, '--out', { ...keeping, files: { 'report.html': html } })
  const document = ReportWritten.parse({
    directory,
    files: ['report.html'],
    bytes: Buffer.byteLength(html),
    verdict: 'not_judged',
    sentence: failed.problem,
    metrics: null,
    gates: [],
  })
  return { document, text: `${section('Report', [...wrap(failed.problem), file])}\n`, exitCode: 1 }
}

/** `hourhand report --database --out DIR`: the same of what a strategy has really done, on paper or live. */
export async function recordReportCommand(
  { world, config, market }: Session,
  { out, force }: ReportOptions,
): Promise<Answer> {
  const store = openStore(world)
  const state = await store.loadState(config.id)
  if (state === null)
    throw new UsageError(`${config.id} has done nothing in this database yet: mind --data-dir, --table and --strategy`)
  const [trades, equity, cycles] = await Promise.all([
    readAll((page) => store.listTrades(config.id, page)),
    readAll((page) => store.listEquity(config.id, page)),
    readAll((page) => store.listCycles(config.id, page)),
  ])
  const from = fromIso(equity[0]?.at ?? state.updatedAt)
  const slotMs = intervalMsOf(config)
  const to = fromIso(equity.at(-1)?.at ?? state.updatedAt) + slotMs
  const timeframe =
    TIMEFRAMES.find((one) => timeframeMs(one) >= Math.max(slotMs, timeframeMs(market.baseTimeframe))) ??
    market.baseTimeframe
  // A chart is worth having and not worth failing for: a venue may not know so far back.
  const { candles } = await market
    .candles({
      symbol: config.market.symbol,
      timeframe,
      asOf: to,
      limit: Math.max(1, Math.ceil((to - from) / timeframeMs(timeframe))),
    })
    .catch(() => ({ candles: [] }))
  return write(
    out,
    { of: `the record of ${config.id}, ${config.mode}`, force },
    reportOfRecord({
      config,
      codeVersion: VERSION,
      from,
      to,
      state,
      trades,
      equity,
      cycles,
      bars: columnsOf(
        timeframe,
        candles.filter(({ time }) => time >= from),
      ),
    }),
  )
}

function write(
  directory: string,
  keeping: { of: string; force: boolean },
  { data, trades, equity }: ReportParts,
): Answer {
  makeWritable(directory, '--out')
  const html = renderReport(ReportData.parse(data))
  const files = {
    'report.html': html,
    'trades.csv': tradesCsv(trades),
    'equity.csv': equityCsv(equity),
    'metrics.json': `${JSON.stringify(Metrics.parse(data.metrics), null, 2)}\n`,
  }
  writeKept(directory, '--out', { ...keeping, files })
  const { sentence, result } = judgeReport(data)
  const document = ReportWritten.parse({
    directory,
    files: Object.keys(files),
    bytes: Buffer.byteLength(html),
    verdict: result,
    sentence,
    metrics: data.metrics,
    gates: data.gates,
  })
  return {
    document,
    text: `${section('Report', [sentence, ...Object.keys(files).map((name) => path.join(directory, name))])}\n`,
    exitCode: 0,
  }
}
