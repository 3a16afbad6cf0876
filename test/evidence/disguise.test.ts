import { describe, expect, it } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { disguise, PRICE_FACTOR, SHIFT_DAYS } from '../../lib/evidence/disguise.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'
import { estimateTokens, renderSnapshot } from '../../lib/snapshot/render.ts'
import { lookOf } from '../../lib/decision/decider.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import { eightHourly, historyOf, rulesOf, settings, START } from '../replay/support.ts'

const market = historyOf({ seed: 91, days: 4, funding: eightHourly(4) })
const config = settings()
const headlines = ['one', 'two', 'three', 'four'].map((title, index) => ({
  title,
  source: 'a feed',
  link: null,
  publishedAt: START + DAY_MS + index * 3_600_000,
}))
const history = { config, market, headlines, from: START + DAY_MS, to: START + 4 * DAY_MS }
const NOTHING = { dates: false, names: false, prices: false, news: 'kept' } as const

describe('a disguise', () => {
  it.each([
    ['dates', { ...NOTHING, dates: true }],
    ['names', { ...NOTHING, names: true }],
    ['prices', { ...NOTHING, prices: true }],
    ['all three', { ...NOTHING, dates: true, names: true, prices: true }],
  ])('of %s changes nothing for a decider that goes by what it is shown', async (_name, guise) => {
    const plain = await runReplay({ ...history, decider: rulesOf(config) })
    const worn = disguise(history, guise)
    const other = await runReplay({ ...worn, decider: rulesOf(worn.config) })
    expect(plain.trades.length).toBeGreaterThan(3)
    const facts = ({ lines, trades }: typeof plain) => ({
      actions: lines.map(({ action, outcome, equity }) => [action, outcome, equity]),
      trades: trades.map(({ side, quantity, pnl, exitReason }) => [side, quantity, pnl, exitReason]),
    })
    expect(facts(other)).toEqual(facts(plain))
  })

  it('leaves neither day, name nor price of the original in what a model is shown', async () => {
    const shown: string[] = []
    const reader: Decider = {
      name: 'reader',
      asksModel: true,
      async decide({ snapshot }) {
        shown.push(renderSnapshot(snapshot))
        return {
          ...(await rulesOf(config).decide({ snapshot, prompt: { version: '', system: '', user: '', hash: '' } })),
        }
      },
    }
    const worn = disguise(history, { dates: true, names: true, prices: true, news: 'removed' })
    await runReplay({ ...worn, to: worn.from + 120 * MINUTE_MS, decider: reader })
    expect(shown).toHaveLength(4)
    for (const text of shown) {
      expect(text).not.toMatch(/2024|ETP|ETH/)
      expect(text).toContain('AAA-PERP')
      expect(text).toContain('2020-03')
      expect(estimateTokens(text)).toBeGreaterThan(200)
    }
    const level = market.history.barAt(history.from)?.open ?? 0
    expect(shown[0]).toContain(String(Number((level * PRICE_FACTOR).toPrecision(12))))
  })

  it('keeps weekdays and hours', () => {
    expect(SHIFT_DAYS % 7).toBe(0)
    expect(new Date(disguise(history, { ...NOTHING, dates: true }).from).getUTCDay()).toBe(
      new Date(history.from).getUTCDay(),
    )
  })

  it('swaps news between their times, the same way each time, and removes it', () => {
    const swapped = disguise(history, { ...NOTHING, news: 'swapped' }).headlines
    expect(swapped.map(({ title }) => title)).toEqual(headlines.map(({ title }) => title))
    expect(swapped.map(({ publishedAt }) => publishedAt).sort()).toEqual(
      headlines.map(({ publishedAt }) => publishedAt),
    )
    expect(swapped).not.toEqual(headlines)
    expect(disguise(history, { ...NOTHING, news: 'swapped' }).headlines).toEqual(swapped)
    expect(disguise(history, { ...NOTHING, news: 'removed' }).headlines).toEqual([])
  })

  it('shows up a decider that remembers', async () => {
    // It knows this market's every next half-hour, by date.
    const memory: Decider = {
      name: 'memory',
      asksModel: false,
      async decide({ snapshot }) {
        const now = Date.parse(snapshot.asOf)
        const future = market.history.barAt(now + 30 * MINUTE_MS)
        const { side, quote } = lookOf(snapshot)
        const price = Number(quote.ask)
        const common = {
          decider: 'memory',
          model: null,
          failure: null,
          attempts: [],
          usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
        }
        if (future === undefined || side !== null)
          return { ...common, decision: { action: 'hold', rationale: 'I do not remember' } }
        const up = future.open > price
        return {
          ...common,
          decision: {
            action: up ? 'open_long' : 'open_short',
            stopLossPrice: price * (up ? 0.99 : 1.01),
            takeProfitPrice: up ? Math.max(future.open, price * 1.0152) : Math.min(future.open, price * 0.9848),
            confidence: 0.9,
            invalidation: 'x',
            rationale: 'I remember',
          },
        }
      },
    }
    const plain = await runReplay({ ...history, decider: memory })
    const worn = disguise(history, { ...NOTHING, dates: true })
    const blind = await runReplay({ ...worn, decider: memory })
    expect(plain.trades.length).toBeGreaterThan(3)
    expect(blind.trades).toEqual([])
  })
})
