import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDecision } from '../../lib/decision/parse-decision.ts'

const ENTRY = {
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_100,
  confidence: 0.6,
  invalidation: 'Close below 1960.',
  rationale: 'Trend up.',
}
const draft = JSON.stringify(ENTRY)
const hold = '{"action": "hold", "rationale": "Thin edge."}'

/** How models and servers mark reasoning in a text: what stands before it, and after it. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ['<think>', '</think>'],
  ['', '</think>'],
  ['<THINK>', '</THINK>'],
  ['<Think>', '</think>'],
  ['< think >', '</ think >'],
  ['<think mode="deep">', '</think>'],
  ['<thinking>', '</thinking>'],
  ['', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<thoughts>', '</thoughts>'],
  ['<reasoning>', '</reasoning>'],
  ['<REASONING effort="high">', '</REASONING>'],
  ['<analysis>', '</analysis>'],
  ['<reflection>', '</reflection>'],
  ['<scratchpad>', '</scratchpad>'],
  ['<inner_monologue>', '</inner_monologue>'],
  ['<chain-of-thought>', '</chain-of-thought>'],
  ['<seed:think>', '</seed:think>'],
  ['<thinking>', '</thinking>'],
  ['[THINK]', '[/THINK]'],
  ['', '[/THINK]'],
  ['[think]', '[/think]'],
  ['◁think▷', '◁/think▷'],
  ['＜think＞', '＜/think＞'],
  ['&lt;think&gt;', '&lt;/think&gt;'],
  ['<|think|>', '<|/think|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<|START_THINKING|>', '<|END_THINKING|>'],
  ['<unused94>thought', '<unused95>'],
  ['<|inner_prefix|>', '<|inner_suffix|>'],
  ['<|channel>thought', '<channel|>'],
  ['<|channel|>analysis<|message|>', '<|end|><|start|>assistant<|channel|>final<|message|>'],
  ['<|channel|>commentary<|message|>', '<|end|><|channel|>final <|constrain|>json<|message|>'],
  ['<|start|>assistant<|channel|>analysis<|message|>', '<|end|><|start|>assistant<|channel|>final<|message|>'],
  ['analysis ', ' assistantfinal '],
  ['analysisMaybe ', ' assistantfinal'],
  ['analysis\n', '\nassistant\nfinal\n'],
  ['<｜think｜>', '<｜/think｜>'],
  ['<｜begin▁of▁thought｜>', '<｜end▁of▁thought｜>'],
  ['Thinking...\n', '\n...done thinking.\n'],
  ['<ponder>', '</ponder>'],
]

describe.each(SPELLINGS)('reasoning between %j and %j', (opening, closing) => {
  const reasoned = `${opening}A first idea: ${draft}. But no.${closing}`

  test('is no decision: a draft in it followed by words is repaired', () => {
    for (const words of ['\nI hold.', '\nNothing today.', '', '\n<|return|>'])
      expect(parseDecision(`${reasoned}${words}`)).toMatchObject({ ok: false })
  })

  test('is no decision: the differing object after it is the answer', () => {
    expect(parseDecision(`${reasoned}\n\n${hold}`)).toMatchObject({ ok: true, decision: { action: 'hold' } })
    const short = draft.replace('open_long', 'open_short')
    expect(parseDecision(`${reasoned}\n\`\`\`json\n${short}\n\`\`\``)).toMatchObject({
      ok: true,
      decision: { action: 'open_short' },
    })
  })

  test('that begins and does not end leaves no answer', () => {
    if (opening.trim() === '' || opening === 'analysis ' || opening === '<ponder>') return
    expect(parseDecision(`${opening}First ${draft}, then again`)).toMatchObject({ ok: false })
    expect(parseDecision(`${draft}\n${opening} hm, wait`)).toMatchObject({ ok: false })
    if (opening.startsWith('analysis')) return
    expect(parseDecision(`${opening}a${closing}\n${opening}b ${draft}`)).toMatchObject({ ok: false })
  })
})

test('whatever stands in reasoning, an entry is only what stands after it', () => {
  const thought = fc.array(fc.constantFrom(draft, hold, 'but ', '{', '}', '"', '<think>', '\n', 'I go long. '), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(thought, fc.constantFrom(...SPELLINGS), (parts, [opening, closing]) => {
      const text = `${opening}${parts.join('')}${closing}\n${hold}`
      expect(parseDecision(text)).toMatchObject({ ok: true, decision: { action: 'hold' } })
      expect(parseDecision(`${opening}${parts.join('')}${closing}\nI would rather wait.`).ok).toBe(false)
    }),
    { seed: 21, numRuns: 400 },
  )
})

describe('an entry counts only where its object is the whole answer', () => {
  test.each([
    draft,
    `\n\`\`\`json\n${draft}\n\`\`\`\n`,
    `~~~\n${draft}\n~~~`,
    `Here is my decision for this slot:\n${draft}`,
    `${draft}\nGood luck!`,
    `${draft}<|im_end|>`,
    `${draft}</s>`,
    `${'x'.repeat(199)}\n${draft}`,
    `${draft}\n${draft}`,
  ])('%j is one', (raw) => {
    expect(parseDecision(raw)).toMatchObject({ ok: true, decision: ENTRY })
  })

  test.each(['~~OBJECT~~', 'Here: ~~OBJECT~~', '~~\nOBJECT\n~~', '<!--OBJECT-->', '/*OBJECT*/'])(
    'an entry that is struck out or commented out (%s) is repaired',
    (frame) => {
      expect(parseDecision(frame.replace('OBJECT', draft))).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/takes it back/),
      })
    },
  )

  test.each([
    ['I hold.', /says "hold"/],
    ['FLAT', /says "flat"/],
    ['I would not go long here.', /says "would"/],
    ['Closing.', /says "closing"/],
    ['Wait for the next bar.', /says "wait"/],
    ['Sell!', /says "sell"/],
    ['Exit now', /says "exit"/],
    ['A first idea; funding is high.', /says "idea"/],
    ['Ignore this.', /says "ignore"/],
    ['Don’t.', /says "dont"/],
    ['我不确定', /cannot be judged/],
    ['Ich warte.', /says "warte"/],
    ['Nicht handeln.', /says "nicht"/],
    ['// an old line', /takes it back/],
    ['~~', /takes it back/],
    ['<!-- left out -->', /takes it back/],
    ['x'.repeat(201), /201 characters of text/],
    ['{"action": "open_long", "stopLossPrice": 1,9}', /not valid JSON/],
    ['{"stopLossPrice": 1,960}', /broken one/],
    ['{stop: "1960"}', /broken one/],
    [hold, /2 different ones/],
  ])('beside %j it is repaired', (words, problem) => {
    const before = parseDecision(`${words}\n${draft}`)
    const after = parseDecision(`${draft}\n${words}`)
    expect(before).toMatchObject({ ok: false, problem: expect.stringMatching(problem) })
    expect(after).toMatchObject({ ok: false, problem: expect.stringMatching(problem) })
  })

  test.each([
    [{ ...ENTRY, leverage: 5 }, /unknown key "leverage"/],
    [{ ...ENTRY, action: 'OPEN_LONG' }, /action/],
    [{ ...ENTRY, stopLossPrice: '1960' }, /stopLossPrice/],
    [{ ...ENTRY, takeProfitPrice: undefined }, /takeProfitPrice: is missing/],
    [{ ...ENTRY, rationale: 'up </think> I hold' }, /reasoning|no JSON|not closed|characters|there is/],
  ])('%j is no entry', (value, problem) => {
    expect(parseDecision(JSON.stringify(value))).toMatchObject({ ok: false, problem: expect.stringMatching(problem) })
  })
})

