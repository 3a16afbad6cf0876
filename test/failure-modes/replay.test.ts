import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import { lookback } from '../../lib/indicators/lookback.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'
import { gatherMarketFacts } from '../../lib/snapshot/gather.ts'
import { createWorld } from '../cycle/world.ts'
import { createArrayMarket, minuteBars } from '../support/array-market.ts'
import { CLOSE, HOLD, LEVEL, LONG, outcomeOf, SHORT, SLOT } from './live-world.ts'
import { arrayMarket, CONFIG, HISTORY, MARKET, quietNews, snapshotAt, START, truncate } from '../snapshot/fixtures.ts'

/** Decides by what the snapshot says, so that any difference in it shows. */
const decider: Decider = {
  name: 'by the snapshot',
  asksModel: false,
  async decide({ snapshot }) {
    const last = Number(snapshot.quote.last)
    const { rsi14 } = snapshot.views.primary.indicators
    if (snapshot.position !== null) return outcomeOf(snapshot.position.heldMinutes >= 60 ? CLOSE : HOLD)
    const isUp = (rsi14 ?? 50) < 50
    const sign = isUp ? 1 : -1
    return outcomeOf({ ...(isUp ? LONG : SHORT), stopLossPrice: last - sign * 20, takeProfitPrice: last + sign * 40 })
  },
}

/** Lived, and replayed. */
const HOURS = 6

describe('replay drifts from live', () => {
  it('one code path: a replay of six hours leaves the trades, the curve and the money of the same hours lived', async () => {
    const warmUp = 2 * 1_440
    const wave = (minute: number): number => 40 * Math.sin(minute / 37) + 25 * Math.sin(minute / 11)
    const market = createArrayMarket(
      'ETP-20DEC30-CDE',
      minuteBars(SLOT - warmUp * MINUTE_MS, warmUp + HOURS * 60 + 1, LEVEL, wave),
    )
    const world = createWorld({
      market,
      overrides: { guard: { minStopAtr: 0.1, cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 50 } },
    })
    const ports = { ...world.ports, decider }
    const outcomes: Record<string, number> = {}
    for (let slot = SLOT; slot < SLOT + HOURS * HOUR_MS; slot += 30 * MINUTE_MS) {
      world.time.now = slot
      const { outcome } = await runCycle(ports, { scheduledFor: slot, dryRun: false })
      outcomes[outcome ?? 'none'] = (outcomes[outcome ?? 'none'] ?? 0) + 1
      for (let minute = 1; minute < 30; minute++) {
        world.time.now = slot + minute * MINUTE_MS
        await world.enforce()
      }
    }
    const replayed = await runReplay({ config: world.config, market, decider, from: SLOT, to: SLOT + HOURS * HOUR_MS })
    const trades = await world.trades()
    expect(trades.length).toBeGreaterThan(2)
    const counted: Record<string, number> = {}
    for (const { outcome } of replayed.lines) counted[outcome] = (counted[outcome] ?? 0) + 1
    expect(counted).toEqual(outcomes)
    expect(replayed.trades).toEqual(trades)
    expect(replayed.equity).toEqual((await world.store.listEquity(world.config.id, { limit: 100 })).items)
    expect(replayed.state?.accounting.cash).toBe((await world.state()).accounting.cash)
  })

  const INSTANTS = [
    ['midnight', 0],
    ['the boundary of a bar', 9.5],
    ['an instant between two bars', 100 + 1 / 7],
  ].map(([name, hours]) => ({ name, asOf: START + 310 * DAY_MS + Number(hours) * HOUR_MS }))

  it.each(INSTANTS)('truncation: what comes after $name changes nothing', async ({ asOf }) => {
    const cut = await snapshotAt(asOf, {
      market: arrayMarket(truncate(HISTORY, asOf), { symbol: CONFIG.market.symbol }),
    })
    expect(canonicalJson(await snapshotAt(asOf, { market: MARKET }))).toBe(canonicalJson(cut))
  })

  it.each(INSTANTS)('warm-up: more history than the window of $name needs changes nothing', async ({ asOf }) => {
    const facts = await gatherMarketFacts({ market: MARKET, news: quietNews, config: CONFIG, asOf })
    const all = (timeframe: '30m' | '4h' | '1d') =>
      MARKET.candles({ symbol: CONFIG.market.symbol, timeframe, asOf, limit: 1e6 })
    const more = { ...facts, primary: await all('30m'), fourHour: await all('4h'), daily: await all('1d') }
    expect(more.primary.candles.length).toBeGreaterThan(2 * lookback('30m', asOf).limit)
    expect(canonicalJson(await snapshotAt(asOf, { facts: more }))).toBe(
      canonicalJson(await snapshotAt(asOf, { facts })),
    )
  })
})
