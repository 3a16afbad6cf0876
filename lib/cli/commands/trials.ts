import { durationWords, intervalMsOf } from '../../core/interval.ts'
import { readTrials } from '../../evidence/trial-ledger.ts'
import { missingOf } from '../../store/make-writable.ts'
import { TrialsReport } from '../../../schemas/cli.ts'
import type { Trial } from '../../../schemas/replay.ts'
import { NothingFound } from '../choose-stored.ts'
import { signedPercent, table } from '../format.ts'
import type { Answer } from './answer.ts'

/** `hourhand trials`: everything that was tried on history, and what came of it. */
export function trialsCommand({ dataDir }: { dataDir: string }): Answer {
  if (missingOf(dataDir, '--data-dir').length > 0)
    throw new NothingFound(
      `there is no data directory ${dataDir}: no trial was kept there; name another with --data-dir, or make a trial with hourhand replay. Nothing was made or changed.`,
    )
  const problems: string[] = []
  const trials = readTrials(dataDir, (problem) => problems.push(problem))
  const text = [...problems.map((problem) => `${problem}\n`), render(trials)].join('')
  return { document: TrialsReport.parse({ trials }), text, exitCode: problems.length === 0 ? 0 : 1 }
}

function render(trials: readonly Trial[]): string {
  if (trials.length === 0) return 'no trials yet: hourhand replay makes one\n'
  const rows = trials.map((trial) => [
    trial.trialId.slice(0, 12),
    trial.at.slice(0, 16),
    trial.symbol,
    `${trial.from.slice(0, 10)} to ${trial.to.slice(0, 10)}`,
    durationWords(intervalMsOf(trial)),
    trial.model === null ? trial.decider : `${trial.decider} ${trial.model}`,
    signedPercent(trial.totalReturn),
    `Sharpe ${trial.sharpe === null ? '-' : trial.sharpe.toFixed(2)}`,
    `${trial.trades} trades`,
    trial.settings.slice(0, 4).join('; ') +
      (trial.settings.length > 4 ? `; and ${trial.settings.length - 4} more` : ''),
  ])
  return `${table(rows).join('\n')}\n${trials.length} ${trials.length === 1 ? 'trial' : 'different trials'}: the deflated Sharpe ratio of a replay counts those on its market whose time overlaps with its own\n`
}
