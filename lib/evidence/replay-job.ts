import { InvariantError } from '../core/invariant.ts'
import type { EpochMs } from '../core/time.ts'
import type { Decider } from '../decision/decider.ts'
import { createRandomDecider } from '../decision/random-decider.ts'
import { createRulesDecider } from '../decision/rules-decider.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import { runReplay } from '../replay/run-replay.ts'
import type { Metrics } from '../../schemas/metrics.ts'
import type { ReplayCounts } from '../../schemas/replay.ts'
import type { DeciderConfig, StrategyConfig } from '../../schemas/strategy-config.ts'
import { countsOf, metricsOf } from './summarise-run.ts'

/** A replay that needs nothing but its settings and the market: it can run in any thread. */
export type ReplayJob = {
  config: StrategyConfig
  /** Enters at random instead of asking the configured decider. */
  random: { seed: number; entryRate: number } | null
  from: EpochMs
  to: EpochMs
}

export type JobSummary = { metrics: Metrics; counts: ReplayCounts; haltedAt: string | null }

export async function runJob({ config, random, from, to }: ReplayJob, market: HistoryMarket): Promise<JobSummary> {
  const result = await runReplay({
    config,
    market,
    decider:
      random === null ? plainDecider(config.decider) : createRandomDecider({ ...random, ...exitsOf(config.decider) }),
    from,
    to,
  })
  return {
    metrics: metricsOf(result, { config, from, to, resamples: 0 }),
    counts: countsOf(result, market, from, to),
    haltedAt: result.state?.halt?.at ?? null,
  }
}

/**
 * A decider that asks nobody. Throws {@link InvariantError} for one that does: answers cost money and are asked for in
 * one place.
 */
export function plainDecider(config: DeciderConfig): Decider {
  if (config.kind !== 'rules') throw new InvariantError(`${config.kind} does not decide by itself`)
  return createRulesDecider(config)
}

/** Random entries have the rules' exits, by default or as configured. */
const exitsOf = (config: DeciderConfig): { stopAtr: number; rewardToRisk: number } =>
  config.kind === 'rules'
    ? { stopAtr: config.stopAtr, rewardToRisk: config.rewardToRisk }
    : { stopAtr: 2, rewardToRisk: 2 }
