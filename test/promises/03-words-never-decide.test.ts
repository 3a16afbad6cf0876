import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDecision } from '../../lib/decision/parse-decision.ts'
import { Decision } from '../../schemas/decision.ts'
import { anyCharacter } from '../support/any-character.ts'

const ENTRY = {
  action: 'open_short',
  stopLossPrice: 2_040,
  takeProfitPrice: 1_900,
  confidence: 0.5,
  invalidation: 'Close above 2040.',
  rationale: 'Trend down.',
}

describe.each(['close', 'hold'] as const)('a valid %s', (action) => {
  test.each([
    ['without a rationale', {}, /no rationale/],
    ['with an empty rationale', { rationale: '' }, /no rationale/],
    ['with a blank rationale', { rationale: ' \n' }, /no rationale/],
    ['with null for a rationale', { rationale: null }, /no rationale/],
    ['with an object for a rationale', { rationale: { why: 'x' } }, /no rationale/],
    ['with a long rationale', { rationale: 'Because. '.repeat(300) }, /rationale cut from 2699 to 800 characters/],
    [
      'with keys we do not know',
      { rationale: 'x', reasoning: 'y', symbol: 'ETH' },
      /unknown keys "reasoning", "symbol" ignored/,
    ],
    [
      'with another action in such a key',
      { rationale: 'x', alternative: { action: 'open_long' } },
      /"alternative" ignored/,
    ],
    ['with levels of the wrong type', { rationale: 'x', stopLossPrice: '1,960', confidence: 'high' }, null],
  ])('%s stays one, and what was changed is noted', (_name, fields, note) => {
    const parsed = parseDecision(JSON.stringify({ action, ...fields }))
    expect(parsed).toMatchObject({ ok: true, decision: { action } })
    if (!parsed.ok) return
    expect(Decision.parse(parsed.decision)).toEqual(parsed.decision)
    expect(parsed.notes).toHaveLength(note === null ? 0 : 1)
    if (note !== null) expect(parsed.notes[0]).toMatch(note)
  })

  test.each([action.toUpperCase(), ` ${action} `, `${action[0]?.toUpperCase()}${action.slice(1)}`])(
    'spelled %j is one',
    (spelled) => {
      expect(parseDecision(JSON.stringify({ action: spelled, rationale: 'x' }))).toMatchObject({
        ok: true,
        decision: { action },
      })
    },
  )

  test('keeps its action whatever else the object holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 })), (fields) => {
        const parsed = parseDecision(JSON.stringify({ ...fields, action }))
        expect(parsed).toMatchObject({ ok: true, decision: { action } })
      }),
      { seed: 31, numRuns: 300 },
    )
  })

  test('keeps its action whatever its rationale says, also with tags of reasoning in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 2_000 }), (words) => {
        for (const rationale of [words, `</think>${words}`, `open_long ${words}<think>`])
          expect(parseDecision(JSON.stringify({ action, rationale }))).toMatchObject({ ok: true, decision: { action } })
      }),
      { seed: 32, numRuns: 200 },
    )
  })

  test('is cut however long its rationale is, and stands where it is said twice in other words', () => {
    const long = JSON.stringify({ action, rationale: 'Because. '.repeat(20_000), more: 'x'.repeat(50_000) })
    expect(parseDecision(long)).toMatchObject({ ok: true, decision: { action } })
    const twice = `{"action":"${action}","rationale":"a"}\n{"action":"${action}","rationale":"b","size":1}`
    expect(parseDecision(twice)).toMatchObject({ ok: true, decision: { action, rationale: 'a' } })
  })

  test('whose action stands in the object twice is repaired', () => {
    expect(parseDecision(`{"action":"open_long","action":"${action}","rationale":"x"}`).ok).toBe(false)
    expect(parseDecision(`{"rationale":"x","action":"${action}","rationale":"y"}`)).toMatchObject({
      ok: true,
      notes: [expect.stringContaining('"rationale" appears more than once')],
    })
  })
})

describe('an entry', () => {
  test('with texts that are too long is cut, and the cut is noted', () => {
    const parsed = parseDecision(
      JSON.stringify({ ...ENTRY, rationale: 'r'.repeat(900), invalidation: 'i'.repeat(401) }),
    )
    expect(parsed).toMatchObject({
      ok: true,
      decision: { ...ENTRY, rationale: `${'r'.repeat(799)}…`, invalidation: `${'i'.repeat(399)}…` },
      notes: ['rationale cut from 900 to 800 characters', 'invalidation cut from 401 to 400 characters'],
    })
  })

  test('is never cut within a character', () => {
    const parsed = parseDecision(JSON.stringify({ ...ENTRY, rationale: `${'r'.repeat(798)}😀😀` }))
    expect(parsed.ok && parsed.decision.rationale).toBe(`${'r'.repeat(798)}…`)
  })

  test.each(['rationale', 'invalidation', 'stopLossPrice', 'takeProfitPrice', 'confidence'])(
    'without %s is repaired',
    (field) => {
      for (const empty of [null, undefined, '', '  '])
        expect(parseDecision(JSON.stringify({ ...ENTRY, [field]: empty }))).toMatchObject({
          ok: false,
          problem: expect.stringContaining(field),
        })
    },
  )
})
