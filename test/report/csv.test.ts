import { parse } from 'csv-parse/sync'
import { assert, property, record, string, constantFrom } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { money, price } from '../../lib/core/decimal.ts'
import { equityCsv, tradesCsv } from '../../lib/report/csv.ts'
import type { Trade } from '../../schemas/trade.ts'

const trade: Trade = {
  id: 'eth-perp-20261102T0930Z-0a1b2c',
  strategyId: 'eth-perp',
  side: 'long',
  quantity: '12' as Trade['quantity'],
  entryTime: '2026-11-02T09:30:00Z',
  entryPrice: price('2741.5'),
  exitTime: '2026-11-02T15:00:00Z',
  exitPrice: price('2700'),
  exitReason: 'stop_loss',
  stopLossPrice: null,
  takeProfitPrice: price('2800'),
  gross: money('-49.8'),
  fees: money('5.54022'),
  funding: money('-0.01565753'),
  slippage: money('1.98'),
  pnl: money('-55.35587753'),
  rMultiple: null,
  regime: 'trend',
  fillIds: ['a', 'b'],
}

const read = (csv: string): Record<string, string>[] => parse(csv, { columns: true, record_delimiter: '\r\n' })

describe('CSV', () => {
  it('has a header and a record a trade, numbers as they are, nothing for null', () => {
    const csv = tradesCsv([trade, trade])
    expect(csv.endsWith('\r\n')).toBe(true)
    expect(csv.split('\r\n')).toHaveLength(4)
    const [first] = read(csv)
    expect(first).toMatchObject({
      id: trade.id,
      pnl: '-55.35587753',
      funding: '-0.01565753',
      stopLossPrice: '',
      rMultiple: '',
      exitReason: 'stop_loss',
    })
    expect(Object.keys(first ?? {})).toHaveLength(17)
    expect(tradesCsv([]).split('\r\n')).toHaveLength(2)
  })

  it('equity: one record a slot', () => {
    const csv = equityCsv([
      { at: '2026-11-02T09:30:00Z', equity: money('10000.5'), cash: money('-3'), markPrice: null, phase: 'flat' },
    ])
    expect(csv).toBe('at,equity,cash,markPrice,phase\r\n2026-11-02T09:30:00Z,10000.5,-3,,flat\r\n')
  })

  it('any words come back as they were, but never as a formula', () => {
    assert(
      property(
        record({ start: constantFrom('', '=', '+', '-', '@', '\t', '\r', '\n', '"', ','), rest: string() }),
        ({ start, rest }) => {
          const words = start + rest
          const regime = read(tradesCsv([{ ...trade, regime: words }]))[0]?.['regime'] ?? ''
          expect(regime === words || regime === `'${words}`).toBe(true)
          expect(regime).not.toMatch(/^[=+\-@\t\r\n]/)
        },
      ),
    )
  })
})
