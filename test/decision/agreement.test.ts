import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agreementOf, fleissKappa, modeOf } from '../../lib/decision/agreement.ts'

/** Fleiss (1971), table 1: 30 patients, six psychiatrists, five diagnoses. */
const PATIENTS = [
  '00060',
  '03003',
  '01401',
  '00006',
  '03030',
  '20400',
  '00402',
  '20310',
  '20040',
  '00006',
  '10050',
  '11040',
  '03300',
  '10050',
  '02031',
  '00501',
  '30012',
  '51000',
  '02040',
  '10203',
  '00006',
  '01050',
  '02013',
  '20040',
  '10041',
  '05010',
  '40002',
  '02040',
  '10500',
  '00006',
].map((row) => [...row].map(Number))

/** The worked example most texts compute by hand: ten subjects, fourteen raters, five categories. */
const TEN_BY_FOURTEEN = [
  [0, 0, 0, 0, 14],
  [0, 2, 6, 4, 2],
  [0, 0, 3, 5, 6],
  [0, 3, 9, 2, 0],
  [2, 2, 8, 1, 1],
  [7, 7, 0, 0, 0],
  [3, 2, 6, 3, 0],
  [2, 5, 3, 2, 2],
  [6, 5, 2, 1, 0],
  [0, 2, 2, 3, 7],
]

const column = (table: readonly (readonly number[])[], at: number) =>
  table.reduce((total, row) => total + (row[at] ?? 0), 0)

describe('fleissKappa', () => {
  test('the published example: 0.430, with the published shares', () => {
    expect([0, 1, 2, 3, 4].map((at) => Number((column(PATIENTS, at) / 180).toFixed(3)))).toEqual([
      0.144, 0.144, 0.167, 0.306, 0.239,
    ])
    expect(fleissKappa(PATIENTS)).toBeCloseTo(0.43, 3)
  })

  test('ten subjects by fourteen raters: 0.210', () => {
    expect([0, 1, 2, 3, 4].map((at) => column(TEN_BY_FOURTEEN, at))).toEqual([20, 28, 39, 21, 32])
    expect(fleissKappa(TEN_BY_FOURTEEN)).toBeCloseTo(0.21, 3)
  })

  test.each([
    ['no subjects', []],
    [
      'one rater',
      [
        [1, 0],
        [0, 1],
      ],
    ],
    [
      'one category only',
      [
        [3, 0],
        [3, 0],
        [3, 0],
      ],
    ],
  ])('%s: no value', (_name, counts) => expect(fleissKappa(counts)).toBeNull())

  test('perfect agreement on several categories is 1, perfect disagreement of two is -1', () => {
    expect(
      fleissKappa([
        [2, 0],
        [0, 2],
      ]),
    ).toBe(1)
    expect(
      fleissKappa([
        [1, 1],
        [1, 1],
      ]),
    ).toBe(-1)
  })

  test('unequal numbers of ratings are refused', () => {
    expect(() =>
      fleissKappa([
        [2, 0],
        [1, 0],
      ]),
    ).toThrow(RangeError)
  })
})

const action = fc.constantFrom('hold', 'close', 'open_long', 'open_short')
const table = fc.tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 12 })).chain(([raters, slots]) =>
  fc.array(fc.array(fc.option(action, { freq: 8 }), { minLength: slots, maxLength: slots }), {
    minLength: raters,
    maxLength: raters,
  }),
)
const transposed = <T>(rows: readonly (readonly T[])[]): T[][] =>
  (rows[0] ?? []).map((_, at) => rows.map((row) => row[at] as T))

const check = <T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, law), { seed: 3, numRuns: 200 })

