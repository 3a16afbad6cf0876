import type { ModelReply } from './model-client.ts'
import type { ErrorWords } from './error-words.ts'

/** The parts of a request that servers take in different forms or not at all. */
export type RequestShape = {
  readonly format: 'json_schema' | 'json_object' | 'plain'
  readonly limitName: 'max_tokens' | 'max_completion_tokens'
  readonly hasTemperature: boolean
  /** Whether the system text has a role of its own, or stands before the question. */
  readonly hasSystemRole: boolean
}

type Adapted = Extract<ModelReply, { kind: 'adapted' }>
type Refusal = Pick<ErrorWords, 'message' | 'param' | 'code'> & { readonly status: number }

/** What one server takes. Learned from its refusals. */
export type ShapeMemory = {
  readonly shape: RequestShape
  /**
   * Leaves out or says otherwise what the refusal is about; null where it is about something else, or nothing is left
   * to try.
   */
  adapt(refusal: Refusal): Adapted | null
  /** The server has answered: what was tried on suspicion is kept. */
  confirm(): void
  /** The server has failed: what was tried on suspicion was not the cause. */
  revert(): void
}

/** Servers met in this process: each invocation of a function makes its decider anew. */
const met = new Map<string, { shape: RequestShape; isLimitSwapped: boolean }>()

const FORMAT_WORDS =
  /response[_ .]?(?:format|schema|mime)|json[_ -]?(?:schema|mode|object)|structured[_ -]?output|guided|grammar|schema|output_?(?:config|format)|constrained/i
const SYSTEM_WORDS =
  /messages\[0\]|system[_ ](?:role|message|prompt|instruction)|role[^.]{0,40}system|['"`]system['"`]|developer instruction|roles must alternate/i
/** The value of the limit is refused, not its name. */
const LIMIT_VALUE = /too large|at most|less than or equal|<=|exceed|maximum (?:value|context)|greater than/i
/** Refusals that are about something else than the request's shape. */
const OTHER_CAUSE =
  /(?:model|deployment)[^.]{0,40}(?:not (?:found|exist)|does ?n[o']t exist|unknown|unavailable|not available|no access)|(?:unknown|invalid|no such|unsupported) model|model_not_found|context[_ ](?:length|window)|maximum context|too (?:long|many tokens)|api[_ -]?key|authenti|billing|credit|quota|balance|content[_ ](?:policy|filter)|safety|moderation/i

/** What a provider's requests can be. */
export type ShapeChoices = {
  readonly initial: RequestShape
  /** Best first. */
  readonly formats: readonly RequestShape['format'][]
  /** Whether the token limit has a second name. */
  readonly hasLimitNames: boolean
}

/** The memory of the server and model called `server`. */
export function recallShape(server: string, { initial, formats, hasLimitNames }: ShapeChoices): ShapeMemory {
  const known = met.get(server) ?? { shape: initial, isLimitSwapped: !hasLimitNames }
  met.set(server, known)
  let suspected: RequestShape | null = null

  const take = (change: Partial<RequestShape>, words: string, problem: string): Adapted => {
    known.shape = { ...known.shape, ...change }
    return { kind: 'adapted', problem, change: words }
  }

  function stepDown(refusal: Refusal, isNamed: boolean): Adapted | null {
    const next = formats[formats.indexOf(known.shape.format) + 1]
    if (next === undefined) return null
    if (!isNamed) suspected ??= known.shape
    const given = known.shape.format === 'json_schema' ? 'a JSON schema' : 'the format json_object'
    const change = next === 'plain' ? 'asked without a format' : `asked with the format ${next}`
    const verb = isNamed ? 'does not take' : 'may not take'
    return take({ format: next }, change, `the server ${verb} ${given}, ${change}: ${refusal.message}`)
  }

  function adapt(refusal: Refusal): Adapted | null {
    const { status, message, param } = refusal
    const words = `${param} ${message}`
    const { shape } = known
    const isFormat = FORMAT_WORDS.test(words)
    // Some servers refuse a format with a status of their own.
    if (status !== 400 && status !== 422)
      return isFormat && [404, 405, 415, 500, 501].includes(status) ? stepDown(refusal, true) : null
    if (shape.hasTemperature && /temperature/i.test(words))
      return take(
        { hasTemperature: false },
        'asked without a temperature',
        `the server takes no temperature: ${message}`,
      )
    if (!known.isLimitSwapped && words.includes(shape.limitName) && !LIMIT_VALUE.test(message)) {
      known.isLimitSwapped = true
      const limitName = shape.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
      const change = `asked with ${limitName}`
      return take({ limitName }, change, `the server names the token limit otherwise, ${change}: ${message}`)
    }
    if (words.includes('max_tokens') || words.includes('max_completion_tokens')) return null
    if (isFormat) return stepDown(refusal, true)
    if (shape.hasSystemRole && SYSTEM_WORDS.test(words)) {
      const change = 'asked with the system text before the question'
      return take({ hasSystemRole: false }, change, `the server takes no system role, ${change}: ${message}`)
    }
    return OTHER_CAUSE.test(`${refusal.code} ${words}`) ? null : stepDown(refusal, false)
  }

  return {
    get shape() {
      return known.shape
    },
    adapt,
    confirm() {
      suspected = null
    },
    revert() {
      if (suspected !== null) known.shape = suspected
      suspected = null
    },
  }
}
