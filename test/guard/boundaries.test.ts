import { describe, expect, it } from 'vitest'
import { dec, money, price, quantity } from '../../lib/core/decimal.ts'
import { planEntry } from '../../lib/guard/plan-entry.ts'
import { RULES } from '../../lib/guard/rules.ts'
import { isEntry } from '../../schemas/decision.ts'
import { type Changes, contextWith, failedRules, NOW } from './fixtures.ts'

function planOf(changes: Changes) {
  const { decision, config, facts } = contextWith(changes)
  if (!isEntry(decision)) throw new Error('not an entry')
  return planEntry(decision, config, facts)
}
const quoted = (bid: string, ask: string, mark: string): Changes => ({
  facts: { quote: { at: NOW, bid: price(bid), ask: price(ask), last: price(bid), mark: price(mark) } },
})

describe('the price that a stop is judged by', () => {
  it.each<['long' | 'short', string, string, string, string]>([
    ['long', '1999', '2001', '2000', '1999'],
    ['long', '1999', '2001', '1990', '1990'],
    ['short', '1999', '2001', '2000', '2001'],
    ['short', '1999', '2001', '2010', '2010'],
  ])('of a %s, bid %s, ask %s, mark %s, is the nearest to it: %s', (side, bid, ask, mark, watched) => {
    expect(planOf({ side, ...quoted(bid, ask, mark) }).watchedPrice.toFixed()).toBe(watched)
  })

  it.each<['long' | 'short', number, string, string]>([
    ['long', 1_960, '1960', '1960.5'],
    ['short', 2_040, '2040', '2039.5'],
  ])(
    'of a %s with a stop at %d has not reached it: a mark of %s refuses, one of %s does not',
    (side, stopLossPrice, reached, near) => {
      const at = (mark: string): Changes => ({ side, decision: { stopLossPrice }, ...quoted('2000', '2000', mark) })
      expect(failedRules(contextWith(at(reached)))).toEqual(['stop_side'])
      expect(failedRules(contextWith(at(near)))).toEqual([])
    },
  )
})

describe('the size of an entry', () => {
  it('is what both the venue and the limits allow, whichever is less', () => {
    expect(planOf({ instrument: { maxQuantity: quantity(24) } }).sizedQuantity.toFixed()).toBe('24')
    expect(planOf({ instrument: { maxQuantity: quantity(26) } }).sizedQuantity.toFixed()).toBe('25')
  })

  it('is judged at the minimum of the venue where the limits allow less', () => {
    const { sizedQuantity, quantity: judged } = planOf({ instrument: { minQuantity: quantity(30) } })
    expect([sizedQuantity.toFixed(), judged.toFixed()]).toEqual(['25', '30'])
    expect(planOf({ instrument: { minQuantity: quantity(20) } }).quantity.toFixed()).toBe('25')
  })
})

describe('the standing of a rule', () => {
  it('three judge the account whatever was decided, two of them halt; all others judge entries', () => {
    const standing = RULES.filter(({ applies }) => applies === 'always')
    expect(standing.map(({ name }) => name)).toEqual(['kill_switch', 'daily_loss', 'drawdown'])
    expect(RULES.filter((rule) => rule.applies === 'always' && rule.halts).map(({ name }) => name)).toEqual([
      'daily_loss',
      'drawdown',
    ])
    expect(RULES.filter(({ applies }) => applies === 'entry')).toHaveLength(RULES.length - standing.length)
  })
})

it('a size of exactly the minimum and exactly the maximum is traded', () => {
  const at = (contracts: string): Changes => ({
    instrument: { minQuantity: quantity(contracts), maxQuantity: quantity(contracts), lotSize: quantity(contracts) },
  })
  expect(failedRules(contextWith(at('25')))).toEqual([])
  expect(planOf(at('25')).sizedQuantity.eq(dec(25))).toBe(true)
})

it('equity of a cent is judged by what it can bear, none by nothing', () => {
  const worth = (equity: string): Changes => ({
    accounting: {
      cash: money(equity),
      equity: money(equity),
      dayStartEquity: money(equity),
      peakEquity: money(equity),
    },
  })
  expect(failedRules(contextWith(worth('0.01')))).toEqual(['risk_per_trade', 'leverage', 'minimum_size'])
  expect(failedRules(contextWith(worth('0')))).toEqual([
    'daily_loss',
    'drawdown',
    'risk_per_trade',
    'leverage',
    'minimum_size',
  ])
})
