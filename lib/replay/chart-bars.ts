import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { checkedJson } from '../files/checked-json.ts'
import { UsageError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { readFileText } from '../files/read-file.ts'
import { type EpochMs, SECOND_MS, type Timeframe, TIMEFRAMES, timeframeMs } from '../core/time.ts'
import type { CandleHistory } from '../market/candle-history.ts'
import type { Candle } from '../../schemas/market.ts'
import { ReportData } from '../../schemas/report.ts'

const FILE = 'bars.json'

export type ChartBars = ReportData['bars']

/** The bars that a chart of a run shows, in columns: those of the decision timeframe in [from, to). */
function chartBars(history: CandleHistory, stepMs: number, from: EpochMs, to: EpochMs): ChartBars {
  const timeframe =
    TIMEFRAMES.find((one) => timeframeMs(one) === Math.max(stepMs, timeframeMs(history.baseTimeframe))) ??
    history.baseTimeframe
  const { candles } = history.query(timeframe, to, Math.ceil((to - from) / timeframeMs(timeframe)))
  return columnsOf(
    timeframe,
    candles.filter(({ time }) => time >= from),
  )
}

/** Bars as a chart takes them. */
export const columnsOf = (timeframe: Timeframe, bars: readonly Candle[]): ChartBars => ({
  timeframe,
  time: bars.map(({ time }) => time / SECOND_MS),
  open: bars.map(({ open }) => open),
  high: bars.map(({ high }) => high),
  low: bars.map(({ low }) => low),
  close: bars.map(({ close }) => close),
  // A chart draws nothing for an unknown volume, as for none.
  volume: bars.map(({ volume }) => volume ?? 0),
})

export function writeBars(directory: string, history: CandleHistory, stepMs: number, from: EpochMs, to: EpochMs): void {
  writeFileSync(
    path.join(directory, FILE),
    `${checkedJson(ReportData.shape.bars, chartBars(history, stepMs, from, to), 'the bars of the chart')}\n`,
  )
}

/** Throws {@link UsageError} for a directory without them. */
export function readBars(directory: string): ChartBars {
  const file = path.join(directory, FILE)
  const remedy = 'give a directory that hourhand replay --out has filled'
  const parsed = ReportData.shape.bars.safeParse(jsonOf(readFileText({ file, label: file, remedy })))
  if (parsed.success) return parsed.data
  throw new UsageError(`${file} holds no bars of a replay (${z.prettifyError(parsed.error)}); ${remedy}`)
}
