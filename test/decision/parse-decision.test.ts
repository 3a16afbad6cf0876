import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decisionJsonSchema, parseDecision } from '../../lib/decision/parse-decision.ts'
import { Decision, DecisionWire } from '../../schemas/decision.ts'
import { anyCharacter } from '../support/any-character.ts'

const RECORDED_ANSWERS = path.resolve(
  import.meta.dirname,
  '../../../shared/data/llm/deepseek-perps-decisions-20251108-20251111.jsonl.gz',
)

const LONG = {
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_100.5,
  confidence: 0.6,
  invalidation: 'Close below 1960.',
  rationale: 'Trend up.',
}
const NOTHING = { stopLossPrice: null, takeProfitPrice: null, confidence: null, invalidation: null }
const json = JSON.stringify

const words = (max: number) =>
  fc
    .string({ minLength: 1, maxLength: max, unit: 'grapheme' })
    .filter((text) => text.trim() !== '' && text.trim().length <= max)
const level = fc.double({ min: 1e-9, max: 1e12, noNaN: true })
const entry = fc.record({
  action: fc.constantFrom('open_long', 'open_short'),
  stopLossPrice: level,
  takeProfitPrice: level,
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  invalidation: words(60),
  rationale: words(60),
})
const idle = fc.record({ action: fc.constantFrom('close', 'hold'), rationale: words(60) })
/** Every decision there is. */
const decision = fc.oneof(entry, idle)

/** The wire form of a decision: what does not apply is null. */
const toWire = (value: object) => ({ ...NOTHING, ...value })

const packaging = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => `  \n${text}\n `,
  (text) => `\`\`\`json\n${text}\n\`\`\``,
  (text) => `\`\`\`\n${text}\n\`\`\`\nThat is all.`,
  (text) => `My decision {as asked} follows: ${text} Good luck!`,
  (text) => `<think>{"action":"close","rationale":"no"} or rather {</think>${text}`,
  (text) => `${text}\n\nAgain: ${text}`,
)

/** What it accepts is a decision by the strict schema, and no number in it is beyond reason. */
const holds = (raw: string): void => {
  const parsed = parseDecision(raw)
  if (!parsed.ok) {
    expect(parsed.problem).not.toBe('')
    return
  }
  expect(Decision.parse(parsed.decision)).toEqual(parsed.decision)
  for (const value of Object.values(parsed.decision))
    if (typeof value === 'number') expect(value).toBeLessThanOrEqual(1e12)
}

