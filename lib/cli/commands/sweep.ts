import { z } from 'zod'
import { baseOf, loadConfig } from '../../config/load-config.ts'
import { InvariantError, UsageError } from '../../core/invariant.ts'
import { toIso } from '../../core/time.ts'
import { readJsonFile } from '../../files/read-json-file.ts'
import { makeTrial, trialsAround } from '../../evidence/make-trial.ts'
import { runJobs } from '../../evidence/run-jobs.ts'
import { readTrials, recordTrial } from '../../evidence/trial-ledger.ts'
import { sharpePerObservation } from '../../report/metrics/compute-metrics.ts'
import { deflatedSharpe, noSkillDeviation } from '../../report/metrics/sharpe-evidence.ts'
import { SweepReport } from '../../../schemas/cli.ts'
import type { Metrics } from '../../../schemas/metrics.ts'
import type { Trial } from '../../../schemas/replay.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { amount, readingOf, section, signedPercent, table } from '../format.ts'
import type { Io } from '../io.ts'
import { openHistory, type OpenHistory } from '../open-history.ts'
import { createProgress } from '../progress.ts'
import type { Answer } from './answer.ts'
import { WalkOptions } from './walk-options.ts'

export const SweepOptions = WalkOptions.extend({ grid: z.string().min(1) })
export type SweepOptions = z.infer<typeof SweepOptions>

const Grid = z.record(
  z.string().regex(/^[A-Za-z]\w*(\.\w+)*$/, { error: 'expected the path of a setting, such as decider.stopAtr' }),
  z.array(z.unknown()).min(1),
)
/** More is a sign of a slip, and of luck in the making. */
const MAX_RUNS = 5_000

/**
 * `hourhand sweep`: every combination of a grid of settings, on all cores; each is a trial, and the best is measured
 * against all.
 */
export async function sweepCommand(configured: StrategyConfig, options: SweepOptions, io: Io): Promise<Answer> {
  if (configured.decider.kind !== 'rules')
    throw new UsageError(
      `sweep replays settings by the hundred: choose --decider rules, not ${configured.decider.kind}, whose answers would have to be asked for`,
    )
  const grid = readGrid(options.grid)
  const history = await openHistory(configured, options, io)
  const variants = combinations(grid).map((settings) => ({
    settings,
    config: fitted(vary(configured, settings, options.grid), history),
  }))
  const progress = createProgress(io)
  const startedAt = io.clock()
  const summaries = await runJobs(
    variants.map(({ config }) => ({ config, random: null, from: history.from, to: history.to })),
    {
      market: history.market,
      workers: options.workers ?? io.cores ?? 1,
      onDone: (done, of) => progress.show(`sweep: ${done} of ${of} runs`),
    },
  ).finally(() => progress.clear())
  const elapsedMs = io.clock() - startedAt
  const done = variants.map(({ settings, config }, index) => ({
    settings,
    config,
    summary: summaries[index] ?? missing(settings),
  }))
  const at = toIso(io.clock())
  const trials = done.map(({ config, summary }) =>
    makeTrial({
      config,
      data: history.data,
      decider: config.decider.kind,
      model: null,
      metrics: summary.metrics,
      command: 'sweep',
      at,
    }),
  )
  recordTrial(options.dataDir, ...trials)
  const runs = done.map(({ settings, summary: { metrics, haltedAt } }, index) => {
    return {
      trialId: trials[index]?.trialId ?? '',
      settings,
      totalReturn: metrics.totalReturn,
      sharpe: metrics.sharpe,
      maxDrawdown: metrics.maxDrawdown,
      trades: metrics.trades,
      fees: metrics.fees,
      haltedAt,
    }
  })
  const document = SweepReport.parse({
    from: toIso(history.from),
    to: toIso(history.to),
    notes: history.notes,
    varied: Object.keys(grid),
    runs,
    best: bestOf(
      trials,
      summaries.map(({ metrics }) => metrics),
      readTrials(options.dataDir, (problem) => io.stderr(`${problem}\n`)),
    ),
    elapsedMs,
  })
  return { document, text: render(document), exitCode: 0 }
}

function missing(settings: unknown): never {
  throw new InvariantError(`the run of ${JSON.stringify(settings)} has no summary`)
}