describe('agreementOf', () => {
  test('three samples over four slots', () => {
    const found = agreementOf([
      ['hold', 'open_long', 'hold', 'hold'],
      ['hold', 'open_long', 'open_long', null],
      ['hold', 'hold', 'open_short', 'hold'],
    ])
    expect(found).toMatchObject({ raters: 3, slots: 4, compared: 3, unanimousShare: 1 / 3 })
    expect(found.pairs).toEqual([
      { first: 0, second: 1, share: 2 / 3 },
      { first: 0, second: 2, share: 1 / 3 },
      { first: 1, second: 2, share: 1 / 3 },
    ])
    expect(found.meanShare).toBeCloseTo(4 / 9, 12)
    // hold 5, long 3, short 1 of nine: P = (1 + 1/3 + 0) / 3, P_e = (25 + 9 + 1) / 81.
    expect(found.kappa).toBeCloseTo((4 / 9 - 35 / 81) / (1 - 35 / 81), 12)
    expect(found.modes).toEqual([
      { answer: 'hold', share: 1, isTied: false },
      { answer: 'open_long', share: 2 / 3, isTied: false },
      { answer: 'hold', share: 1 / 3, isTied: true },
      { answer: 'hold', share: 1, isTied: false },
    ])
  })

  test('raters who always say the same agree wholly, and kappa is 1 once they said two things', () => {
    check(
      fc.tuple(fc.integer({ min: 2, max: 5 }), fc.array(action, { minLength: 1, maxLength: 10 })),
      ([raters, said]) => {
        const found = agreementOf(Array.from({ length: raters }, () => said))
        expect(found).toMatchObject({ unanimousShare: 1, meanShare: 1 })
        if (new Set(said).size === 1) expect(found.kappa).toBeNull()
        else expect(found.kappa).toBeCloseTo(1, 12)
      },
    )
  })

  test('who is asked first does not matter, nor in which order the slots come', () => {
    check(table, (answers) => {
      const { kappa, meanShare, unanimousShare, compared, modes } = agreementOf(answers)
      const backwards = agreementOf(answers.toReversed())
      expect(backwards).toMatchObject({ compared, modes, unanimousShare })
      expect(backwards.kappa ?? 9).toBeCloseTo(kappa ?? 9, 12)
      expect(backwards.meanShare ?? 9).toBeCloseTo(meanShare ?? 9, 12)
      const mirrored = agreementOf(answers.map((own) => own.toReversed()))
      expect(mirrored.modes).toEqual(modes.toReversed())
      expect(mirrored.kappa ?? 9).toBeCloseTo(kappa ?? 9, 12)
    })
  })

  test('the mean share of the pairs is the observed agreement that kappa starts from', () => {
    check(table, (answers) => {
      const { kappa, meanShare, compared, raters } = agreementOf(answers)
      if (kappa === null || meanShare === null) return
      const said = transposed(answers).filter((given) => !given.includes(null))
      const shares = ['hold', 'close', 'open_long', 'open_short'].map(
        (one) => said.flat().filter((word) => word === one).length / (compared * raters),
      )
      const chance = shares.reduce((total, share) => total + share ** 2, 0)
      expect(kappa).toBeCloseTo((meanShare - chance) / (1 - chance), 10)
      expect(kappa).toBeLessThanOrEqual(1 + 1e-12)
      expect(kappa).toBeGreaterThanOrEqual(-1 / (raters - 1) - 1e-12)
    })
  })

  test('other names for the same answers change nothing but the names', () => {
    check(table, (answers) => {
      const renamed = agreementOf(answers.map((own) => own.map((word) => (word === null ? null : `say ${word}`))))
      const { modes, ...rest } = agreementOf(answers)
      expect(renamed).toMatchObject(rest)
      expect(renamed.modes).toEqual(
        modes.map((mode) => (mode === null ? null : { ...mode, answer: `say ${mode.answer}` })),
      )
    })
  })

  test.each([
    ['nobody', [], { raters: 0, slots: 0, compared: 0, pairs: [], meanShare: null, unanimousShare: null, kappa: null }],
    [
      'one rater',
      [['hold', 'close']],
      { raters: 1, compared: 2, pairs: [], meanShare: null, unanimousShare: null, kappa: null },
    ],
    [
      'no slot in common',
      [
        ['hold', null],
        [null, 'hold'],
      ],
      {
        compared: 0,
        pairs: [{ first: 0, second: 1, share: null }],
        meanShare: null,
        unanimousShare: null,
        kappa: null,
      },
    ],
  ])('%s: no agreement to speak of', (_name, answers, expected) => expect(agreementOf(answers)).toMatchObject(expected))

  test('lists of different length are refused', () => {
    expect(() => agreementOf([['hold'], []])).toThrow(/1, 0/)
  })
})

test('modeOf: the most frequent, its share of what was said; null where nothing was', () => {
  expect(modeOf([null, 'b', 'a', 'a'])).toEqual({ answer: 'a', share: 2 / 3, isTied: false })
  expect(modeOf(['b', 'a'])).toEqual({ answer: 'a', share: 0.5, isTied: true })
  expect(modeOf([null, null])).toBeNull()
})
