import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { guardCommand } from '../../lib/cli/commands/guard.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { proveRules } from '../../lib/guard/prove/prove-rules.ts'
import { RULES } from '../../lib/guard/rules.ts'
import { GuardForecast, GuardProof } from '../../schemas/cli.ts'
import { GUARD_RULES } from '../../schemas/verdict.ts'

const config = loadConfig()

describe('guard --prove', () => {
  it.each(['eth-perp', 'btc-perp'])('every rule refuses its case under the configuration of %s', (strategy) => {
    const proofs = proveRules(loadConfig({ strategy }))
    expect(proofs.map(({ rule }) => rule)).toEqual(GUARD_RULES)
    expect(proofs.filter(({ verdict }) => verdict !== 'fires')).toEqual([])
    expect(proofs.filter(({ halts }) => halts).map(({ rule }) => rule)).toEqual(['daily_loss', 'drawdown'])
  })

  it.each(RULES.map((rule) => rule.name))(
    '%s that lets everything pass is found silent, and the exit code is 1',
    (name) => {
      const rule = RULES.find((candidate) => candidate.name === name)
      const passing = vi.fn(() => ({ passed: true, limit: null, actual: null, reason: 'broken on purpose' }))
      const spy = vi.spyOn(rule as unknown as { check: () => unknown }, 'check').mockImplementation(passing)
      try {
        expect(proveRules(config).filter(({ verdict }) => verdict === 'silent')).toMatchObject([{ rule: name }])
        const { document, text, exitCode } = guardCommand(config, { prove: true })
        expect(GuardProof.parse(document).isProven).toBe(false)
        expect(text).toContain(`NOT PROVEN: ${name}`)
        expect(exitCode).toBe(1)
      } finally {
        spy.mockRestore()
      }
    },
  )

  it('no rule is silent under any limits that a configuration may have', () => {
    const guard = fc.record({
      maxDailyLoss: fc.oneof(fc.double({ min: 0.001, max: 1, noNaN: true }), fc.constant(1)),
      maxDrawdown: fc.oneof(fc.double({ min: 0.001, max: 1, noNaN: true }), fc.constant(1)),
      sessionBufferMinutes: fc.integer({ min: 0, max: 600 }),
      minStopAtr: fc.double({ min: 0.1, max: 3, noNaN: true }),
      maxStopAtr: fc.double({ min: 3.1, max: 40, noNaN: true }),
      liquidationBuffer: fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      minRewardToRisk: fc.double({ min: 0.1, max: 10, noNaN: true }),
      minConfidence: fc.double({ min: 0, max: 1, noNaN: true }),
      maxLeverage: fc.double({ min: 0.1, max: 10, noNaN: true }),
      maxPriceMoveAtr: fc.double({ min: 0.01, max: 5, noNaN: true }),
      cooldownMinutesAfterLoss: fc.integer({ min: 0, max: 600 }),
      maxEntriesPerDay: fc.integer({ min: 1, max: 100 }),
      tradingDaysUtc: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }),
      maxFundingAnnualised: fc.double({ min: 0.01, max: 20, noNaN: true }),
    })
    fc.assert(
      fc.property(
        guard,
        fc.constantFrom('paper', 'live'),
        fc.constantFrom('eth-perp', 'btc-perp'),
        (limits, mode, strategy) => {
          const base = loadConfig({ strategy })
          const proofs = proveRules({ ...base, mode, guard: { ...base.guard, ...limits } } as typeof base)
          expect(proofs.filter(({ verdict }) => verdict === 'silent')).toEqual([])
        },
      ),
      { numRuns: 200 },
    )
  })

  it('a limit that the configuration leaves open is set for its case, and the line says so', () => {
    const open = proveRules(config).filter(({ narrowed }) => narrowed !== null)
    expect(open.map(({ rule, narrowed }) => [rule, narrowed])).toEqual([
      ['contract_expiry', 'instrument = a dated future'],
      ['trading_hours', 'tradingHoursUtc = 9 to 17'],
      ['live_mode', 'mode = live'],
      ['live_size', 'mode = live'],
    ])
  })

  it('the same configuration gives the same text', () => {
    expect(guardCommand(config, { prove: true }).text).toBe(guardCommand(config, { prove: true }).text)
  })
})

describe('guard --if', () => {
  const answer = (assumption: string) => guardCommand(config, { prove: false, if: assumption })
  const firstLine = (assumption: string) => answer(assumption).text.split('\n')[0]

  it.each([
    ['equity=8400', 'halts: drawdown 16.00 %, limit 15 %'],
    ['equity=8500', 'halts: drawdown 15.00 %, limit 15 %'],
    ['equity=8500.01', 'does not halt: daily loss 0.00 %, limit 5 %; drawdown 15.00 %, limit 15 %'],
    ['equity=9000', 'does not halt: daily loss 0.00 %, limit 5 %; drawdown 10.00 %, limit 15 %'],
    ['equity=9400,day-start=10000', 'halts: daily loss 6.00 %, limit 5 %'],
    ['equity=8400, day-start=10000', 'halts: daily loss 16.00 %, limit 5 %; drawdown 16.00 %, limit 15 %'],
    ['equity=12000,peak=20000', 'halts: drawdown 40.00 %, limit 15 %'],
    ['equity=12000', 'does not halt: daily loss 0.00 %, limit 5 %; drawdown 0.00 %, limit 15 %'],
    ['equity=0', 'halts: daily loss 100.00 %, limit 5 %; drawdown 100.00 %, limit 15 %'],
  ])('%s answers "%s"', (assumption, expected) => {
    expect(firstLine(assumption)).toBe(expected)
    expect(answer(assumption).exitCode).toBe(0)
    expect(GuardForecast.parse(answer(assumption).document).halts).toBe(expected.startsWith('halts'))
  })

  it.each([
    'equty=8400',
    'equity',
    'equity=-5',
    'equity=1e9',
    'equity=1,equity=2',
    'peak=10000',
    '',
    'equity=8400 USD',
  ])('%j is refused with an example of what to write', (assumption) => {
    expect(() => answer(assumption)).toThrow(/options: if = .*(write amounts such as|write) equity=8400/)
  })

  it('--prove and --if together are refused', () => {
    expect(() => guardCommand(config, { prove: true, if: 'equity=1' })).toThrow('give one of them')
  })
})
