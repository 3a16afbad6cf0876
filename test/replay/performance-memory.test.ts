import { intervalMsOf } from '../../lib/core/interval.ts'
import { describe, expect, it } from 'vitest'
import { composeCycle } from '../../lib/compose/compose-ports.ts'
import { DAY_MS, MINUTE_MS, timeframeMs } from '../../lib/core/time.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import { runEnforcement } from '../../lib/execution/run-enforcement.ts'
import type { HistoryMarket } from '../../lib/market/history-source.ts'
import { storyOf, withPrompt } from '../../lib/replay/story.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { noEvents, noSchedule, silentTelemetry } from '../../lib/telemetry/telemetry.ts'
import type { Story } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { historyOf, replay, settings, START } from './support.ts'

/** As the deployed functions trade on paper: each cycle and each pass begins with what the store gives back as text. */
async function tradeOnPaper(market: HistoryMarket, config: StrategyConfig): Promise<Story[]> {
  let now = START + DAY_MS
  const ports = await composeCycle(
    {
      config,
      items: createMemoryItems(),
      clock: () => now,
      sleep: async () => {},
      telemetry: silentTelemetry,
      events: noEvents,
      schedule: noSchedule,
      dryRun: false,
      invocationId: 'paper',
      market,
    },
    { codeVersion: 'test', apiKey: undefined },
  )
  const stories: Story[] = []
  const end = (market.history.last?.time ?? START) + MINUTE_MS
  for (; now < end; now += timeframeMs(market.baseTimeframe)) {
    // A pass over a flat strategy does nothing.
    if ((await ports.store.loadState(config.id))?.phase.kind === 'open') await runEnforcement(ports)
    if (now % intervalMsOf(config) === 0)
      stories.push(storyOf(await runCycle(ports, { scheduledFor: now, dryRun: false })))
  }
  return stories
}

describe('the memory of recent trades', () => {
  it('is the same in replay as in paper trading, to the last byte, and so is each story around it', async () => {
    const market = historyOf({ seed: 61, days: 2, timeframe: '5m' })
    const config = settings({
      decider: { kind: 'rules', stopAtr: 1, followsRecord: true },
      exits: { maxHoldingMinutes: 60 },
      memory: { trades: 5 },
    })
    const replayed: Story[] = []
    await replay(market, config, {
      onSlot: ({ record }) => void (record !== null && replayed.push(withPrompt(storyOf(record)))),
    })
    const bySlot = new Map((await tradeOnPaper(market, config)).map((story) => [story.slot, story]))

    const blocks = replayed.map(({ snapshot }) => JSON.stringify(snapshot?.performance))
    expect(replayed.map(({ slot }) => JSON.stringify(bySlot.get(slot)?.snapshot?.performance))).toEqual(blocks)
    expect(replayed.map(({ slot }) => JSON.stringify(bySlot.get(slot)))).toEqual(
      replayed.map((story) => JSON.stringify(story)),
    )
    // There was something to remember, and more than is shown.
    expect(new Set(blocks).size).toBeGreaterThan(10)
    expect(replayed.at(-1)?.snapshot?.performance.trades).toBe(5)
  }, 60_000)
})
