import { configOf } from '../support/instruments.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusalLines } from '../../lib/cli/commands/resume.ts'
import { deployableVenues } from '../../lib/compose/deployable-venues.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { dec, money } from '../../lib/core/decimal.ts'
import { judge } from '../../lib/guard/judge.ts'
import { breachOf, LIVE_CEILINGS, limitsOf } from '../../lib/guard/limits.ts'
import { planEntry } from '../../lib/guard/plan-entry.ts'
import { beginAnew, openBooks, revalue, rollDay } from '../../lib/ledger/accounting.ts'
import { resumeStrategy } from '../../lib/execution/halt-strategy.ts'
import { readDeployment } from '../../lib/stack/deployment.ts'
import type { EntryDecision } from '../../schemas/decision.ts'
import { createWorld } from '../cycle/world.ts'
import { contextWith } from '../guard/fixtures.ts'

const NAMES = ['maxDailyLoss', 'maxDrawdown', 'maxRiskPerTrade'] as const
const AT = '2026-11-02T09:30:00Z'
const LATER = '2026-11-02T11:30:00Z'
const live = configOf({ id: 'eth-perp', mode: 'live', guard: { maxDailyLoss: 0.05, maxDrawdown: 0.15 } })
const paper = configOf({ id: 'eth-perp' })

/** A fraction above the ceiling, at most the whole. */
const wider = (ceiling: number) => fc.double({ min: ceiling, max: 1, minExcluded: true, noNaN: true })

