import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { judgeGates } from '../../lib/report/gates.ts'
import { Gate, GATE_NAMES } from '../../schemas/metrics.ts'
import { GateConfig } from '../../schemas/strategy-config.ts'
import { money } from './fixtures.ts'

type Facts = Parameters<typeof judgeGates>[0]
const DEFAULTS = GateConfig.parse({})
const HOLD = { hold: { totalReturn: 0.05 } }

/** A year that passes every gate by default. */
const GOOD: Facts = {
  observations: 365,
  trades: 120,
  sharpe: 1.8,
  maxDrawdown: 0.1,
  totalReturn: 0.2,
  startEquity: money(10_000),
  tokenCostUsd: 0,
  tokens: { input: 0, output: 0 },
  evidence: { trials: 3, deflatedSharpe: 0.97, probabilisticSharpe: 0.99 },
}
const factsOf = (
  parts: Partial<Omit<Facts, 'evidence'>> & { deflatedSharpe?: number | null; trials?: number },
): Facts => {
  const { deflatedSharpe = GOOD.evidence.deflatedSharpe, trials = GOOD.evidence.trials, ...rest } = parts
  return { ...GOOD, ...rest, evidence: { ...GOOD.evidence, trials, deflatedSharpe } }
}
const judge = (
  facts: Facts,
  hold: Parameters<typeof judgeGates>[1] = HOLD,
  limits: Partial<GateConfig> = {},
): Record<string, Gate> =>
  Object.fromEntries(judgeGates(facts, hold, { ...DEFAULTS, ...limits }).map((gate) => [gate.gate, Gate.parse(gate)]))

