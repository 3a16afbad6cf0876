import { decisionTimeframeOf, intervalMsOf } from '../core/interval.ts'
import { type EpochMs, floorTime, SECOND_MS, type Timeframe } from '../core/time.ts'
import { windowOf } from '../snapshot/bar-window.ts'
import { gatherMarketFacts } from '../snapshot/gather.ts'
import { type MarketFacts, REFERENCE_TIMEFRAME } from '../snapshot/market-facts.ts'
import { lookback } from '../indicators/lookback.ts'
import type { CandleSeries } from '../market/market-data.ts'
import type { CyclePorts } from './cycle-ports.ts'

/**
 * Pauses between looks for a bar that has closed and is not there yet. Exchanges publish it some seconds late. Together
 * 18 s, a tenth of what a decision function has.
 */
export const BAR_PAUSES_MS = [2, 3, 5, 8].map((seconds) => seconds * SECOND_MS)

type LateSeries = { symbol: string; timeframe: Timeframe }

/** Market facts, the instant they are of, and how long a late bar was waited for, in milliseconds. */
export type CompleteFacts = { facts: MarketFacts; asOf: EpochMs; waitedMs: number }

/**
 * Gathers the market facts of a slot. Where the newest bar that should be there is not, the market is looked at again a
 * few times within the slot, and everything is then read anew. A bar that does not come is named in the issues, with
 * how long it was waited for, and the guard opens nothing. A history has no bars still to come: nothing is waited for.
 */
export async function gatherComplete(ports: CyclePorts, slot: EpochMs): Promise<CompleteFacts> {
  const { market, news, config, clock, sleep, telemetry } = ports
  const gather = async (asOf: EpochMs) => ({ asOf, facts: await gatherMarketFacts({ market, news, config, asOf }) })
  const began = clock()
  const first = await gather(began)
  let late = lateSeries(first.facts, ports)
  if (late.length === 0 || market.span !== null) return { ...first, waitedMs: 0 }
  const slotMs = intervalMsOf(config)
  let waitedMs = 0
  for (const pauseMs of BAR_PAUSES_MS) {
    if (floorTime(clock() + pauseMs, slotMs) > slot) break
    await sleep(pauseMs)
    waitedMs += pauseMs
    late = await stillLate(ports, late)
    if (late.length === 0) break
  }
  const told = late.map(({ symbol, timeframe }) => `${timeframe} of ${symbol}`)
  telemetry.log(late.length === 0 ? 'info' : 'warn', 'a closed bar was late', {
    waitedMs,
    stillMissing: told,
  })
  return { ...(await gather(clock())), waitedMs }
}

/**
 * The series whose newest closed bar is not there. The reference market is waited for only while it is one bar behind.
 */
function lateSeries({ asOf, primary, fourHour, daily, reference }: MarketFacts, { config }: CyclePorts): LateSeries[] {
  const { symbol } = config.market
  const traded: [Timeframe, CandleSeries][] = [
    [decisionTimeframeOf(config), primary],
    ['4h', fourHour],
    ['1d', daily],
  ]
  const late = traded
    .filter(([timeframe, series]) => isLate(series, timeframe, asOf))
    .map(([timeframe]) => ({ symbol, timeframe }))
  if (reference === null) return late
  const lateness = windowOf(reference.series, REFERENCE_TIMEFRAME, asOf).late
  return lateness?.kind === 'stale' && lateness.count === 1
    ? [...late, { symbol: reference.symbol, timeframe: REFERENCE_TIMEFRAME }]
    : late
}

/** Its newest bar is not there, or lacks its end because a finer bar that it is made of is not there. */
const isLate = (series: CandleSeries, timeframe: Timeframe, asOf: EpochMs): boolean =>
  windowOf(series, timeframe, asOf).late !== null || series.issues.some(({ kind }) => kind === 'missing')

/** Those of the series that are late as before. One that cannot be read now is. */
async function stillLate({ market, clock }: CyclePorts, late: readonly LateSeries[]): Promise<LateSeries[]> {
  const asOf = clock()
  const looked = await Promise.all(
    late.map(async (one) => {
      const limit = Math.min(NEWEST, lookback(one.timeframe, asOf).limit)
      const series = await market.candles({ ...one, asOf, limit }).catch(() => null)
      return series === null || isLate(series, one.timeframe, asOf) ? [one] : []
    }),
  )
  return looked.flat()
}

/** Bars asked for when only the newest matters. */
const NEWEST = 2
