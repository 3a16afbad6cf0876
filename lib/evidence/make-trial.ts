import { baseOf } from '../config/load-config.ts'
import { hashOf } from '../core/canonical-json.ts'
import { VERSION } from '../core/version.ts'
import { instructionHashOf } from '../decision/prompt.ts'
import { sharpePerObservation } from '../report/metrics/compute-metrics.ts'
import { deviation } from '../report/metrics/moments.ts'
import type { Metrics } from '../../schemas/metrics.ts'
import type { ReplayData, Trial } from '../../schemas/replay.ts'
import type { DeciderConfig, StrategyConfig } from '../../schemas/strategy-config.ts'
import { changedSettings } from './changed-settings.ts'
import { dataHashOf } from './describe-data.ts'
import { comparableTrials } from './trial-ledger.ts'

type Data = Omit<ReplayData, 'assumedFundingShare'>

/**
 * The settings that a result depends on: not the files they came from, and not what only says how a result is judged.
 */
function settingsOf({
  id,
  interval,
  decisionTimeframe,
  instrument,
  market,
  decider,
  guard,
  sizing,
  exits,
  paper,
  memory,
  news,
}: StrategyConfig): unknown {
  const {
    file: _,
    knowledgeCutoff: _cutoff,
    ...asked
  } = { file: null, knowledgeCutoff: null, ...decider } as DeciderConfig & {
    file: string | null
    knowledgeCutoff: string | null
  }
  const { maxHeadlines, maxAgeHours, maxTitleLength } = news
  return {
    id,
    interval,
    decisionTimeframe,
    instrument,
    referenceSymbol: market.referenceSymbol,
    decider: asked,
    guard,
    sizing,
    exits,
    paper,
    memory,
    news: { maxHeadlines, maxAgeHours, maxTitleLength },
  }
}

/**
 * Names settings, data and what else was varied (a repeated sample, a masked history): equal ids, equal runs. The first
 * sample of the history as it was is the run that a replay makes.
 */
export const trialIdOf = (config: StrategyConfig, data: Data, variant: string | null = null): string =>
  hashOf(variant === null ? [settingsOf(config), data] : [settingsOf(config), data, variant])

export type TrialFacts = {
  config: StrategyConfig
  data: Data
  decider: string
  model: string | null
  metrics: Metrics
  command: string
  at: string
  /** What was varied besides the settings, as `name = value`; null for nothing. */
  variant?: string | null
}

/** The line of the ledger for a finished run. */
export function makeTrial({ config, data, decider, model, metrics, command, at, variant = null }: TrialFacts): Trial {
  const { totalReturn, maxDrawdown, trades, sharpe, observations } = metrics
  return {
    schemaVersion: 1,
    trialId: trialIdOf(config, data, variant),
    at,
    command,
    strategyId: config.id,
    symbol: config.market.symbol,
    instrument: config.instrument.id,
    decider,
    model,
    configHash: hashOf(settingsOf(config)),
    promptHash: instructionHashOf(config.decider),
    dataHash: dataHashOf(data),
    from: data.from,
    to: data.to,
    interval: config.interval,
    settings: [...changedSettings(config, baseOf(config)), ...(variant === null ? [] : [variant])],
    codeVersion: VERSION,
    totalReturn,
    maxDrawdown,
    trades,
    sharpe,
    sharpePerObservation: sharpePerObservation(metrics),
    observations,
  }
}

/**
 * What a result has to be measured against: how many different settings were tried on its market and time, itself among
 * them, and the standard deviation of their Sharpe ratios per observation (null with fewer than two that have one).
 */
export function trialsAround(
  ledger: readonly Trial[],
  trial: Pick<Trial, 'trialId' | 'instrument' | 'from' | 'to'>,
  metrics: Metrics,
): { trials: number; trialDeviation: number | null } {
  const others = comparableTrials(ledger, trial)
  const values = [...others.map((other) => other.sharpePerObservation), sharpePerObservation(metrics)].filter(
    (value) => value !== null,
  )
  return { trials: others.length + 1, trialDeviation: deviation(values) }
}
