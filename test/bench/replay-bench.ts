/**
 * How fast history is replayed: a year of one-minute bars and a decision every half hour, by the rules decider, with
 * everything that trades. Beside it, over the same bars in the same process, the least that any backtest does: a loop
 * that enters at each slot and walks to the stop or the target. The ratio to that says more than the seconds.
 *
 *   npm run bench [-- --bars 525600] [--workers 2]
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { loadConfig } from '../../lib/config/load-config.ts'
import { invariant } from '../../lib/core/invariant.ts'
import { DAY_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { plainDecider, type ReplayJob } from '../../lib/evidence/replay-job.ts'
import { runJobs } from '../../lib/evidence/run-jobs.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { createHistoryMarket } from '../../lib/market/history-source.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'
import type { Candle } from '../../schemas/market.ts'
import { randomWalkBars } from '../support/random-walk.ts'

const START = Date.parse('2023-01-01T00:00:00Z')
const SLOT_BARS = 30

const { values } = parseArgs({
  options: {
    bars: { type: 'string', default: '525600' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
})
const count = Number(values.bars)
const workers = Number(values.workers)

const bars = randomWalkBars(START, count)
// Limits of the account are lifted: a halt would end the work early and flatter the figure.
const config = loadConfig({
  overrides: { market: { source: 'bench', referenceSymbol: null }, guard: { maxDrawdown: 1, maxDailyLoss: 1 } },
})
const { symbol } = config.market
const history = createCandleHistory(scanCandles(bars, '1m', Number.POSITIVE_INFINITY), '1m')
const market = createHistoryMarket({ name: 'bench', symbol, histories: new Map([[symbol, history]]), funding: [] })

const timed = async <T>(work: () => T | Promise<T>): Promise<{ ms: number; cpuMs: number; result: T }> => {
  const cpu = process.cpuUsage()
  const began = performance.now()
  const result = await work()
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  return { ms, cpuMs: (user + system) / 1_000, result }
}

const replayOf = (length: number, isFast = true) =>
  timed(() =>
    runReplay({
      config,
      market,
      decider: plainDecider(config.decider),
      from: START,
      to: START + length * MINUTE_MS,
      isFast,
    }),
  )

/**
 * The least a backtest does: at a slot without a position go with the last half hour, out at the stop or the target.
 */
function bareLoop(candles: readonly Candle[]): number {
  let equity = 0
  let entry = 0
  let stop = 0
  let target = 0
  for (const [index, bar] of candles.entries()) {
    if (entry !== 0) {
      const isLong = target > entry
      if (isLong ? bar.low <= stop : bar.high >= stop) {
        equity += isLong ? stop - entry : entry - stop
        entry = 0
      } else if (isLong ? bar.high >= target : bar.low <= target) {
        equity += isLong ? target - entry : entry - target
        entry = 0
      }
    } else if (index % SLOT_BARS === 0 && index >= SLOT_BARS) {
      const isLong = bar.open >= (candles[index - SLOT_BARS]?.open ?? bar.open)
      entry = bar.open
      stop = entry * (isLong ? 0.99 : 1.01)
      target = entry * (isLong ? 1.02 : 0.98)
    }
  }
  return equity
}

const line = (what: string, value: string): void => console.log(`${what.padEnd(44)} ${value}`)
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`
const perSecond = (items: number, ms: number): string => Math.round((items / ms) * 1_000).toLocaleString('en-US')

console.log(`replay of ${count.toLocaleString('en-US')} one-minute bars`)
bareLoop(bars)
const bare = await timed(() => Array.from({ length: 5 }, () => bareLoop(bars)))
const bareMs = bare.ms / 5
const first = await replayOf(count)
const memory = process.resourceUsage().maxRSS / 1_024
const second = await replayOf(count)
const { lines, trades } = second.result
invariant(lines.at(-1)?.equity === first.result.lines.at(-1)?.equity, 'two runs of one replay differ')
line('slots, trades', `${lines.length.toLocaleString('en-US')}, ${trades.length.toLocaleString('en-US')}`)
line(
  'first run in the process',
  `${seconds(first.ms)}, of which on the processor ${seconds(first.cpuMs)} over all threads`,
)
line(
  'second run',
  `${seconds(second.ms)}, ${perSecond(count, second.ms)} bars/s, ${perSecond(lines.length, second.ms)} decisions/s`,
)
line('bare stop and target loop (reference)', `${bareMs.toFixed(2)} ms, ${perSecond(count, bareMs)} bars/s`)
line('replay to bare loop', `${(second.ms / bareMs).toFixed(0)} x`)
line('memory at most, the bars with it', `${memory.toFixed(0)} MB`)

console.log('\ntime by length')
for (const share of [4, 2, 1]) {
  const { ms } = await replayOf(Math.floor(count / share))
  line(
    `${Math.floor(count / share).toLocaleString('en-US')} bars`,
    `${seconds(ms)}, ${((ms / (count / share)) * 1_000).toFixed(2)} us a bar`,
  )
}

const short = Math.min(count, 10 * 1_440)
const fast = await replayOf(short)
const plain = await replayOf(short, false)
console.log('\nwithout the shortcuts')
line(`${(short / 1_440).toFixed(0)} days`, `${seconds(plain.ms)}, ${(plain.ms / fast.ms).toFixed(1)} x the fast walk`)

/**
 * A sweep over the rules' stop, half of the span each: threads begin cold, and what each then makes in peace is what
 * counts.
 */
const jobs: ReplayJob[] = Array.from({ length: 16 }, (_, index) => ({
  config: loadConfig({
    overrides: {
      market: { source: 'bench', referenceSymbol: null },
      guard: { maxDrawdown: 1, maxDailyLoss: 1 },
      decider: { kind: 'rules', stopAtr: 1 + index * 0.125 },
    },
  }),
  random: null,
  from: START,
  to: START + Math.min(count * MINUTE_MS, Math.max(DAY_MS, Math.floor((count * MINUTE_MS) / 2 / DAY_MS) * DAY_MS)),
}))
console.log(`\nsweep of ${jobs.length} settings over half of it`)
const alone = await timed(() => runJobs(jobs, { market, workers: 1 }))
line('one thread', seconds(alone.ms))
if (workers > 1) {
  const together = await timed(() => runJobs(jobs, { market, workers }))
  invariant(JSON.stringify(together.result) === JSON.stringify(alone.result), 'the number of threads changed a result')
  line(
    `${workers} threads`,
    `${seconds(together.ms)}, ${(alone.ms / together.ms).toFixed(2)} times as fast; the same results`,
  )
}