/** What loading a configuration says; empty when it is accepted. */
const refusalOf = (overrides: unknown): string => {
  try {
    loadConfig({ overrides, origin: 'live.json' })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('the ceilings of live trading', () => {
  it('a live configuration wider than a ceiling is refused, naming field, value and remedy, at any width', () => {
    for (const name of NAMES) {
      fc.assert(
        fc.property(wider(LIVE_CEILINGS[name]), (value) => {
          const message = refusalOf({ mode: 'live', guard: { [name]: value } })
          expect(message).toContain(`live.json: guard.${name} = ${value}: live trading allows at most`)
          expect(message).toContain(`set it to ${LIVE_CEILINGS[name]} or less`)
        }),
        { numRuns: 30 },
      )
    }
  })

  it('the same widths are accepted on paper, and tighter or equal ones live', () => {
    for (const name of NAMES) {
      expect(refusalOf({ guard: { [name]: 0.5 } })).toBe('')
      expect(refusalOf({ mode: 'live', guard: { [name]: LIVE_CEILINGS[name] } })).toBe('')
      expect(refusalOf({ mode: 'live', guard: { [name]: 0.01 } })).toBe('')
    }
  })

  it('synthesis refuses a live configuration that is wider', () => {
    const context: Record<string, string> = { config: 'live.json', live: 'yes-i-mean-it' }
    const sources = {
      context: (key: string) => context[key],
      readJson: () => ({ mode: 'live', guard: { maxDrawdown: 0.3 } }),
      venues: deployableVenues(),
      defaultStrategy: 'eth-perp',
      loadConfig,
    }
    expect(() => readDeployment(sources)).toThrow('guard.maxDrawdown = 0.3: live trading allows at most 0.15')
  })

  it('a stored live configuration that is wider all the same is judged by the ceilings', () => {
    const unit = fc.double({ min: 0.001, max: 1, noNaN: true })
    fc.assert(
      fc.property(unit, unit, unit, (maxDailyLoss, maxDrawdown, maxRiskPerTrade) => {
        const guard = { ...live.guard, maxDailyLoss, maxDrawdown, maxRiskPerTrade, riskPerTrade: maxRiskPerTrade }
        const limits = limitsOf({ mode: 'live', guard })
        expect(limits.maxDailyLoss).toBe(Math.min(maxDailyLoss, 0.05))
        expect(limits.maxDrawdown).toBe(Math.min(maxDrawdown, 0.15))
        expect(limits.risk).toBe(Math.min(maxRiskPerTrade, 0.02))
      }),
    )
    const equity = { equity: money('8500'), cash: money('8500'), dayStartEquity: money('8500') }
    const facts = { liveBarriers: [] }
    const { halt } = judge(contextWith({ mode: 'live', guard: { maxDrawdown: 0.9 }, accounting: equity, facts }))
    expect(halt).toEqual({ rule: 'drawdown', reason: 'drawdown 15.00 %, limit 15 %' })
  })

  it('a live entry is never sized to risk more than two percent, whatever the configuration allows', () => {
    const guard = { riskPerTrade: 0.5, maxRiskPerTrade: 0.5, maxNotional: money('100000000'), maxLeverage: 10 }
    const sizing = { minRisk: 0.5 }
    for (const side of ['long', 'short'] as const) {
      const context = contextWith({ side, mode: 'live', guard, sizing, facts: { sizeCap: '100000' as never } })
      const plan = planEntry(context.decision as EntryDecision, context.config, context.facts)
      expect(plan.risk.lte(dec(context.facts.accounting.equity).times('0.02'))).toBe(true)
      expect(plan.sizedQuantity.gt(0)).toBe(true)
    }
  })

  it('a resume does not begin the drawdown ceiling anew: three losses of seven percent halt for good', () => {
    let books = openBooks(money('10000'), AT, 'always-open')
    const after = (equity: string) => revalue({ ...books, cash: money(equity), equity: money(equity) }, null, null, AT)
    const tight = { mode: 'live', guard: { ...live.guard, maxDailyLoss: 0.05, maxDrawdown: 0.07 } } as const
    books = after('9300')
    expect(breachOf({ ...books, dayStartEquity: books.equity }, tight)?.reason).toBe('drawdown 7.00 %, limit 7 %')
    books = rollDay(beginAnew(books), '2026-11-03T00:00:00Z', 'always-open')
    expect(breachOf(books, tight)).toBeNull()
    books = after('8649')
    books = rollDay(beginAnew(books), '2026-11-04T00:00:00Z', 'always-open')
    expect(breachOf(books, tight)).toBeNull()
    books = { ...after('8500'), dayStartEquity: money('8500') }
    const reason = 'drawdown 15.00 % counted across resumes, ceiling of live trading 15 %'
    expect(breachOf(books, tight)).toEqual({ rule: 'drawdown', actual: 0.15, limit: 0.15, reason })
    // On paper only the limit of the configuration counts, and it counts from the resume.
    expect(breachOf(books, { ...tight, mode: 'paper' })).toBeNull()
  })

  it('a resume on the same day does not begin the daily ceiling anew', () => {
    const lost = { ...openBooks(money('10000'), AT, 'always-open'), cash: money('9500'), equity: money('9500') }
    const resumed = beginAnew(lost)
    expect(breachOf(resumed, live)?.reason).toBe(
      'daily loss 5.00 % counted across resumes, ceiling of live trading 5 %',
    )
    expect(breachOf(resumed, paper)).toBeNull()
    expect(breachOf(rollDay(resumed, '2026-11-03T00:00:00Z', 'always-open'), live)).toBeNull()
  })

  it('however often it is resumed, live books fallen by the ceiling from their highest equity are in breach', () => {
    const step = fc.record({ change: fc.integer({ min: -400, max: 400 }), isResumed: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        let books = openBooks(money('10000'), AT, 'always-open')
        let highest = 10_000
        for (const { change, isResumed } of steps) {
          const equity = money(dec(books.equity).plus(change).round(8))
          if (dec(equity).lte(0)) return
          books = revalue({ ...books, cash: equity, equity }, null, null, LATER)
          highest = Math.max(highest, Number(equity))
          const isDown = 1 - Number(equity) / highest >= LIVE_CEILINGS.maxDrawdown
          if (isDown) expect(breachOf(books, live)).not.toBeNull()
          if (isResumed) books = beginAnew(books)
          if (isDown) expect(breachOf(books, live)).not.toBeNull()
        }
      }),
    )
  })
})

describe('hourhand resume', () => {
  it('leaves a live strategy halted that has lost fifteen percent of its highest equity, and resumes it on paper', async () => {
    for (const mode of ['live', 'paper'] as const) {
      const world = createWorld()
      await world.enforce()
      const state = await world.state()
      const fallen = { cash: money('8400'), equity: money('8400'), dayStartEquity: money('8400') }
      const halt = {
        at: state.updatedAt,
        by: 'guard' as const,
        rule: 'drawdown',
        reason: 'drawdown 16.00 %, limit 15 %',
      }
      const halted = { ...state, halt, accounting: { ...state.accounting, ...fallen } }
      expect((await world.ports.store.saveState(halted, false)).outcome).toBe('saved')
      const ports = { ...world.ports, config: { ...world.config, mode } }
      const { refusal, after } = await resumeStrategy(ports)
      expect([refusal, after?.halt ?? null]).toEqual(
        mode === 'live'
          ? ['drawdown 16.00 % counted across resumes, ceiling of live trading 15 %', halt]
          : [null, null],
      )
    }
  })

  it('of paper books on which nothing is left is refused in words that speak of no ceiling of live trading', async () => {
    const world = createWorld()
    await world.enforce()
    const state = await world.state()
    const spent = { cash: money('0'), equity: money('0'), dayStartEquity: money('0') }
    await world.ports.store.saveState({ ...state, accounting: { ...state.accounting, ...spent } }, false)
    expect((await resumeStrategy(world.ports)).refusal).not.toBeNull()
    expect(refusalLines(world.config, 'the reason').join(' ')).toMatch(/the reason.*paper books.*account moved/)
    expect(refusalLines(world.config, 'the reason').join(' ')).not.toContain('ceiling')
    expect(refusalLines({ id: 'a', mode: 'live' }, 'the reason').join(' ')).toContain('ceiling')
  })
})
