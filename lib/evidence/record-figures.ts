import { intervalMsOf } from '../core/interval.ts'
import { UsageError } from '../core/invariant.ts'
import { DAY_MS, type EpochMs, fromIso, toIso } from '../core/time.ts'
import { isPaperWork } from '../cycle/evaluate-paper-record.ts'
import { recordLimitsOf } from '../guard/live-barrier.ts'
import { strategyHashOf } from '../guard/strategy-hash.ts'
import { judgeGates } from '../report/gates.ts'
import { computeMetrics } from '../report/metrics/compute-metrics.ts'
import { readAll, readEach } from '../store/read-all.ts'
import type { Store } from '../store/store.ts'
import { cycleIdIn } from '../core/ids.ts'
import type { RecordFigures } from '../../schemas/live-clearance.ts'
import type { Gate, Metrics } from '../../schemas/metrics.ts'
import type { StoredFailedReplay, StoredReplay } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** The gates of a result that speak for live trading. */
const ASKED: ReadonlySet<Gate['gate']> = new Set(['sharpe', 'max_drawdown', 'trades'])

/**
 * The paper record's own figures: equity and trades since the last cycle with other settings, or not on live prices.
 * Null where there are none yet. `store` is that of the paper mode.
 */
export async function figuresOfPaper(
  store: Store,
  config: StrategyConfig,
  now: EpochMs,
): Promise<RecordFigures | null> {
  const configHash = strategyHashOf(config)
  let slots: string[] = []
  const opened = new Set<string>()
  await readEach(
    (page) => store.listCycles(config.id, page),
    (record) => {
      if (!isPaperWork(record, configHash)) {
        if (record.progress === 'finished' && strategyHashOf(record.config) !== configHash) slots = []
        return
      }
      opened.add(record.cycleId)
      slots.push(record.slot)
    },
  )
  const [first, last] = [slots[0], slots.at(-1)]
  if (first === undefined || last === undefined) return null
  const [trades, curve] = await Promise.all([
    readAll((page) => store.listTrades(config.id, page)),
    readAll((page) => store.listEquity(config.id, { ...page, from: first, to: last })),
  ])
  const start = curve[0]
  if (start === undefined) return null
  const metrics = computeMetrics({
    equity: curve,
    startEquity: start.equity,
    ...(start.transferred === undefined ? {} : { transferredAtStart: start.transferred }),
    from: fromIso(first),
    to: fromIso(last) + intervalMsOf(config),
    trades: trades.filter(({ id, entryTime }) => opened.has(cycleIdIn(id)) && fromIso(entryTime) >= fromIso(first)),
    multiplier: config.instrument.multiplier,
    tokens: { input: 0, output: 0 },
    tokenCostUsd: null,
    resamples: 0,
  })
  return {
    source: 'paper',
    name: `${first} to ${last}`,
    evaluatedAt: toIso(now),
    configHash,
    gates: judge(metrics, config),
  }
}

/**
 * The figures of a stored replay. Throws {@link UsageError} where it cannot speak for this strategy: other settings,
 * answers that failed, or days that the model may have read of.
 */
export function figuresOfReplay(
  directory: string,
  stored: StoredReplay | StoredFailedReplay,
  config: StrategyConfig,
  now: EpochMs,
): RecordFigures {
  const refuse = (why: string): never => {
    throw new UsageError(`--replay ${directory}: ${why}`)
  }
  if ('problem' in stored) return refuse(`that replay is no result: ${stored.problem}`)
  const configHash = strategyHashOf(config)
  if (strategyHashOf(stored.config) !== configHash)
    refuse('that replay is of other settings (decider, guard, sizing, exits, symbol or interval); run it with these')
  const { decider } = config
  if ('knowledgeCutoff' in decider) {
    const { knowledgeCutoff } = decider
    if (knowledgeCutoff === null)
      refuse('decider.knowledgeCutoff is not set, so the model may have read of these days; set it to its maker’s date')
    else if (fromIso(stored.data.from) < fromIso(`${knowledgeCutoff}T00:00:00Z`) + DAY_MS)
      refuse(
        `it begins ${stored.data.from}, and the model has read up to ${knowledgeCutoff}; replay only days after that`,
      )
  }
  return {
    source: 'replay',
    name: directory,
    evaluatedAt: toIso(now),
    configHash,
    gates: judge(stored.metrics, config),
  }
}

/** The three gates, by the floors of live trading or the configuration's tighter limits. */
function judge(metrics: Metrics, config: StrategyConfig): Gate[] {
  const limits = { ...config.gates, ...recordLimitsOf(config) }
  return judgeGates(metrics, { hold: null }, limits).filter(({ gate }) => ASKED.has(gate))
}
