import { z } from 'zod'
import { Fraction } from './primitives.ts'

/** Longer texts are cut. */
export const MAX_RATIONALE_CHARACTERS = 800
export const MAX_INVALIDATION_CHARACTERS = 400

const words = (max: number) => z.string().trim().min(1).max(max)
const level = z.number().positive().finite()

const entry = {
  /** Price at which the thesis is wrong and the position is closed. */
  stopLossPrice: level,
  takeProfitPrice: level,
  /** How sure the decider is, in [0, 1]. Scales the size downward only. */
  confidence: Fraction,
  /** What would show that the thesis is wrong. */
  invalidation: words(MAX_INVALIDATION_CHARACTERS),
  rationale: words(MAX_RATIONALE_CHARACTERS),
}

export const OpenLong = z.strictObject({ action: z.literal('open_long'), ...entry })
export const OpenShort = z.strictObject({ action: z.literal('open_short'), ...entry })
export const Close = z.strictObject({ action: z.literal('close'), rationale: words(MAX_RATIONALE_CHARACTERS) })
export const Hold = z.strictObject({ action: z.literal('hold'), rationale: words(MAX_RATIONALE_CHARACTERS) })

/** The one answer a decider gives. Size and leverage are not in it: they belong to code. */
export const Decision = z.discriminatedUnion('action', [OpenLong, OpenShort, Close, Hold])
export type Decision = z.infer<typeof Decision>
export type EntryDecision = z.infer<typeof OpenLong> | z.infer<typeof OpenShort>

export const isEntry = (decision: Decision): decision is EntryDecision =>
  decision.action === 'open_long' || decision.action === 'open_short'

/**
 * The same answer as the providers' strict structured outputs accept it: one flat object, every key
 * required, what does not apply null. It is parsed again into {@link Decision}.
 */
export const DecisionWire = z.strictObject({
  action: z.enum(['open_long', 'open_short', 'close', 'hold']),
  stopLossPrice: z.number().nullable(),
  takeProfitPrice: z.number().nullable(),
  confidence: z.number().nullable(),
  invalidation: z.string().nullable(),
  rationale: z.string(),
})
export type DecisionWire = z.infer<typeof DecisionWire>

/** Tokens and money one question cost. */
export const ModelUsage = z.strictObject({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  /** US dollars by the price table in the configuration; null where the model has no price. */
  costUsd: z.number().nonnegative().nullable(),
})
export type ModelUsage = z.infer<typeof ModelUsage>

/**
 * Why a decider gave no decision. `insufficient_data` is only read: releases before 2026-12 wrote it for a hold while
 * indicators warm up.
 */
export const DecisionFailure = z.strictObject({
  kind: z.enum([
    'refusal',
    'truncated',
    'timeout',
    'network',
    'rate_limited',
    'unauthorized',
    'bad_request',
    'not_found',
    'server_error',
    /** The answer ended otherwise than a whole one does. */
    'incomplete',
    /** The server read far less of the question than was sent. */
    'prompt_cut',
    'empty',
    'bad_json',
    'bad_schema',
    'budget',
    'missing_recording',
    'internal',
    'insufficient_data',
  ]),
  message: z.string(),
})
export type DecisionFailure = z.infer<typeof DecisionFailure>

/** One exchange with a model: what came back, and what was wrong with it if anything. */
export const ModelAttempt = z.strictObject({
  raw: z.string().nullable(),
  problem: z.string().nullable(),
  /** What of a usable answer was not taken as it was: a text that was cut, a key that was left out. */
  note: z.string().nullable().default(null),
})
export type ModelAttempt = z.infer<typeof ModelAttempt>

/**
 * A decision with its provenance. `failure` is set exactly when nothing was decided; the decision is then a hold that
 * nobody chose.
 */
export const DecisionOutcome = z.strictObject({
  decision: Decision,
  decider: z.string(),
  /** Model identifier as the provider reports it; null for rules. */
  model: z.string().nullable(),
  failure: DecisionFailure.nullable(),
  attempts: z.array(ModelAttempt),
  usage: ModelUsage,
})
export type DecisionOutcome = z.infer<typeof DecisionOutcome>
