import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { chicagoOffset } from '../../lib/calendar/chicago.ts'
import { isOpenAt } from '../../lib/calendar/calendar.ts'
import { DAY_MS, fromIso, HOUR_MS, toIso } from '../../lib/core/time.ts'
import { contractNamed, frontMonth } from '../../lib/instrument/contract-code.ts'
import { expiryExitDue } from '../../lib/instrument/expiry.ts'
import { FUTURES } from '../../lib/instrument/futures.ts'

const at = (text: string): number => Date.parse(text)
const found = (code: string, instant: string | null = null) => {
  const named = contractNamed(code, instant === null ? null : at(instant))
  if (named?.kind !== 'found') throw new Error(`${code}: ${named?.why ?? 'no code'}`)
  return named.instrument
}
const refusalOf = (code: string, instant: string | null = null): string => {
  const named = contractNamed(code, instant === null ? null : at(instant))
  return named?.kind === 'refused' ? named.why : 'not refused'
}
const inChicago = (iso: string): string => toIso(fromIso(iso) + chicagoOffset(fromIso(iso)))

describe('the code of a contract', () => {
  it('names the same instrument in each spelling', () => {
    const march = found('ESH26')
    expect(march).toMatchObject({ id: 'cme:ESH26', root: 'ES', month: '2026-03', multiplier: '50', tickSize: '0.25' })
    for (const code of ['cme:ESH26', 'esh26', 'ES 03-26']) expect(found(code)).toEqual(march)
    for (const code of ['ESH6', 'ES']) expect(found(code, '2026-01-15T12:00:00Z')).toEqual(march)
  })

  it('of one digit is read as the decade of the instant, and never without one', () => {
    expect(found('CLZ5', '2015-03-01T00:00:00Z').month).toBe('2015-12')
    expect(found('CLZ5', '2025-03-01T00:00:00Z').month).toBe('2025-12')
    expect(found('CLF0', '2029-06-01T00:00:00Z').month).toBe('2030-01')
    expect(refusalOf('ESH6')).toContain('write it with two')
  })

  it('is refused where the contract has ended, naming the month that trades', () => {
    expect(refusalOf('ESH6', '2026-03-21T00:00:00Z')).toBe('ESH26 stopped trading on 2026-03-20; ESM26 trades now')
    expect(refusalOf('ESF26', '2026-03-21T00:00:00Z')).toContain('ESM26 trades now')
  })

  it('without a month is refused where no instant says which month is in front', () => {
    expect(refusalOf('CL')).toContain('names no month; write the contract, such as CLZ26')
  })

  it('is no code where no product is called so', () => {
    for (const text of ['ETP-20DEC30-CDE', 'BTC/USDT:USDT', 'ESQ', 'ESH266', 'ES 3-26', '', 'SOL'])
      expect(contractNamed(text, at('2026-01-01T00:00:00Z'))).toBeNull()
  })

  it('gives a micro the underlying of its large contract', () => {
    for (const [micro, large] of [
      ['MES', 'ES'],
      ['MJY', '6J'],
      ['M6E', '6E'],
      ['MNG', 'NG'],
      ['ES', 'ES'],
    ] as const)
      expect(found(micro, '2026-01-05T12:00:00Z').underlying).toBe(large)
  })

  it('moves the front month on at the last entry, to the millisecond', () => {
    const march = found('ESH26')
    // The Thursday of the week before the third Friday, from the evening before it.
    expect(inChicago(march.lastEntry)).toContain('2026-03-11T17:00')
    const front = (instant: number) => found('ES', toIso(instant)).month
    expect(front(fromIso(march.lastEntry) - 1)).toBe('2026-03')
    expect(front(fromIso(march.lastEntry))).toBe('2026-06')
    expect(found('ES', '2026-12-20T00:00:00Z').month).toBe('2027-03')
  })

  it.each(FUTURES.map((product) => [product.root, product] as const))(
    'of %s: entries end before the exit is due, and the market is open then, ahead of notice and last trade',
    (_root, product) => {
      for (let instant = at('2015-01-02T12:00:00Z'); instant < at('2031-01-01T00:00:00Z'); instant += 20 * DAY_MS) {
        const contract = frontMonth(product, instant)
        const due = expiryExitDue(contract) ?? 0
        expect(fromIso(contract.lastEntry)).toBeLessThan(due)
        expect(due).toBeLessThan(fromIso(contract.firstNotice ?? contract.lastTrade))
        expect(due).toBeLessThan(fromIso(contract.lastTrade))
        expect(isOpenAt(contract.calendar, due)).toBe(true)
        expect(isOpenAt(contract.calendar, due + HOUR_MS)).toBe(true)
      }
    },
  )
})

describe('a configuration with the code of a contract', () => {
  const load = (overrides: unknown, now?: string) =>
    loadConfig({ overrides, origin: 'my.json', ...(now === undefined ? {} : { now: at(now) }) })

  it('trades that contract, and facts may be given over it', () => {
    expect(load({ instrument: 'MESH26' })).toMatchObject({
      instrument: { multiplier: '5' },
      market: { symbol: 'MESH26' },
    })
    expect(load({ market: { symbol: 'ES 03-26' } })).toMatchObject({ market: { symbol: 'ESH26' } })
    expect(load({ instrument: 'ESH26', market: { symbol: 'ESH6' } }).instrument.id).toBe('cme:ESH26')
    const margin = { perContract: { initial: '20000', maintenance: '18000' } }
    expect(load({ instrument: { id: 'cme:ESH26', margin } }).instrument.margin).toEqual(margin)
  })

  it('takes the front month on prices of now, and on a file asks for the month', () => {
    const now = '2026-01-15T12:00:00Z'
    expect(load({ instrument: 'CL', market: { source: 'live' } }, now).instrument.id).toBe('cme:CLH26')
    expect(() => load({ instrument: 'CL', market: { source: 'prices.csv' } }, now)).toThrow(
      'my.json: instrument = "CL": CL names no month',
    )
    expect(() => load({ instrument: 'ESH26', market: { symbol: 'ESM26' } }, now)).toThrow('leave market.symbol out')
  })
})

const TABLE = path.resolve(import.meta.dirname, '../../../shared/data/specs/contracts-2024-2027.csv')

describe('the end of trading by rule', () => {
  it.skipIf(!existsSync(TABLE))('agrees with a table of 320 contracts (skipped where the table is not at hand)', () => {
    const rows = readFileSync(TABLE, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(','))
    const different = rows.flatMap(([, code = '', spelled = '', , date, time, notice]) => {
      const { lastTrade, firstNotice, id } = found(code)
      const noticeDay = firstNotice === null ? '' : toIso(fromIso(inChicago(firstNotice)) + DAY_MS).slice(0, 10)
      const ours = `${inChicago(lastTrade).slice(0, 16)} ${noticeDay} ${id === found(spelled).id}`
      const theirs = `${date}T${time} ${notice} true`
      return ours === theirs ? [] : [`${code}: ${ours} instead of ${theirs}`]
    })
    expect(rows.length).toBeGreaterThan(300)
    expect(different).toEqual([])
  })
})
