import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/core/invariant.ts'
import type { Price, Quantity } from '../../lib/core/decimal.ts'
import { equityAt, openBooks, revalue, unrealisedPnl } from '../../lib/ledger/accounting.ts'
import {
  applyFill,
  averageEntryPrice,
  beginPosition,
  deriveTrade,
  isProtected,
  reportPosition,
  summariseTrade,
} from '../../lib/ledger/position.ts'
import type { Position } from '../../schemas/state.ts'
import { at, CONTRACT, entryIntent, fillOf, money, START } from './support.ts'

const MINUTE = 60_000
const { bracket, side } = entryIntent(START, 'buy', '10').order
const thesis = { cycleId: 'c', confidence: 0.7, rationale: 'r', invalidation: 'i', regime: 'trend' }

/** A long that nothing has filled yet; contracts of 0.1. */
const empty = (change: Partial<Position> = {}): Position => ({
  tradeId: 't1',
  side: 'long',
  quantity: '0' as Quantity,
  peakQuantity: '0' as Quantity,
  multiplier: CONTRACT as Quantity,
  costBasis: money('0'),
  entryNotional: money('0'),
  entryBase: '0' as Quantity,
  exitNotional: money('0'),
  exitBase: '0' as Quantity,
  openedAt: at(0),
  bracket,
  liquidationPrice: null,
  riskAtEntry: money('0'),
  gross: money('0'),
  fees: money('0'),
  funding: money('0'),
  slippage: money('0'),
  fillIds: [],
  protection: { status: 'none' },
  protectAttempts: 0,
  protectFailures: 0,
  closeAttempts: 0,
  isCloseUnheard: false,
  thesis,
  ...change,
})
const bought = (id: string, quantity: string, price = '2000') =>
  fillOf({ id, side, price, quantity, fee: '0.5', time: START })
const sold = (id: string, quantity: string, price = '2010', time = START + MINUTE) =>
  fillOf({ id, side: 'sell', price, quantity, fee: '0.25', reason: 'take_profit', time })
/** Long 10 contracts from 2000. */
const held = (change: Partial<Position> = {}): Position => applyFill(empty(change), bought('a', '10')).position
const closed = (change: Partial<Position> = {}): Position => applyFill(held(change), sold('b', '10')).position

describe('a fill', () => {
  it('says what cash it moves: its fee always, a gain only when it closes', () => {
    expect(applyFill(empty(), bought('a', '10'))).toMatchObject({ gross: '0', fee: '0.5' })
    expect(applyFill(held(), sold('b', '4'))).toMatchObject({
      gross: '4',
      fee: '0.25',
      position: { quantity: '6', peakQuantity: '10', costBasis: '1200' },
    })
  })

  it('a fill is taken into a trade once', () => {
    expect(() => applyFill(held(), bought('a', '1'))).toThrow(new InvariantError('fill a is already in trade t1'))
  })

  it('closes all that is held, and not one contract more', () => {
    expect(applyFill(held(), sold('b', '10')).position.quantity).toBe('0')
    expect(() => applyFill(held(), sold('b', '10.1'))).toThrow(
      new InvariantError('fill b of 10.1 would reverse a position of 10'),
    )
  })

  it('of a position that has shrunk does not raise the peak until it passes it', () => {
    const { position } = applyFill(held(), sold('b', '4'))
    expect(applyFill(position, bought('c', '4')).position.peakQuantity).toBe('10')
    expect(applyFill(position, bought('c', '5')).position.peakQuantity).toBe('11')
  })

  it.each<[string, Partial<Position>]>([
    ['without a stop', { bracket: null }],
    ['whose risk was unknown before', { riskAtEntry: null }],
    ['of which nothing is known', { bracket: null, riskAtEntry: null }],
  ])('has no risk that could be reckoned in a position %s', (_name, change) => {
    expect(held(change).riskAtEntry).toBeNull()
    expect(held().riskAtEntry).toBe('20')
  })
})

describe('the risk of an entry', () => {
  it('is rounded up: what may be lost is never understated', () => {
    // 20.00000001 a unit, 0.1 of a unit: 2.000000001.
    expect(applyFill(empty(), bought('a', '1', '2000.00000001')).position.riskAtEntry).toBe('2.00000001')
    expect(applyFill(empty(), bought('a', '1', '1959.99999999')).position.riskAtEntry).toBe('2.00000001')
  })

  it('is nothing before the first fill, and unknown where there is no stop', () => {
    const begin = (origin: Position['bracket']) =>
      beginPosition({ cycleId: 'c', bracket: origin, thesis: null }, bought('a', '10'), {
        multiplier: CONTRACT as Quantity,
        liquidationPrice: null,
      })
    expect([begin(bracket).riskAtEntry, begin(null).riskAtEntry]).toEqual(['0', null])
  })
})

