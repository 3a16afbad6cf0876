import { z } from 'zod'
import { Decision, DecisionWire } from '../../schemas/decision.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { extractObjects } from './extract-json.ts'

export type ParseFailureKind = 'empty' | 'truncated' | 'bad_json' | 'bad_schema'

export type ParsedDecision =
  | { readonly ok: true; readonly decision: Decision }
  | { readonly ok: false; readonly kind: ParseFailureKind; readonly problem: string }

/** Longer than any sensible answer with its reasoning; beyond it the text is not read, nor kept whole. */
export const MAX_ANSWER_CHARACTERS = 20_000

/** No price is this large; a number beyond it is a slip of the model, not a level. */
const MAX_LEVEL = 1e12

const WIRE_KEYS: readonly string[] = Object.keys(DecisionWire.shape)

/** What may be left out of an answer as well as null: providers without structured outputs omit it. */
const NOTHING_SAID = { stopLossPrice: null, takeProfitPrice: null, confidence: null, invalidation: null }

/**
 * A model's answer as a {@link Decision}. Tolerant about packaging (fences, prose around one object, keys that
 * do not apply left out), strict about content: one object, known keys, right types, finite numbers. Entry
 * fields given with `hold` or `close` are ignored. Never throws; `problem` says what to mend, in words that are
 * shown to the model in a repair. Whether stop and target stand on the right sides is the guard's to say.
 */
export function parseDecision(raw: string): ParsedDecision {
  if (raw.trim() === '') return { ok: false, kind: 'empty', problem: 'the answer is empty' }
  if (raw.length > MAX_ANSWER_CHARACTERS) {
    return {
      ok: false,
      kind: 'bad_json',
      problem: `the answer is ${raw.length} characters long; at most ${MAX_ANSWER_CHARACTERS} are read`,
    }
  }
  if (raw.trimStart().startsWith('['))
    return {
      ok: false,
      kind: 'bad_schema',
      problem: 'expected one JSON object, got a list; answer with the object alone',
    }
  const found = extractObjects(raw)
  if (!found.ok) return found
  const [first, ...others] = found.objects
  if (first === undefined) return { ok: false, kind: 'bad_json', problem: 'there is no JSON object in the answer' }
  const form = canonicalJson(first.value)
  if (others.some((other) => canonicalJson(other.value) !== form)) {
    return {
      ok: false,
      kind: 'bad_schema',
      problem: `expected one JSON object, got ${found.objects.length} different ones`,
    }
  }
  return readObject(first.value, first.keys)
}

/** The one object of an answer, checked key by key. */
function readObject(value: Record<string, unknown>, keys: readonly string[]): ParsedDecision {
  const unknown = keys.filter((key) => !WIRE_KEYS.includes(key))
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 40)))
    return reject(
      `unknown ${names.length === 1 ? 'key' : 'keys'} ${names.join(', ')}; allowed are ${WIRE_KEYS.join(', ')}`,
    )
  }
  const wire = DecisionWire.safeParse({ ...NOTHING_SAID, ...value })
  if (!wire.success) return reject(describe(wire.error, value))
  const decision = Decision.safeParse(narrow(wire.data))
  if (!decision.success) return reject(describe(decision.error, value))
  const huge = Object.entries(decision.data).find(([, member]) => typeof member === 'number' && member > MAX_LEVEL)
  if (huge !== undefined)
    return reject(`${huge[0]}: ${huge[1]} is not a plausible price; expected an absolute price in the quote currency`)
  return { ok: true, decision: decision.data }
}

/** Keeps of the flat form what its action speaks of. */
function narrow(wire: DecisionWire): unknown {
  return wire.action === 'open_long' || wire.action === 'open_short'
    ? wire
    : { action: wire.action, rationale: wire.rationale }
}

const reject = (problem: string): ParsedDecision => ({ ok: false, kind: 'bad_schema', problem })

/** Every complaint with its field and, where it helps, the value that was given. */
function describe(error: z.ZodError, value: Record<string, unknown>): string {
  return error.issues
    .slice(0, 6)
    .map((issue) => {
      const field = String(issue.path[0] ?? 'answer')
      return `${field}: ${complaint(issue, field, value[field])}`
    })
    .join('; ')
}

function complaint(issue: z.core.$ZodIssue, field: string, given: unknown): string {
  const shown = show(given)
  if (field === 'action') return `expected one of ${DecisionWire.shape.action.options.join(', ')}, got ${shown}`
  if (given === undefined || given === null)
    return `is ${given === null ? 'null' : 'missing'}, but this action requires it`
  if (typeof given === 'string' && issue.code === 'invalid_type')
    return `expected a number, got the text ${shown}; write a plain number without quotes or thousands separators`
  return `${issue.message} (got ${shown})`
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

/**
 * The JSON schema of an answer for providers' structured outputs, made from {@link DecisionWire}: one flat object,
 * no further keys, every key required, nullable as `anyOf`. It has no bounds or formats, which strict modes
 * refuse; {@link parseDecision} checks those.
 */
export function decisionJsonSchema(): Record<string, unknown> {
  const { $schema: _dialect, properties = {}, ...schema } = z.toJSONSchema(DecisionWire)
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, spellOutNull(property)])),
  }
}

/** A list of types is valid JSON Schema, but not every provider's strict mode takes it. */
function spellOutNull(property: unknown): unknown {
  const { type, ...rest } = z.looseObject({ type: z.unknown().optional() }).parse(property)
  return Array.isArray(type) ? { ...rest, anyOf: type.map((one: unknown) => ({ type: one })) } : property
}
