import { describe, expect, it } from 'vitest'
import { MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { carriedBar, holesOf, MAX_CARRIED_MS } from '../../lib/market/carry.ts'
import { createHistoryMarket } from '../../lib/market/history-source.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { windowOf } from '../../lib/snapshot/bar-window.ts'

const T0 = Date.UTC(2026, 0, 5)
const bar = (minute: number, close = 3_000 + (minute % 7)) => ({
  time: T0 + minute * MINUTE_MS,
  open: close,
  high: close + 1,
  low: close - 1,
  close,
  volume: 1,
})
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => bar(from + index))

describe('the rule of carried minutes', () => {
  it.each([
    [1, true],
    [14, true],
    [15, true],
    [16, false],
    [600, false],
  ])('a hole of %i minutes is carried: %s', (count, isCarried) => {
    const bars = [...range(0, 10), ...range(10 + count, 20 + count)]
    expect(holesOf(bars, MINUTE_MS)).toEqual([{ from: T0 + 10 * MINUTE_MS, count, isCarried }])
  })

  it('a carried bar is the last close without volume, up to a quarter of an hour after it and no longer', () => {
    const before = bar(9, 3_210)
    const level = { open: 3_210, high: 3_210, low: 3_210, close: 3_210, volume: 0 }
    for (const minute of [10, 17, 24])
      expect(carriedBar(before, T0 + minute * MINUTE_MS, MINUTE_MS)).toEqual({
        time: T0 + minute * MINUTE_MS,
        ...level,
      })
    for (const minute of [9, 25, 400]) expect(carriedBar(before, T0 + minute * MINUTE_MS, MINUTE_MS)).toBeNull()
    expect(MAX_CARRIED_MS).toBe(15 * MINUTE_MS)
  })

  it('in a carried minute the price is the last one and nobody trades; in a gap there is no price', async () => {
    const scan = scanCandles([...range(0, 10), ...range(40, 60)], '1m', T0 + 3_600_000)
    const history = createCandleHistory(scan, '1m')
    const market = createHistoryMarket({
      name: 'm',
      symbol: 'ETH',
      histories: new Map([['ETH', history]]),
      funding: [],
    })
    const at = (minute: number) => T0 + minute * MINUTE_MS
    expect((await market.quote('ETH', at(24))).last).toBe('3002')
    expect(await market.trading?.('ETH', at(24))).toMatchObject({ kind: 'quiet' })
    expect(await market.trading?.('ETH', at(5))).toMatchObject({ kind: 'open' })
    await expect(market.quote('ETH', at(25))).rejects.toThrow(`no price of ETH at ${toIso(at(25))}`)
  })
})

describe('the end of the newest bar', () => {
  const MISSING = { kind: 'missing', count: 20, detail: '20 bars are missing' } as const
  const windowWith = (at: number) => {
    const half = 30 * MINUTE_MS
    const asOf = T0 + 600 * half
    const candles = Array.from({ length: 600 }, (_, index) => ({ ...bar(0), time: T0 + index * half }))
    return windowOf({ candles, issues: [{ ...MISSING, at: toIso(asOf + at * MINUTE_MS) }] }, '30m', asOf)
  }

  it.each([-30, -20, -16, -1])('that misses bars from %i minutes before the slot on is an issue', (minute) => {
    expect(windowWith(minute).issues).toMatchObject([{ kind: 'missing' }])
  })

  it('what begins at the slot itself is of the next bar', () => {
    expect(windowWith(0).issues).toEqual([])
  })
})
