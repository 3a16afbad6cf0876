import path from 'node:path'
import { apiKeyIn } from '../compose/parse-environment.ts'
import { UsageError } from '../core/invariant.ts'
import { type Budget, createBudget } from '../decision/budget.ts'
import { createDecider } from '../decision/create-decider.ts'
import type { Decider } from '../decision/decider.ts'
import { estimateQuestion } from '../decision/estimate-question.ts'
import type { AnthropicConfig, OpenAiConfig } from '../decision/model-decider.ts'
import { createRecordingDecider } from '../decision/recording-decider.ts'
import { openRecordingLog, type RecordingLog } from '../decision/recording-log.ts'
import { makeWritable } from '../store/make-writable.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { DeciderConfig } from '../../schemas/strategy-config.ts'
import { amount } from './format.ts'
import type { Io } from './io.ts'

/** How a model's answers are kept, and how much may be spent on new ones. */
export type RecordOptions = {
  record: boolean
  dataDir: string
  recordings?: string | undefined
  budget?: number | undefined
  budgetTokens?: number | undefined
  budgetQuestions?: number | undefined
}

/** Where nothing is said: as much as a person would not mind losing to a typing error. */
const DEFAULT_BUDGET_USD = 5
const DEFAULT_BUDGET_TOKENS = 2_000_000

export type OpenDecider = { decider: Decider; close(): Promise<void> }

/**
 * One purse for all that a command asks. Throws {@link UsageError} where a limit makes no sense, or nobody is asked
 * whose answers could be kept.
 */
export function openBudget(
  configs: readonly DeciderConfig[],
  { record, budget, budgetTokens, budgetQuestions }: RecordOptions,
): Budget {
  if (record && !configs.some(isModel))
    throw new UsageError(
      `--record keeps a model's answers, but decider.kind is ${configs.map(({ kind }) => `"${kind}"`).join(' and ')}: choose --decider openai or anthropic, or leave --record out`,
    )
  const isPriced = configs.every((config) => !isModel(config) || config.price !== null)
  const isSaid = budget !== undefined || budgetTokens !== undefined || budgetQuestions !== undefined
  return createBudget({
    maxCostUsd: budget ?? (isSaid || !isPriced ? null : DEFAULT_BUDGET_USD),
    maxTokens: budgetTokens ?? (isSaid || isPriced ? null : DEFAULT_BUDGET_TOKENS),
    maxQuestions: budgetQuestions ?? null,
  })
}

export const isModel = (config: DeciderConfig): config is OpenAiConfig | AnthropicConfig =>
  config.kind === 'openai' || config.kind === 'anthropic'

/**
 * The configured decider for a walk through `slots` slots of history. With `record` a model's answers are kept in a
 * file and asked for once; what it may cost is told on stderr before the first question.
 */
export async function openDecider(
  config: DeciderConfig,
  options: RecordOptions & { slots: number; sample?: number; purse: Budget },
  environment: Environment,
  io: Io,
): Promise<OpenDecider> {
  const apiKey = isModel(config) ? apiKeyIn(environment, config.kind) : undefined
  const decider = await createDecider({ config, clock: io.clock, ...(apiKey === undefined ? {} : { apiKey }) })
  if (!isModel(config)) return { decider, close: async () => {} }
  if (!options.record)
    return { decider: announceCost(decider, config, { ...options, io, log: null }), close: async () => {} }
  const file = options.recordings ?? path.join(options.dataDir, 'recordings', `${config.kind}.jsonl`)
  makeWritable(path.dirname(file), options.recordings === undefined ? '--data-dir' : '--recordings')
  const log = await openRecordingLog(file, { onNotice: (message) => io.stderr(`${message}\n`) })
  try {
    const recording = createRecordingDecider({
      decider,
      config,
      log,
      budget: options.purse,
      ...(options.sample === undefined ? {} : { sample: options.sample }),
    })
    return { decider: announceCost(recording, config, { ...options, io, log }), close: () => log.close() }
  } catch (error) {
    await log.close()
    throw error
  }
}

/** Says what the run may cost before the first question is put. */
function announceCost(
  decider: Decider,
  config: OpenAiConfig | AnthropicConfig,
  { slots, purse, io, log }: { slots: number; purse: Budget; io: Io; log: RecordingLog | null },
): Decider {
  let isSaid = false
  return {
    ...decider,
    get stopped() {
      return decider.stopped ?? null
    },
    decide(request) {
      if (!isSaid) {
        isSaid = true
        const { typical, worst } = estimateQuestion(request.prompt, config)
        const cost = (usd: number | null): string =>
          usd === null ? 'an unknown price (decider.price)' : `$${amount(usd * slots, 2)}`
        const { maxCostUsd, maxTokens, maxQuestions } = purse.limits
        const limits = [
          maxCostUsd === null ? '' : `$${maxCostUsd}`,
          maxTokens === null ? '' : `${amount(maxTokens, 0)} tokens`,
          maxQuestions === null ? '' : `${maxQuestions} questions`,
        ].filter((text) => text !== '')
        const keeps =
          log === null
            ? 'answers are not kept (--record keeps them)'
            : `answers are kept in ${log.file} and asked for once; the budget of ${limits.length === 0 ? 'no limit' : limits.join(' and ')} stops it cleanly`
        io.stderr(
          `${config.model}: up to ${amount(slots, 0)} questions of about ${amount(typical.inputTokens, 0)} tokens, about ${cost(typical.costUsd)} in all and at most ${cost(worst.costUsd)}; ${keeps}\n`,
        )
      }
      return decider.decide(request)
    },
  }
}