describe('judgeGates', () => {
  it('judges every gate once, in order, by the numbers that decide', () => {
    const gates = judgeGates(GOOD, HOLD, DEFAULTS)
    expect(gates.map(({ gate }) => gate)).toEqual([...GATE_NAMES])
    expect(gates.map(({ result, limit, actual }) => [result, limit, actual])).toEqual([
      ['pass', 1, 1.8],
      ['pass', 0.2, 0.1],
      ['pass', 50, 120],
      ['pass', 0.95, 0.97],
      ['pass', 0.05, 0.2],
    ])
    expect(gates.map(({ reason }) => reason)).toEqual([
      'The Sharpe ratio is 1.8 a year over 365 daily returns, above 1.',
      'Equity has fallen at most 10 % from a peak, less than 20 %.',
      'There are 120 closed trades, more than 50.',
      'The Sharpe ratio is more than the luck of 3 trials with probability 0.97, above 0.95.',
      'The return is 20 % after all costs, better than holding, which made 5 %.',
    ])
  })

  it.each<[string, Parameters<typeof factsOf>[0], string, Gate['result']]>([
    ['Sharpe just above', { sharpe: 1 + 1e-9 }, 'sharpe', 'pass'],
    ['Sharpe at the limit', { sharpe: 1 }, 'sharpe', 'fail'],
    ['Sharpe below', { sharpe: -3 }, 'sharpe', 'fail'],
    ['Sharpe without a value', { sharpe: null }, 'sharpe', 'not_enough_evidence'],
    ['drawdown just below', { maxDrawdown: 0.2 - 1e-9 }, 'max_drawdown', 'pass'],
    ['drawdown at the limit', { maxDrawdown: 0.2 }, 'max_drawdown', 'fail'],
    ['no drawdown', { maxDrawdown: 0 }, 'max_drawdown', 'pass'],
    ['51 trades', { trades: 51 }, 'trades', 'pass'],
    ['50 trades', { trades: 50 }, 'trades', 'not_enough_evidence'],
    ['no trades', { trades: 0 }, 'trades', 'not_enough_evidence'],
    ['deflated just above', { deflatedSharpe: 0.95 + 1e-9 }, 'deflated_sharpe', 'pass'],
    ['deflated at the limit', { deflatedSharpe: 0.95 }, 'deflated_sharpe', 'fail'],
    ['deflated without a value', { deflatedSharpe: null }, 'deflated_sharpe', 'not_enough_evidence'],
    ['just better than holding', { totalReturn: 0.05 + 1e-9 }, 'beats_holding', 'pass'],
    ['as good as holding', { totalReturn: 0.05 }, 'beats_holding', 'fail'],
    ['worse than holding', { totalReturn: -0.1 }, 'beats_holding', 'fail'],
  ])('%s: %s', (_what, parts, gate, result) => expect(judge(factsOf(parts))[gate]?.result).toBe(result))

  it.each<[string, Parameters<typeof factsOf>[0], string[]]>([
    ['29 returns', { observations: 29 }, ['sharpe', 'max_drawdown', 'deflated_sharpe', 'beats_holding']],
    ['30 returns', { observations: 30 }, []],
    ['29 trades', { trades: 29 }, ['sharpe', 'max_drawdown', 'trades', 'deflated_sharpe', 'beats_holding']],
    ['30 trades', { trades: 30 }, ['trades']],
    [
      'a bad start',
      { observations: 3, trades: 2, sharpe: -9, totalReturn: -0.5, deflatedSharpe: 0.01 },
      ['sharpe', 'max_drawdown', 'trades', 'deflated_sharpe', 'beats_holding'],
    ],
  ])('%s: not enough evidence for %s', (_what, parts, gates) => {
    const undecided = Object.values(judge(factsOf(parts))).filter(({ result }) => result === 'not_enough_evidence')
    expect(undecided.map(({ gate }) => gate)).toEqual(gates)
  })

  it('a fall beyond the limit fails however little else is known', () => {
    expect(judge(factsOf({ observations: 1, trades: 0, maxDrawdown: 0.2 }))['max_drawdown']).toMatchObject({
      result: 'fail',
      actual: 0.2,
      reason: 'Equity has fallen 20 % from a peak, not less than 20 %.',
    })
  })

  it('without a return of holding there is nothing to beat', () => {
    expect(judge(GOOD, { hold: null })['beats_holding']).toEqual({
      gate: 'beats_holding',
      result: 'not_enough_evidence',
      limit: 0,
      actual: 0.2,
      reason: 'What holding the market would have made is not known.',
    })
  })

  it('what the model cost is subtracted before comparing with holding', () => {
    const close = factsOf({ totalReturn: 0.06, tokens: { input: 100, output: 100 } })
    expect(judge({ ...close, tokenCostUsd: 99 })['beats_holding']).toMatchObject({
      result: 'pass',
      actual: 0.06 - 0.0099,
    })
    expect(judge({ ...close, tokenCostUsd: 101 })['beats_holding']).toMatchObject({
      result: 'fail',
      reason: 'The return is 4.99 % after all costs, not better than holding, which made 5 %.',
    })
    expect(judge({ ...close, tokenCostUsd: null })['beats_holding']).toMatchObject({
      result: 'pass',
      actual: 0.06,
      reason:
        'The return is 6 % after all costs but those of the model, whose price is unknown (decider.price), better than holding, which made 5 %.',
    })
    expect(judge(factsOf({ tokenCostUsd: null }))['beats_holding']?.reason).toContain('20 % after all costs, better')
  })

  it('a lead over holding can be asked for, or a lag allowed', () => {
    expect(judge(GOOD, HOLD, { minReturnOverHolding: 0.15 })['beats_holding']).toMatchObject({
      result: 'fail',
      limit: 0.2,
      actual: 0.2,
      reason:
        'The return is 20 % after all costs, not better than holding, which made 5 %: 20 % with the lead that is asked for.',
    })
    expect(judge(factsOf({ totalReturn: 0.01 }), HOLD, { minReturnOverHolding: -0.1 })['beats_holding']).toMatchObject({
      result: 'pass',
    })
  })

  it('reasons of what is undecided say what is missing', () => {
    const reasons = judgeGates(factsOf({ observations: 1, trades: 1 }), HOLD, DEFAULTS).map(({ reason }) => reason)
    const missing = '1 daily return and 1 closed trade, 30 and 30 are needed'
    expect(reasons).toEqual([
      `The Sharpe ratio cannot be judged yet: ${missing}.`,
      `Equity has fallen at most 10 % from a peak, but that is little to go by: ${missing}.`,
      'There are 1 closed trade and more than 50 are asked for; time will bring them.',
      `Luck and skill cannot be told apart yet: ${missing}.`,
      `Holding made 5 %, this 20 %, too soon to compare: ${missing}.`,
    ])
  })

  it('reasons of a failure, and of numbers that do not exist', () => {
    expect(
      judgeGates(factsOf({ sharpe: 0.4, trials: 1, deflatedSharpe: 0.5 }), HOLD, DEFAULTS).map(({ reason }) => reason),
    ).toEqual(
      expect.arrayContaining([
        'The Sharpe ratio is 0.4 a year over 365 daily returns, not above 1.',
        'The Sharpe ratio is more than the luck of 1 trial with probability 0.5, not above 0.95.',
      ]),
    )
    expect(
      judgeGates(factsOf({ sharpe: null, deflatedSharpe: null }), HOLD, DEFAULTS).map(({ reason }) => reason),
    ).toEqual(
      expect.arrayContaining([
        'The daily returns are all the same, so there is no Sharpe ratio.',
        'The daily returns take too few values for the error of a Sharpe ratio.',
      ]),
    )
  })

  it('a reason never shows two equal numbers where one is greater', () => {
    expect(judge(factsOf({ sharpe: 1.0000001 }))['sharpe']?.reason).toBe(
      'The Sharpe ratio is 1.0000001 a year over 365 daily returns, above 1.',
    )
    expect(judge(factsOf({ maxDrawdown: 0.19999 }))['max_drawdown']?.reason).toBe(
      'Equity has fallen at most 19.999 % from a peak, less than 20 %.',
    )
    expect(judge(factsOf({ sharpe: 1.23456789 }))['sharpe']?.reason).toContain(' 1.235 ')
    // Where none is greater, four digits are enough.
    expect(judge(factsOf({ sharpe: 1.23456789 }), HOLD, { minSharpe: 1.23456789 })['sharpe']?.reason).toBe(
      'The Sharpe ratio is 1.235 a year over 365 daily returns, not above 1.235.',
    )
  })

  it('better never turns a pass into anything else, worse never into one', () => {
    const ORDER = ['fail', 'not_enough_evidence', 'pass']
    const part = fc.record({
      observations: fc.nat({ max: 60 }),
      trades: fc.nat({ max: 100 }),
      sharpe: fc.double({ min: -3, max: 3, noNaN: true }),
      maxDrawdown: fc.double({ min: 0, max: 1, noNaN: true }),
      totalReturn: fc.double({ min: -1, max: 1, noNaN: true }),
      deflatedSharpe: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(part, fc.double({ min: 0, max: 1, noNaN: true }), (facts, more) => {
        const better = {
          ...facts,
          sharpe: facts.sharpe + more,
          maxDrawdown: facts.maxDrawdown * (1 - more),
          totalReturn: facts.totalReturn + more,
          deflatedSharpe: Math.min(1, facts.deflatedSharpe + more),
        }
        const [before, after] = [judge(factsOf(facts)), judge(factsOf(better))]
        for (const gate of GATE_NAMES)
          expect(ORDER.indexOf(after[gate]?.result ?? '')).toBeGreaterThanOrEqual(
            ORDER.indexOf(before[gate]?.result ?? ''),
          )
      }),
      { seed: 20260106, numRuns: 200 },
    )
  })
})

describe('limits of the gates in a configuration', () => {
  it('have the stated defaults, and are strict', () => {
    expect(loadConfig({}).gates).toEqual({
      minSharpe: 1,
      maxDrawdown: 0.2,
      minTrades: 50,
      minDeflatedSharpe: 0.95,
      minReturnOverHolding: 0,
    })
    expect(loadConfig({ overrides: { gates: { minTrades: 80 } } }).gates).toMatchObject({ minTrades: 80, minSharpe: 1 })
  })

  it.each([
    { minSharp: 1 },
    { maxDrawdown: 0 },
    { maxDrawdown: 20 },
    { minTrades: 0.5 },
    { minTrades: -1 },
    { minDeflatedSharpe: 1 },
    { minDeflatedSharpe: 95 },
  ])('%j is refused', (gates) => {
    expect(() => loadConfig({ overrides: { gates } })).toThrow(new RegExp(`gates\\.${Object.keys(gates)[0]}`))
  })
})