describe('a close or a hold is taken with talk around it, but not against its words', () => {
  const long = 'The market trends up, RSI is stretched and funding is high. '.repeat(10)
  test.each([
    `${long}\n${hold}`,
    `Although a long looks tempting, I hold.\n${hold}`,
    `I see no reason to close the position.\n${hold}`,
    `I stay flat.\n${hold}`,
    `The long-term trend is up. Decision:\n${hold}`,
    `${long}\nI close the long position.\n{"action": "close", "rationale": "Done."}`,
  ])('%j is one', (raw) => {
    expect(parseDecision(raw)).toMatchObject({ ok: true })
  })

  test.each([
    `I close the position now.\n${hold}`,
    `${hold}\nActually I go long.`,
    `My decision: sell.\n${hold}`,
    `I hold.\n{"action": "close", "rationale": "Done."}`,
  ])('%j is repaired', (raw) => {
    expect(parseDecision(raw)).toMatchObject({ ok: false, problem: expect.stringContaining('says') })
  })
})

test('reasoning of any length does not make an answer too long to be read', () => {
  expect(parseDecision(`<think>${'It could go either way. '.repeat(20_000)}</think>${draft}`)).toMatchObject({
    ok: true,
  })
})

test('a hostile text of tags and channels is read in linear time', () => {
  const startedAt = performance.now()
  for (const piece of [
    '<think>',
    '</think',
    '<|channel|>',
    '<|channel|>final',
    '< think ',
    'assistantfinal ',
    '&lt;',
    '[[',
  ])
    parseDecision(`analysis ${piece.repeat(400_000 / piece.length)}`)
  expect(performance.now() - startedAt).toBeLessThan(4_000)
})
