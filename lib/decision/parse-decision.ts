import { z } from 'zod'
import {
  Decision,
  DecisionWire,
  MAX_INVALIDATION_CHARACTERS,
  MAX_RATIONALE_CHARACTERS,
} from '../../schemas/decision.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { objectionToEntry, objectionToIdle } from './contradiction.ts'
import { extractObjects, type FoundObject } from './extract-json.ts'
import { finalAnswerOf, hasReasoning } from './final-answer.ts'

export type ParseFailureKind = 'empty' | 'truncated' | 'bad_json' | 'bad_schema'

export type ParsedDecision =
  /** `notes`: what was not taken as it was, such as a text that was cut. */
  | { readonly ok: true; readonly decision: Decision; readonly notes: readonly string[] }
  | { readonly ok: false; readonly kind: ParseFailureKind; readonly problem: string }

/** Longer than any sensible answer; beyond it an entry is not read. Reasoning before it does not count. */
export const MAX_ANSWER_CHARACTERS = 20_000

/** The object of a close or a hold alone is read up to this length: its texts are cut, not refused. */
const MAX_WHOLE_CHARACTERS = 1_000_000

/** No price is this large; a number beyond it is a slip of the model, not a level. */
const MAX_LEVEL = 1e12

const WIRE_KEYS: readonly string[] = Object.keys(DecisionWire.shape)

/** What may be left out of an answer as well as null: providers without structured outputs omit it. */
const NOTHING_SAID = { stopLossPrice: null, takeProfitPrice: null, confidence: null, invalidation: null }

const NO_RATIONALE = 'No rationale was given.'

/**
 * A model's answer as a {@link Decision}. Reasoning is no answer and is cut off first. Then strictness protects
 * entries: one object, whole but for a fence and a little harmless text, known keys, right types, finite numbers. A
 * close or a hold needs its action alone: what else the object holds is cut, left out or ignored, and noted.
 *
 * Never throws; `problem` says what to mend, in words that are shown to the model in a repair. Whether stop and target
 * stand on the right sides is the guard's to say.
 */
export function parseDecision(raw: string): ParsedDecision {
  if (raw.trim() === '') return { ok: false, kind: 'empty', problem: 'the answer is empty' }
  // Where the whole text is one object, tags in it are words.
  const whole = parseWhole(raw)
  if (whole !== null) return whole
  const answer = finalAnswerOf(raw)
  if (!answer.ok) return answer
  const { text } = answer
  if (text.length > MAX_ANSWER_CHARACTERS) {
    return {
      ok: false,
      kind: 'bad_json',
      problem: `the answer is ${text.length} characters long; at most ${MAX_ANSWER_CHARACTERS} are read`,
    }
  }
  return readAnswer(text)
}

/** A text that is nothing but the object of a close or a hold; null for every other. */
function parseWhole(raw: string): ParsedDecision | null {
  const text = raw.trim()
  if (text.length > MAX_WHOLE_CHARACTERS || !text.startsWith('{') || !text.endsWith('}')) return null
  const found = extractObjects(text)
  const only = found.ok && found.prose === '' && found.objects.length === 1 ? found.objects[0] : undefined
  return only === undefined || idleActionOf(only.value) === null ? null : readObject(only, '')
}

function readAnswer(text: string): ParsedDecision {
  if (text.startsWith('[')) return reject('expected one JSON object, got a list; answer with the object alone')
  const found = extractObjects(text)
  if (!found.ok) return found
  const [first, ...others] = found.objects
  if (first === undefined) return { ok: false, kind: 'bad_json', problem: 'there is no JSON object in the answer' }
  const form = canonicalJson(first.value)
  const idle = idleActionOf(first.value)
  // Said twice in other words: words do not decide over an action.
  if (idle !== null && others.every((other) => idleActionOf(other.value) === idle))
    return readObject(found.objects.find(({ repeated }) => repeated !== undefined) ?? first, found.prose)
  if (others.some((other) => canonicalJson(other.value) !== form))
    return reject(`expected one JSON object, got ${found.objects.length} different ones`)
  if (found.broken !== null)
    return { ok: false, kind: 'bad_json', problem: `beside the JSON object stands a broken one: ${found.broken}` }
  const repeating = found.objects.find(({ repeated }) => repeated !== undefined) ?? first
  return readObject(repeating, found.prose)
}

