import { toIso } from '../core/time.ts'
import { makeTrial } from '../evidence/make-trial.ts'
import { recordTrial, trialFile } from '../evidence/trial-ledger.ts'
import type { Trial } from '../../schemas/replay.ts'
import type { Io } from './io.ts'
import type { OpenHistory } from './open-history.ts'
import { modelOf } from './summarise-walk.ts'
import { metricsOfWalk, type Walk, type WalkRequest } from './walk-history.ts'

export type TrialOptions = {
  /** The history as it was: a masked one is a trial on the market that it masks. */
  history: Pick<OpenHistory, 'config' | 'data'>
  walk: Walk
  /** What was walked through, and with which contract. */
  walked: WalkRequest['history']
  command: 'compare' | 'audit'
  /** `sample = 2`, `history = dates shifted`; null for what a replay would have been. */
  variant: string | null
  io: Io
}

/** The trial that one walk of a comparison or an audit is. */
export const trialOfWalk = ({ history, walk, walked, command, variant, io }: TrialOptions): Trial =>
  makeTrial({
    config: history.config,
    data: history.data,
    decider: walk.decider,
    model: modelOf(history.config),
    metrics: metricsOfWalk(walk, walked),
    command,
    at: toIso(io.clock()),
    variant,
  })

/** Counts trials in the ledger of the data directory, and says so in a line. */
export function countTrials(dataDir: string, trials: readonly Trial[]): string {
  recordTrial(dataDir, ...trials)
  const many = new Set(trials.map(({ trialId }) => trialId)).size
  return `${many} ${many === 1 ? 'trial' : 'trials'} counted in ${trialFile(dataDir)}: the deflated Sharpe ratio of a replay on this market counts them; the same run again is the same trial`
}