describe('parseDecision', () => {
  test('round trip: every decision comes back from its wire form, however it is packed', () => {
    fc.assert(
      fc.property(decision, packaging, fc.boolean(), (value, pack, isIndented) => {
        const expected = Decision.parse(value)
        const body = JSON.stringify(toWire(value), null, isIndented ? 2 : 0)
        expect(parseDecision(pack(body))).toEqual({ ok: true, decision: expected, notes: [] })
        expect(parseDecision(pack(json(value)))).toEqual({ ok: true, decision: expected, notes: [] })
      }),
      { seed: 11, numRuns: 300 },
    )
  })

  test('fields that do not apply to hold and close are ignored', () => {
    fc.assert(
      fc.property(entry, fc.constantFrom('hold', 'close'), (value, action) => {
        expect(parseDecision(json({ ...value, action }))).toEqual({
          ok: true,
          decision: { action, rationale: value.rationale.trim() },
          notes: [],
        })
      }),
      { seed: 12, numRuns: 100 },
    )
  })

  test('never throws on any text, and accepts only decisions', () => {
    const punctuation = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        '\\',
        ':',
        ',',
        ' ',
        'a',
        '1',
        '```',
        '<think>',
        '</think>',
        '"action"',
        '"hold"',
        '\u2028',
        '\ud800',
      ),
      maxLength: 60,
    })
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter, maxLength: 200 }), fc.json({ maxDepth: 4 }), punctuation),
        holds,
      ),
      { seed: 13, numRuns: 3_000 },
    )
  })

  test('never throws on mutated answers, and accepts only decisions', () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(null, true, '', '1,960.5', 'hold', -1, 0, 1e13, 1e300, [], {}, [LONG]),
      fc.double(),
      fc.string(),
    )
    const keys = fc.constantFrom(...Object.keys(LONG), '__proto__', 'constructor', 'leverage')
    const changed = fc
      .tuple(decision, fc.array(fc.tuple(keys, value), { maxLength: 3 }))
      .map(([base, changes]) => json(Object.fromEntries([...Object.entries(toWire(base)), ...changes])))
    const cut = fc.tuple(changed, fc.nat(), fc.nat(4), fc.string({ maxLength: 3 })).map(([text, at, length, put]) => {
      const start = at % (text.length + 1)
      return text.slice(0, start) + put + text.slice(start + length)
    })
    fc.assert(fc.property(fc.oneof(changed, cut), holds), { seed: 14, numRuns: 3_000 })
  })

  test('no prefix of an answer is accepted', () => {
    fc.assert(
      fc.property(decision, fc.nat(), (value, at) => {
        const body = json(toWire(value))
        expect(parseDecision(body.slice(0, at % body.length)).ok).toBe(false)
      }),
      { seed: 15, numRuns: 300 },
    )
  })

  test('any key that is not of the answer is refused in an entry', () => {
    fc.assert(
      fc.property(entry, fc.string({ minLength: 1 }), (value, key) => {
        fc.pre(!Object.keys(DecisionWire.shape).includes(key))
        const body = `{${json(key)}:1,${json(toWire(value)).slice(1)}`
        expect(parseDecision(body)).toMatchObject({
          ok: false,
          kind: 'bad_schema',
          problem: expect.stringContaining('unknown key'),
        })
      }),
      { seed: 16, numRuns: 200 },
    )
  })

  test.each([
    ['', 'empty', /empty/],
    ['  \n', 'empty', /empty/],
    ['I would wait.', 'bad_json', /no JSON object/],
    ['{"action": "hold", "rationale": "cut', 'truncated', /cut off/],
    ['{"action": "hold", "rationale": "x"', 'truncated', /cut off/],
    ['{action: "hold", rationale: "x"}', 'bad_json', /not valid JSON/],
    ['{"action": "hold", "rationale": "x",}', 'bad_json', /comma before a closing/],
    [json(LONG).replace('1960,', 'NaN,'), 'bad_json', /NaN and Infinity/],
    [json(LONG).replace('1960,', '-Infinity,'), 'bad_json', /NaN and Infinity/],
    [json(LONG).replace('1960,', '1,960,'), 'bad_json', /thousands separators/],
    [json(LONG).replace('1960,', '1e400,'), 'bad_schema', /stopLossPrice/],
    [
      json({ ...LONG, stopLossPrice: '1,960' }),
      'bad_schema',
      /stopLossPrice: expected a number, got the text "1,960"; write a plain number without quotes or thousands separators/,
    ],
    [json({ ...LONG, confidence: '0.5' }), 'bad_schema', /confidence: expected a number, got the text "0.5"/],
    [json({ ...LONG, confidence: 82 }), 'bad_schema', /confidence: .*82/],
    [json({ ...LONG, confidence: true }), 'bad_schema', /confidence: .*true/],
    [json({ ...LONG, takeProfitPrice: 1e15 }), 'bad_schema', /takeProfitPrice: .*not a plausible price/],
    [json({ ...LONG, stopLossPrice: 0 }), 'bad_schema', /stopLossPrice/],
    [
      json({ ...LONG, stopLossPrice: null, invalidation: null }),
      'bad_schema',
      /stopLossPrice: is null, but this action requires it; invalidation: is null/,
    ],
    [
      json({ action: 'open_long', rationale: 'x' }),
      'bad_schema',
      /stopLossPrice: is missing.*takeProfitPrice.*confidence.*invalidation/,
    ],
    [
      json({ ...LONG, action: 'buy' }),
      'bad_schema',
      /action: expected one of open_long, open_short, close, hold, got "buy"/,
    ],
    [json({ rationale: 'x' }), 'bad_schema', /action: expected one of/],
    [json({ ...LONG, rationale: '  ' }), 'bad_schema', /rationale/],
    [json({ ...LONG, leverage: 5 }), 'bad_schema', /unknown key "leverage"/],
    [json({ decision: LONG }), 'bad_schema', /unknown key "decision"/],
    [json([LONG]), 'bad_schema', /list/],
    [`Here: [${json(LONG)}]`, 'bad_schema', /list/],
    [`\`\`\`json\n[${json(LONG)}, ${json(LONG)}]\n\`\`\``, 'bad_schema', /list/],
    [`${json(LONG)} or ${json({ action: 'hold', rationale: 'x' })}`, 'bad_schema', /2 different ones/],
    [`${json(LONG)} or {"action": oops}`, 'bad_json', /not valid JSON/],
    [`${json(LONG)} or {"action": "hold"`, 'truncated', /cut off/],
    ['{"action":"hold","action":"open_long","rationale":"x"}', 'bad_json', /"action" appears more than once/],
    ['{"action":"hold","\\u0061ction":"open_long","rationale":"x"}', 'bad_json', /"action" appears more than once/],
    [`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'bad_json', /characters long/],
    [`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`, 'bad_schema', /nested/],
    ['x'.repeat(200_001), 'bad_json', /characters long/],
  ])('%.60s is refused as %s', (raw, kind, problem) => {
    expect(parseDecision(raw)).toEqual({ ok: false, kind, problem: expect.stringMatching(problem) })
  })

  test('a long hostile text is read in linear time', () => {
    const startedAt = performance.now()
    for (const piece of ['<think>', '{} ', '{"a":1} ', '{ ', '"', '[{'])
      parseDecision(piece.repeat(190_000 / piece.length))
    parseDecision(`{${Array.from({ length: 15_000 }, (_unused, index) => `"k${index}":1`).join(',')}}`)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  test.skipIf(!existsSync(RECORDED_ANSWERS))(
    'never throws on answers a model really gave (skipped where ../shared/data is absent)',
    () => {
      const lines = gunzipSync(readFileSync(RECORDED_ANSWERS)).toString('utf8').trim().split('\n')
      const Answer = z.looseObject({ decision_json: z.string(), cot_trace: z.string() })
      const outcomes = lines
        .map((line) => Answer.parse(JSON.parse(line)))
        .flatMap((answer) => [
          parseDecision(answer.decision_json),
          parseDecision(`${answer.cot_trace}\n${answer.decision_json}`),
        ])
      expect(outcomes.length).toBe(2 * 720)
      // Lists in another schema, all of them: none may pass for a decision of ours.
      expect(outcomes.filter((outcome) => outcome.ok)).toEqual([])
    },
  )
})

describe('decisionJsonSchema', () => {
  test('is the strict subset: no further keys, every key required, nullable by anyOf, no bounds', () => {
    const schema = decisionJsonSchema()
    const allowed = new Set(['type', 'properties', 'required', 'additionalProperties', 'enum', 'anyOf'])
    const check = (node: unknown): void => {
      const object = z.record(z.string(), z.unknown()).parse(node)
      for (const key of Object.keys(object)) expect(allowed).toContain(key)
      if ('type' in object) expect(typeof object.type).toBe('string')
      for (const branch of z.array(z.unknown()).catch([]).parse(object.anyOf)) check(branch)
      for (const property of Object.values(z.record(z.string(), z.unknown()).catch({}).parse(object.properties)))
        check(property)
    }
    check(schema)
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: Object.keys(DecisionWire.shape),
    })
    expect(schema).toHaveProperty('properties.stopLossPrice', { anyOf: [{ type: 'number' }, { type: 'null' }] })
  })
})