/** The one object of an answer, checked key by key, and the text around it. */
function readObject(object: FoundObject, prose: string): ParsedDecision {
  const action = idleActionOf(object.value)
  return action === null ? readEntry(object, prose) : readIdle(object, action, prose)
}

/** The action of a close or a hold, in any case; null for any other. */
function idleActionOf({ action }: Record<string, unknown>): 'close' | 'hold' | null {
  const word = typeof action === 'string' ? action.trim().toLowerCase() : ''
  return word === 'close' || word === 'hold' ? word : null
}

function readIdle({ value, keys, repeated }: FoundObject, action: 'close' | 'hold', prose: string): ParsedDecision {
  if (keys.filter((key) => key === 'action').length > 1)
    return { ok: false, kind: 'bad_json', problem: 'the key "action" appears more than once' }
  const objection = objectionToIdle(prose, action)
  if (objection !== null) return reject(`${objection}; answer with the object alone`)
  const given = typeof value.rationale === 'string' ? value.rationale.trim() : ''
  const rationale = cut('rationale', given === '' ? NO_RATIONALE : given, MAX_RATIONALE_CHARACTERS)
  const extra = unknownKeys(keys)
  return {
    ok: true,
    decision: { action, rationale: rationale.text },
    notes: [
      ...(given === '' ? ['no rationale was given'] : rationale.notes),
      ...(extra === null ? [] : [`${extra} ignored`]),
      ...(repeated === undefined ? [] : [`the key ${JSON.stringify(repeated)} appears more than once`]),
    ],
  }
}

function readEntry({ value, keys, repeated, source }: FoundObject, prose: string): ParsedDecision {
  if (repeated !== undefined)
    return { ok: false, kind: 'bad_json', problem: `the key ${JSON.stringify(repeated)} appears more than once` }
  const unknown = unknownKeys(keys)
  if (unknown !== null) return reject(`${unknown}; allowed are ${WIRE_KEYS.join(', ')}`)
  const wire = DecisionWire.safeParse({ ...NOTHING_SAID, ...value })
  if (!wire.success) return reject(describe(wire.error, value))
  const rationale = cut('rationale', wire.data.rationale, MAX_RATIONALE_CHARACTERS)
  const invalidation = cut('invalidation', wire.data.invalidation ?? '', MAX_INVALIDATION_CHARACTERS)
  const entry = { ...wire.data, rationale: rationale.text, invalidation: invalidation.text }
  const decision = Decision.safeParse(wire.data.invalidation === null ? { ...entry, invalidation: null } : entry)
  if (!decision.success) return reject(describe(decision.error, value))
  const huge = Object.entries(decision.data).find(([, member]) => typeof member === 'number' && member > MAX_LEVEL)
  if (huge !== undefined)
    return reject(`${huge[0]}: ${huge[1]} is not a plausible price; expected an absolute price in the quote currency`)
  const objection = hasReasoning(source) ? 'reasoning stands inside the JSON object' : objectionToEntry(prose)
  if (objection !== null) return reject(`${objection}; answer with the object alone`)
  return { ok: true, decision: decision.data, notes: [...rationale.notes, ...invalidation.notes] }
}

/** A text at most `most` characters long, never half a character, and what was cut off. */
function cut(field: string, given: string, most: number): { text: string; notes: string[] } {
  const text = given.trim()
  if (text.length <= most) return { text, notes: [] }
  return {
    text: `${text
      .slice(0, most - 1)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd()}…`,
    notes: [`${field} cut from ${text.length} to ${most} characters`],
  }
}

function unknownKeys(keys: readonly string[]): string | null {
  const unknown = keys.filter((key) => !WIRE_KEYS.includes(key))
  if (unknown.length === 0) return null
  const names = unknown.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 40)))
  return `unknown ${names.length === 1 ? 'key' : 'keys'} ${names.join(', ')}`
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