describe('a trade', () => {
  const fill = sold('b', '10')

  it('is not derived while anything is held', () => {
    expect(() => deriveTrade('s', held(), fill, 'take_profit')).toThrow(new InvariantError('trade t1 still holds 10'))
  })

  it('tells what was meant by it', () => {
    expect(deriveTrade('s', closed(), fill, 'take_profit')).toMatchObject({
      stopLossPrice: '1980',
      takeProfitPrice: '2050',
      regime: 'trend',
      rMultiple: 0.4625,
      pnl: '9.25',
      exitReason: 'take_profit',
    })
  })

  it('of a position that nobody meant has neither stop nor target, R nor regime', () => {
    expect(
      deriveTrade('s', closed({ bracket: null, riskAtEntry: null, thesis: null }), fill, 'external'),
    ).toMatchObject({ stopLossPrice: null, takeProfitPrice: null, regime: null, rMultiple: null, pnl: '9.25' })
  })

  it.each([
    [0, 0],
    [1_000, 1 / 60],
    [90_000, 1.5],
    [24 * 60 * MINUTE, 1_440],
    [-1_000, 0],
  ])('that lasted %d ms was held for %d minutes', (ms, minutes) => {
    const trade = deriveTrade('s', closed(), sold('b', '10', '2010', START + ms), 'take_profit')
    expect(summariseTrade(trade)).toEqual({
      id: 't1',
      side: 'long',
      regime: 'trend',
      pnl: '9.25',
      rMultiple: 0.4625,
      exitReason: 'take_profit',
      exitTime: trade.exitTime,
      holdingMinutes: minutes,
    })
  })
})

describe('a position', () => {
  const live = (quantity: string): Position['protection'] => ({
    status: 'live',
    orderId: 'o',
    quantity: quantity as Quantity,
    bracket,
    confirmedAt: at(1),
  })

  it('has the average price of all entries, whatever was sold between them', () => {
    const { position } = applyFill(applyFill(held(), sold('b', '5')).position, bought('c', '10', '2030'))
    expect(averageEntryPrice(position)).toBe('2015')
  })

  it('is reported as it stands, and no position as none', () => {
    expect(reportPosition(null)).toBeNull()
    expect(reportPosition(held({ protection: live('10'), liquidationPrice: '1500' as Price }))).toEqual({
      side: 'long',
      quantity: '10',
      entryPrice: '2000',
      openedAt: at(0),
      bracket,
      protection: 'live',
      liquidationPrice: '1500',
      tradeId: 't1',
    })
  })

  it('is protected by a live stop for all of it alone', () => {
    const order = {
      kind: 'protect' as const,
      clientOrderId: 'p',
      symbol: 's',
      side: 'sell' as const,
      quantity: '10' as Quantity,
      bracket,
    }
    const protections: Position['protection'][] = [
      { status: 'none' },
      { status: 'intended', order, attempt: 0, intendedAt: at(0), deadline: at(1) },
      live('9.9'),
      live('10'),
      live('10.1'),
    ]
    expect(protections.map((protection) => isProtected(held({ protection })))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ])
  })

  it('is worth its gain, and nothing while no mark is known', () => {
    expect([
      unrealisedPnl(held(), '1990' as Price),
      unrealisedPnl(held(), '2015' as Price),
      unrealisedPnl(held(), null),
      unrealisedPnl(null, null),
    ]).toEqual(['-10', '15', '0', '0'])
    expect(unrealisedPnl({ ...held(), side: 'short' }, '1990' as Price)).toBe('10')
    expect(equityAt(openBooks(money('100'), at(0), 'always-open'), held(), null)).toBe('100')
  })

  it('is valued at the last mark until there is a newer one', () => {
    const books = { ...openBooks(money('100'), at(0), 'always-open'), markPrice: '2003' as Price, markedAt: at(5) }
    expect(revalue(books, held(), null, at(9))).toMatchObject({
      equity: '103',
      peakEquity: '103',
      markPrice: '2003',
      markedAt: at(5),
    })
    expect(revalue(books, held(), '2001' as Price, at(4))).toMatchObject({
      equity: '103',
      markPrice: '2003',
      markedAt: at(5),
    })
    expect(revalue(books, held(), '2001' as Price, at(5))).toMatchObject({
      equity: '101',
      peakEquity: '101',
      markPrice: '2001',
      markedAt: at(5),
    })
    expect(revalue({ ...books, markPrice: null, markedAt: null }, held(), '1999' as Price, at(4))).toMatchObject({
      equity: '99',
      peakEquity: '100',
      markPrice: '1999',
      markedAt: at(4),
    })
  })
})
