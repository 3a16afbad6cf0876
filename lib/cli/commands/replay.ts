import { intervalMsOf } from '../../core/interval.ts'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { hashOf } from '../../core/canonical-json.ts'
import { toIso } from '../../core/time.ts'
import { VERSION } from '../../core/version.ts'
import { instructionHashOf } from '../../decision/prompt.ts'
import { answersIn, areUsable, describeUnusable } from '../../evidence/answers.ts'
import { assembleReplay } from '../../evidence/assemble-replay.ts'
import { makeTrial, trialIdOf } from '../../evidence/make-trial.ts'
import type { JobSummary, ReplayJob } from '../../evidence/replay-job.ts'
import { runJobs } from '../../evidence/run-jobs.ts'
import { evidenceOf } from '../../evidence/sizing-evidence.ts'
import { countsOf } from '../../evidence/summarise-run.ts'
import { readTrials, recordTrial } from '../../evidence/trial-ledger.ts'
import { writeBars } from '../../replay/chart-bars.ts'
import { claimResultDirectory } from '../../replay/claim-result.ts'
import { openJournal } from '../../replay/journal.ts'
import { checkedJson } from '../../files/checked-json.ts'
import { makeWritable } from '../../store/make-writable.ts'
import type { Environment } from '../../../schemas/environment.ts'
import { FailedReplay, ReplayReport, StoredFailedReplay, StoredReplay } from '../../../schemas/replay.ts'
import { SizingEvidence } from '../../../schemas/strategy-config.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import type { Io } from '../io.ts'
import { isModel, openBudget } from '../open-decider.ts'
import { openHistory, type OpenHistory } from '../open-history.ts'
import { createProgress } from '../progress.ts'
import { renderFailedReplay } from '../render-failed-replay.ts'
import { renderReplay } from '../render-replay.ts'
import { modelOf } from '../summarise-walk.ts'
import { type Walk, walkHistory } from '../walk-history.ts'
import type { Answer } from './answer.ts'
import { count, WalkOptions } from './walk-options.ts'

export const ReplayOptions = WalkOptions.extend({
  out: z.string().min(1).optional(),
  force: z.boolean().default(false),
  random: count(0).default(20),
})
export type ReplayOptions = z.infer<typeof ReplayOptions>

/** What `sizing.evidence` of a configuration takes, as a configuration of its own. */
const EvidenceFile = z.strictObject({ sizing: z.strictObject({ evidence: SizingEvidence }) })

/** Slots between two checkpoints: a question to a model is worth one each. */
const CHECKPOINT_EVERY = { model: 1, other: 512 } as const

/**
 * `hourhand replay`: history through the code that trades, measured, compared and judged. With `--out` everything is
 * kept there, a run that was killed goes on from where it was, and `hourhand report` has what it needs.
 */
export async function replayCommand(
  configured: StrategyConfig,
  options: ReplayOptions,
  environment: Environment,
  io: Io,
): Promise<Answer> {
  const history = await openHistory(configured, options, io)
  const { config, market, data, notes, from, to } = history
  const trialId = trialIdOf(config, data)
  const key = hashOf([trialId, VERSION])
  if (options.out !== undefined) claimResultDirectory(options.out, { key, trialId, force: options.force })
  const progress = createProgress(io)
  const journal =
    options.out === undefined
      ? null
      : openJournal({
          directory: options.out,
          key,
          stories: config.decider.kind === 'rules' ? 'acted' : 'all',
          every: CHECKPOINT_EVERY[isModel(config.decider) ? 'model' : 'other'],
        })
  if (journal?.resumed)
    io.stderr(`going on from ${journal.resumed.at.nextSlot}, where an earlier run in ${options.out} was broken off\n`)
  try {
    const walk = await walkHistory(
      { history, options, purse: openBudget([config.decider], options), journal },
      environment,
      io,
    )
    const { decider, elapsedMs } = walk
    const answers = answersIn(walk.lines)
    if (!areUsable(answers)) {
      journal?.finish()
      const failed = describeFailed(history, walk, describeUnusable(answers))
      if (options.out !== undefined) keepFailed(options.out, failed)
      return { document: failed, text: renderFailedReplay(failed, options.out ?? null), exitCode: 1 }
    }
    const run = (jobs: readonly ReplayJob[]): Promise<JobSummary[]> =>
      runJobs(jobs, {
        market,
        workers: options.workers ?? io.cores ?? 1,
        onDone: (done, of) => progress.show(`baselines: ${done} of ${of} runs`),
      })
    const stored = StoredReplay.parse(
      await assembleReplay({
        config,
        market,
        decider,
        model: modelOf(config),
        outcome: walk,
        state: walk.state,
        data,
        notes,
        from,
        to,
        trialId,
        trials: readTrials(options.dataDir, (problem) => io.stderr(`${problem}\n`)),
        seeds: options.random,
        run,
      }),
    )
    progress.clear()
    recordTrial(
      options.dataDir,
      makeTrial({
        config,
        data,
        decider,
        model: stored.model,
        metrics: stored.metrics,
        command: 'replay',
        at: toIso(io.clock()),
      }),
    )
    if (options.out !== undefined) {
      journal?.finish()
      keepResult(options.out, history, walk, stored)
    }
    const report = ReplayReport.parse({ ...stored, elapsedMs })
    return { document: report, text: renderReplay(report, options.out ?? null), exitCode: 0 }
  } finally {
    progress.clear()
    journal?.close()
  }
}

const writeText = (directory: string, name: string, text: string): void =>
  writeFileSync(path.join(directory, name), `${text}\n`)

/** Everything of a result that lies beside its journal. */
function keepResult(
  out: string,
  { config, market, data, from, to }: OpenHistory,
  { trades }: Walk,
  stored: StoredReplay,
): void {
  makeWritable(out, '--out')
  const source = `replay ${stored.trialId.slice(0, 12)} of ${data.symbol}, ${data.from} to ${data.to}`
  const evidence = { sizing: { evidence: evidenceOf(config, trades, source) } }
  writeText(out, 'replay.json', checkedJson(StoredReplay, stored, 'replay.json', 2))
  writeText(out, 'evidence.json', checkedJson(EvidenceFile, evidence, 'evidence.json', 2))
  writeBars(out, market.history, intervalMsOf(config), from, to)
}

/** What is told of a run that has no result. */
function describeFailed({ config, market, data, from, to }: OpenHistory, walk: Walk, problem: string): FailedReplay {
  return FailedReplay.parse({
    schemaVersion: 2,
    strategyId: config.id,
    mode: config.mode,
    decider: walk.decider,
    model: modelOf(config),
    promptHash: instructionHashOf(config.decider),
    codeVersion: VERSION,
    config,
    data: { ...data, assumedFundingShare: null },
    counts: countsOf(walk, market, from, to),
    problem,
    metrics: null,
    elapsedMs: walk.elapsedMs,
  } satisfies FailedReplay)
}

/** Leaves no evidence beside a failed run, also none of an earlier one whose journal it has replaced. */
function keepFailed(out: string, failed: FailedReplay): void {
  const stored = StoredFailedReplay.strip().parse(failed)
  makeWritable(out, '--out')
  writeText(out, 'replay.json', checkedJson(StoredFailedReplay, stored, 'replay.json', 2))
  rmSync(path.join(out, 'evidence.json'), { force: true })
}
