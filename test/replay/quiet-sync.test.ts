import { fundingIntervalOf } from '../../schemas/instrument.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPaperBroker } from '../../lib/venue/paper/paper-broker.ts'
import { withSpread } from '../../lib/venue/paper/spread.ts'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { DAY_MS, MINUTE_MS } from '../../lib/core/time.ts'
import type { ExecutionPorts } from '../../lib/execution/ports.ts'
import { syncWithVenue } from '../../lib/execution/sync-with-venue.ts'
import type { HistoryMarket } from '../../lib/market/history-source.ts'
import { createObjectStore } from '../../lib/replay/object-store.ts'
import { createQuietSync } from '../../lib/replay/quiet-sync.ts'
import { noEvents, noSchedule, silentTelemetry } from '../../lib/telemetry/telemetry.ts'
import type { ReplayCheckpoint } from '../../schemas/replay.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { eightHourly, historyOf, replay, settings, START } from './support.ts'

const config = settings()
const MARKETS: HistoryMarket[] = [
  historyOf({ seed: 81 }),
  historyOf({ seed: 82, funding: eightHourly(4) }),
  historyOf({ seed: 83, change: (bars) => bars.filter((_, index) => index % 500 > 15) }),
]

/** Where a replay stood whenever it held something. */
async function heldIn(market: HistoryMarket): Promise<ReplayCheckpoint[]> {
  const held: ReplayCheckpoint[] = []
  await replay(market, config, {
    to: START + 3 * DAY_MS,
    onSlot: (step) => {
      const checkpoint = step.checkpoint()
      if (checkpoint.state?.phase.kind === 'open') held.push(checkpoint)
    },
  })
  return held
}

/** One process that reconciles at instants of its own choosing. */
function open(market: HistoryMarket, { state, book }: ReplayCheckpoint, isQuiet: boolean) {
  const time = { now: 0 }
  const clock = () => time.now
  const { store } = createObjectStore({ state, book })
  const spread = withSpread(market, config.paper.spreadBps)
  const broker = createPaperBroker({ config, market: spread, store, clock })
  const ports: ExecutionPorts = {
    config,
    clock,
    sleep: async () => {},
    store,
    broker,
    market: spread,
    telemetry: silentTelemetry,
    events: noEvents,
    schedule: noSchedule,
  }
  let asked = 0
  const counted: ExecutionPorts = {
    ...ports,
    broker: {
      ...broker,
      position: (symbol) => ((asked += 1), broker.position(symbol)),
      ...(broker.readAll === undefined
        ? {}
        : {
            readAll: (symbol: string, since: number) => (
              (asked += 1),
              broker.readAll?.(symbol, since) ?? Promise.reject(new Error('none'))
            ),
          }),
    },
  }
  const sync = isQuiet
    ? createQuietSync({
        bars: market.history.bars,
        barMs: MINUTE_MS,
        fundingIntervalMs: fundingIntervalOf(config.instrument),
        loadBook: () => store.loadBook(config.id),
      })
    : syncWithVenue
  return {
    questions: () => asked,
    async syncAt(now: number): Promise<StrategyState> {
      time.now = now
      const before = await store.loadState(config.id)
      if (before === null) throw new Error('no state')
      return (await sync(counted, before, { act: true })).state
    },
  }
}

/** All that reconciliation may have learnt; versions count writes. */
const essence = ({ phase, accounting, halt, incidents, suspicions, memory }: StrategyState): string =>
  canonicalJson({ phase, accounting, halt, incidents, suspicions, memory })

describe('reconciliation that asks only when there can be news', () => {
  it('knows after every pass what one that always asks knows, and asks less', async () => {
    const checkpoints = (
      await Promise.all(
        MARKETS.map(async (market) => (await heldIn(market)).map((checkpoint) => ({ market, checkpoint }))),
      )
    ).flat()
    expect(checkpoints.length).toBeGreaterThan(30)
    const questions = { quiet: 0, plain: 0 }
    let ended = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...checkpoints),
        fc.array(fc.tuple(fc.constantFrom(1, 1, 1, 2, 5, 30, 90), fc.constantFrom(0, 0, 7_000)), {
          minLength: 3,
          maxLength: 25,
        }),
        async ({ market, checkpoint }, moves) => {
          const quiet = open(market, checkpoint, true)
          const plain = open(market, checkpoint, false)
          let now = Date.parse(checkpoint.nextSlot)
          for (const [minutes, ms] of moves) {
            now += minutes * MINUTE_MS
            // In a hole the venue has no price: both fail, or the quiet one had nothing to ask.
            if (market.history.barAt(now) === undefined) continue
            const [one, other] = [await quiet.syncAt(now + ms), await plain.syncAt(now + ms)]
            expect(essence(one)).toBe(essence(other))
            if (other.phase.kind !== 'open') ended += 1
          }
          questions.quiet += quiet.questions()
          questions.plain += plain.questions()
        },
      ),
      { seed: 84, numRuns: 60 },
    )
    expect(ended).toBeGreaterThan(20)
    expect(questions.quiet).toBeLessThan(questions.plain * 0.8)
    expect(questions.quiet).toBeGreaterThan(60)
  })
})