function readGrid(file: string): z.infer<typeof Grid> {
  const parsed = Grid.safeParse(readJsonFile(file, '--grid'))
  if (!parsed.success)
    throw new UsageError(
      `--grid ${file}: ${z.prettifyError(parsed.error)}; expected {"decider.stopAtr": [1.5, 2], ...}`,
    )
  const runs = Object.values(parsed.data).reduce((product, values) => product * values.length, 1)
  if (runs > MAX_RUNS)
    throw new UsageError(`--grid ${file} has ${runs} combinations, more than ${MAX_RUNS}: leave some values out`)
  return parsed.data
}

/** Every combination of values, the last setting varying fastest. */
const combinations = (grid: z.infer<typeof Grid>): Record<string, unknown>[] =>
  Object.entries(grid).reduce<Record<string, unknown>[]>(
    (found, [setting, values]) =>
      found.flatMap((settings) => values.map((value) => ({ ...settings, [setting]: value }))),
    [{}],
  )

/** A configuration with some settings replaced, checked as any other. Throws UsageError naming the setting. */
function vary(config: StrategyConfig, settings: Record<string, unknown>, file: string): StrategyConfig {
  const changed = structuredClone(config) as Record<string, unknown>
  for (const [setting, value] of Object.entries(settings)) {
    const keys = setting.split('.')
    let group: Record<string, unknown> = changed
    for (const key of keys.slice(0, -1)) {
      const next = group[key]
      if (typeof next !== 'object' || next === null)
        throw new UsageError(`--grid ${file}: there is no setting ${setting}`)
      group = next as Record<string, unknown>
    }
    group[keys.at(-1) ?? ''] = value
  }
  return loadConfig({ strategy: baseOf(config).id, overrides: changed, origin: `--grid ${file}` })
}

/** The market is the one that was opened, whatever a file's configuration would make of it. */
const fitted = (config: StrategyConfig, { config: { market, interval } }: OpenHistory): StrategyConfig => ({
  ...config,
  market,
  interval: config.interval === '30m' ? interval : config.interval,
})

/**
 * The highest Sharpe ratio of a sweep, and the probability that it is more than the luck of all trials on this market.
 */
function bestOf(trials: readonly Trial[], metrics: readonly Metrics[], ledger: readonly Trial[]): SweepReport['best'] {
  const ranked = metrics
    .map((one, index) => ({ one, trial: trials[index] }))
    .filter(({ one }) => one.sharpe !== null)
    .sort((a, b) => (b.one.sharpe ?? 0) - (a.one.sharpe ?? 0))
  const [top] = ranked
  if (top?.trial === undefined || top.one.sharpe === null) return null
  const { trials: count, trialDeviation } = trialsAround(ledger, top.trial, top.one)
  const own = sharpePerObservation(top.one)
  const { skewness, kurtosis, observations, sharpe } = top.one
  const deviation = trialDeviation ?? noSkillDeviation(observations)
  const isKnown = own !== null && skewness !== null && kurtosis !== null && deviation !== null
  return {
    trialId: top.trial.trialId,
    sharpe,
    trials: count,
    deflatedSharpe: isKnown
      ? deflatedSharpe({ sharpe: own, observations, skewness, kurtosis }, count, deviation)
      : null,
  }
}

function render({ from, to, notes, varied, runs, best, elapsedMs }: SweepReport): string {
  const rows = runs
    .toSorted((a, b) => (b.sharpe ?? Number.NEGATIVE_INFINITY) - (a.sharpe ?? Number.NEGATIVE_INFINITY))
    .map((run) => [
      ...varied.map((setting) => `${setting} = ${JSON.stringify(run.settings[setting])}`),
      signedPercent(run.totalReturn),
      `Sharpe ${run.sharpe === null ? '-' : run.sharpe.toFixed(2)}`,
      `drawdown ${(run.maxDrawdown * 100).toFixed(2)} %`,
      `${run.trades} trades`,
      `fees ${amount(run.fees)}`,
      run.haltedAt === null ? '' : `halted ${run.haltedAt.slice(0, 10)}`,
    ])
  return `${[
    `Hourhand  sweep · ${from} to ${to} · ${runs.length} runs in ${(elapsedMs / 1_000).toFixed(1)} s`,
    '',
    ...readingOf(notes),
    section('Runs', table(rows)),
    section(
      'Best',
      best === null
        ? ['none of them has a Sharpe ratio yet']
        : [
            `Sharpe ${best.sharpe.toFixed(2)}; more than the luck of ${best.trials} trials on this market with probability ${best.deflatedSharpe === null ? 'unknown' : best.deflatedSharpe.toFixed(3)}`,
          ],
    ),
  ].join('\n')}\n`
}
