import type { DecisionFailure, DecisionOutcome, ModelUsage } from '../../schemas/decision.ts'
import { MODEL_FAILURES, Recording, type RecordedQuestion } from '../../schemas/recording.ts'
import { UsageError } from '../core/invariant.ts'
import { type Budget, type Spent, createBudget } from './budget.ts'
import type { Decider, DecisionRequest } from './decider.ts'
import { estimateQuestion } from './estimate-question.ts'
import type { AnthropicConfig, OpenAiConfig } from './model-decider.ts'
import { promptHashOf } from './prompt.ts'
import { DECISION_SCHEMA_HASH, identityOf, recordingKeyOf } from './recording-key.ts'
import type { RecordingLog } from './recording-log.ts'

export type RecordingDeciderOptions = {
  /** Asks the model; made from `config`. */
  readonly decider: Decider
  readonly config: OpenAiConfig | AnthropicConfig
  readonly log: RecordingLog
  /** 0 (the default), 1, 2...: which of repeated answers to the same question. */
  readonly sample?: number
  /** Shared by all deciders that spend from one purse; without it there is no limit. */
  readonly budget?: Budget
}

export type RecordingDecider = Decider & {
  /** Set once recording has stopped; from then on every decision is refused with it. */
  readonly stopped: RecordingStopped | null
  /** Questions answered from the file, and asked and stored. */
  readonly progress: { readonly fromFile: number; readonly asked: number }
  /** Of the whole budget, whoever spent it. */
  readonly spent: Spent
}

/** What stopped a recording: the budget, the provider (then `failure` says how), or the file. */
export type StopKind = 'budget' | 'provider' | 'file'

/**
 * A recording ended before its end, cleanly: every answer paid for is in the file, and the same command goes on from
 * there.
 */
export class RecordingStopped extends Error {
  override readonly name = 'RecordingStopped'
  readonly kind: StopKind
  /** What the provider failed with; null for the other kinds. */
  readonly failure: DecisionFailure | null

  constructor(kind: StopKind, message: string, failure: DecisionFailure | null = null, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.failure = failure
  }
}

/**
 * Answers from the log what was asked before, and asks the model once for what is missing, storing the outcome before
 * it is given. An answer from the log is the recorded outcome to the byte, so that a run that was stopped and taken
 * up again decides as one that was not.
 *
 * Stored is what the model said: decisions, and refusals, truncated and unreadable answers with their holds. An outage
 * is not the model's decision: then, and where the next question might not fit the budget, `decide` rejects with
 * {@link RecordingStopped}. This is the one decider that rejects; whoever drives it must end the run (a cycle turns
 * the error into a failed record, so look at `stopped` after each).
 *
 * Throws {@link UsageError} for a limit on cost where the model has no price.
 */
