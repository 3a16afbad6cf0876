import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { barUntil, GRID_MS, pathOfMinutes, pathOfSteps } from '../support/coinbase/prices.ts'
import { createBench, minutes, PRODUCT, START } from './support.ts'

describe('a path through minutes', () => {
  it('reaches open, high, low and close of every bar on the grid, and nothing outside', () => {
    fc.assert(
      fc.property(minutes(30, START), (bars) => {
        const path = pathOfMinutes(bars)
        for (const bar of bars) {
          const seen = Array.from({ length: MINUTE_MS / GRID_MS }, (_, index) => path.at(bar.time + index * GRID_MS))
          expect(seen[0]).toBe(bar.open)
          expect(seen.at(-1)).toBe(bar.close)
          expect(Math.max(...seen)).toBe(bar.high)
          expect(Math.min(...seen)).toBe(bar.low)
        }
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    { close: 101, first: 99 },
    { close: 100.5, first: 104 },
  ])('a bar from 100.8 to $close goes to $first first', ({ close, first }) => {
    const path = pathOfMinutes([{ time: START, open: 100.8, high: 104, low: 99, close, volume: 1 }])
    expect(path.at(START + 15_000)).toBe(first)
  })

  it('holds its last price where bars are missing', () => {
    const bar = { open: 100, high: 104, low: 99, close: 103, volume: 1 }
    const path = pathOfMinutes([
      { time: START, ...bar },
      { time: START + 3 * MINUTE_MS, ...bar, open: 110, high: 111 },
    ])
    expect(path.at(START + 2 * MINUTE_MS)).toBe(103)
    expect(path.bar(START + MINUTE_MS, MINUTE_MS)).toBeNull()
    expect(path.at(START - 1)).toBe(100)
    expect(path.bar(START, 5 * MINUTE_MS)).toEqual({ open: 100, high: 111, low: 99, close: 103, volume: 2 })
  })

  it('the bar of an hour is the bar of its minutes', () => {
    const [bars] = fc.sample(minutes(60, START), { numRuns: 1, seed: 7 })
    const path = pathOfMinutes(bars ?? [])
    const parts = Array.from({ length: 60 }, (_, index) => path.bar(START + index * MINUTE_MS, MINUTE_MS)).filter(
      (bar) => bar !== null,
    )
    expect(path.bar(START, HOUR_MS)).toMatchObject({
      high: Math.max(...parts.map((bar) => bar.high)),
      low: Math.min(...parts.map((bar) => bar.low)),
      open: parts[0]?.open,
      close: parts.at(-1)?.close,
    })
  })

  it('a bar that has not ended tells what has traded', () => {
    const path = pathOfMinutes([{ time: START, open: 100, high: 110, low: 90, close: 105, volume: 12 }])
    expect(barUntil(path, START, START + 1)).toMatchObject({ open: 100, high: 100, low: 100, close: 100 })
    expect(barUntil(path, START, START + 15_001)).toMatchObject({ open: 100, high: 100, low: 90, close: 90 })
    expect(barUntil(path, START, START + MINUTE_MS)).toEqual({
      time: START,
      open: 100,
      high: 110,
      low: 90,
      close: 105,
      volume: 12,
    })
  })
})

describe('candles', () => {
  const query = (from: number, to: number, granularity: string): Record<string, string> => ({
    start: String(from / 1_000),
    end: String(to / 1_000),
    granularity,
  })

  it('are newest first, on the tick, with the open bar, and enclose the price told with them', () => {
    const [bars] = fc.sample(minutes(90, START), { numRuns: 1, seed: 3 })
    const { venue, clock, get } = createBench({ price: pathOfMinutes(bars ?? []) })
    clock.set(START + 61 * MINUTE_MS + 20_000)
    const { body } = get(`market/products/${PRODUCT}/candles`, query(START, clock.now(), 'FIVE_MINUTE'))
    const candles = body['candles'] as { start: string; low: string; high: string; close: string }[]
    expect(candles).toHaveLength(13)
    expect(candles.map(({ start }) => Number(start))).toEqual(
      candles.map((_, index) => START / 1_000 + (12 - index) * 300),
    )
    for (const { low, high } of candles) for (const price of [low, high]) expect((Number(price) * 2) % 1).toBe(0)
    expect(candles[0]?.close).toBe(venue.truth().lastPrice)
  })

  it('350 steps are too many, 349 are not', () => {
    const { get } = createBench()
    expect(get(`products/${PRODUCT}/candles`, query(START - 350 * MINUTE_MS, START, 'ONE_MINUTE')).status).toBe(400)
    expect(
      get(`products/${PRODUCT}/candles`, query(START - 349 * MINUTE_MS, START, 'ONE_MINUTE')).body['candles'],
    ).toHaveLength(350)
  })

  it('have none where the venue was closed', () => {
    const closures = [{ from: START + 10 * MINUTE_MS, to: START + 20 * MINUTE_MS }]
    const { clock, get } = createBench({
      closures,
      price: pathOfSteps([
        { from: 0, price: 3_000 },
        { from: START + 15 * MINUTE_MS, price: 2_000 },
      ]),
    })
    clock.set(START + 30 * MINUTE_MS)
    const { body } = get(`products/${PRODUCT}/candles`, query(START, START + 29 * MINUTE_MS, 'FIVE_MINUTE'))
    const starts = (body['candles'] as { start: string }[]).map(
      ({ start }) => (Number(start) * 1_000 - START) / MINUTE_MS,
    )
    expect(starts).toEqual([25, 20, 5, 0])
  })
})