export function createRecordingDecider(options: RecordingDeciderOptions): RecordingDecider {
  const { decider, config, log, sample = 0, budget = createBudget() } = options
  if (budget.limits.maxCostUsd !== null && config.price === null) {
    throw new UsageError(
      `budget.maxCostUsd is ${budget.limits.maxCostUsd}, but decider.price is null: set decider.price to what ${config.model} costs per million tokens ({"inputPerMillion", "outputPerMillion"}), or limit tokens or questions instead`,
    )
  }
  if (!Number.isInteger(sample) || sample < 0)
    throw new UsageError(`sample is ${sample}: samples are counted 0, 1, 2...`)
  const identity = identityOf(config)
  let stopped: RecordingStopped | null = null
  let progress = { fromFile: 0, asked: 0 }

  function stop(
    kind: StopKind,
    problem: string,
    remedy: string,
    failure: DecisionFailure | null = null,
    cause?: unknown,
  ): RecordingStopped {
    const done = `${progress.asked} ${progress.asked === 1 ? 'question was' : 'questions were'} asked and stored in ${log.file}, ${progress.fromFile} answered from it`
    stopped ??= new RecordingStopped(
      kind,
      `recording stopped: ${problem}. ${done}. ${remedy}`,
      failure,
      cause === undefined ? undefined : { cause },
    )
    return stopped
  }

  async function decide(request: DecisionRequest): Promise<DecisionOutcome> {
    if (stopped !== null) throw stopped
    const question: RecordedQuestion = {
      ...identity,
      promptHash: promptHashOf(request.prompt),
      schemaHash: DECISION_SCHEMA_HASH,
      sample,
    }
    const key = recordingKeyOf(question)
    const known = await find(key)
    if (known !== undefined) {
      progress = { ...progress, fromFile: progress.fromFile + 1 }
      return known.outcome
    }
    const outcome = await ask(request)
    const stored = await store({ schemaVersion: 1, key, ...question, outcome })
    progress = { ...progress, asked: progress.asked + 1 }
    return stored.outcome
  }

  /** The file is looked at again before a question is paid for: somebody else may be recording into it. */
  async function find(key: string): Promise<Recording | undefined> {
    const known = log.find(key)
    if (known !== undefined) return known
    try {
      await log.refresh()
    } catch (error) {
      throw stopForFile('read', error)
    }
    return log.find(key)
  }

  async function ask(request: DecisionRequest): Promise<DecisionOutcome> {
    const { worst } = estimateQuestion(request.prompt, config)
    const reservation = budget.reserve(worst)
    if (!reservation.ok) {
      const remedy =
        budget.spent.questions === 0
          ? 'Not one question fits: raise the budget.'
          : 'The same command, with its budget anew, goes on from here.'
      throw stop('budget', reservation.problem, remedy)
    }
    let outcome: DecisionOutcome | null = null
    try {
      outcome = await decider.decide(request)
    } finally {
      reservation.settle(outcome === null ? null : usageOf(outcome, worst))
    }
    if (!isFromModel(outcome))
      throw stop(
        'provider',
        describeOutage(outcome),
        'Nothing was stored for this question; the same command goes on from here.',
        outcome.failure,
      )
    return outcome
  }

  async function store(recording: Recording): Promise<Recording> {
    try {
      return await log.append(Recording.parse(recording))
    } catch (error) {
      throw stopForFile('written', error)
    }
  }

  function stopForFile(verb: string, error: unknown): RecordingStopped {
    return stop(
      'file',
      `${log.file} could not be ${verb}: ${error instanceof Error ? error.message : String(error)}`,
      'Mend that; the same command goes on from here.',
      null,
      error,
    )
  }

  return {
    name: decider.name,
    asksModel: true,
    decide,
    get stopped() {
      return stopped
    },
    get progress() {
      return progress
    },
    get spent() {
      return budget.spent
    },
  }
}

/**
 * Whether an outcome is what the model said. Nothing at all, without text and without tokens, is what gateways send in
 * an outage.
 */
function isFromModel({ failure, attempts, usage }: DecisionOutcome): boolean {
  if (failure === null) return true
  if (!MODEL_FAILURES.some((kind) => kind === failure.kind)) return false
  return failure.kind !== 'empty' || usage.outputTokens > 0 || attempts.some(({ raw }) => raw !== null)
}

const describeOutage = ({ failure }: DecisionOutcome): string =>
  failure?.kind === 'empty'
    ? `the server answered with nothing in it (${failure.message})`
    : `${failure?.kind ?? 'no decision'}: ${failure?.message ?? ''}`

/**
 * What answers cost, usable or not: the worst case where the provider did not count their tokens; null where nobody
 * answered.
 */
function usageOf({ usage, attempts, failure }: DecisionOutcome, worst: ModelUsage): ModelUsage | null {
  const hasTokens = usage.inputTokens > 0 && usage.outputTokens > 0
  const isCounted = hasTokens && (worst.costUsd === null || usage.costUsd !== null)
  if (isCounted) return usage
  const isAnswered = hasTokens || failure?.kind === 'refusal' || attempts.some(({ raw }) => raw !== null)
  return isAnswered ? worst : null
}
