/**
 * What the memory of recent trades changes: the rules decider with and without an eye on its own record, over real
 * history; and what the block costs in a model's prompt. Written down as a page.
 *
 *   npm run performance-memory [-- --only ETH-1m] [--out docs]
 *
 * Reads the candles from ../shared/data, which are not part of this repository; says so and ends when they are not
 * there.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openHistory } from '../../lib/cli/open-history.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { invariant } from '../../lib/core/invariant.ts'
import { lookOf, type Decider, type DecisionLook } from '../../lib/decision/decider.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { decideByRules, type RulesConfig, createRulesDecider } from '../../lib/decision/rules-decider.ts'
import { metricsOf } from '../../lib/evidence/summarise-run.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'
import { performanceOf } from '../../lib/snapshot/build-snapshot.ts'
import { estimateTokens } from '../../lib/snapshot/estimate-tokens.ts'
import type { Snapshot } from '../../schemas/snapshot.ts'
import type { SlotLine } from '../../schemas/replay.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import {
  candleFile,
  fundingFile,
  HISTORIES,
  type HistoryFiles,
  isHourly,
  requireHistories,
  symbolOf,
} from './histories.ts'
import { memoryPage, type MemoryRun, type PromptCost } from './memory-page.ts'
import { percent } from './markdown.ts'

/**
 * How many trades the record is made of; null: the decider does not look at it. None (0) is tried on the short
 * histories.
 */
const READINGS = [null, 0, 10, 30] as const
/** Spot, with outages: of all of them the one that was never traded as a perpetual. */
const DIRTY = 'ETH-1h-spot-dirty'
/** Whose snapshots the prompt is measured on: under the settings that are deployed, at half-hours. */
const MEASURED = 'ETH-1m-2023'

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, out: { type: 'string', default: 'docs' } },
})
requireHistories()

const runs: MemoryRun[] = []
let prompt: PromptCost | null = null
for (const [name, files] of Object.entries(HISTORIES).filter(([one]) => one.startsWith(values.only) && one !== DIRTY)) {
  let lines: readonly SlotLine[] | null = null
  for (const trades of isHourly(files) ? READINGS.filter((count) => count !== 0) : READINGS) {
    const { run, walk, memories } = await replay(name, files, trades, lines)
    lines ??= walk
    runs.push(run)
    if (name === MEASURED && trades === 30) prompt = costOf(memories)
    console.log(
      `${name.padEnd(18)} ${trades === null ? 'not read' : `last ${trades}`} ${percent(run.metrics.totalReturn)}, ${run.metrics.trades} trades, ${run.sitOut} sat out, ${run.different} slots differ`,
    )
  }
}
if (prompt !== null) writeFileSync(path.join(values.out, 'performance-memory.md'), memoryPage(runs, prompt))

/** A snapshot, and the trades the strategy remembered when it was made. */
type Remembered = { snapshot: Snapshot; trades: StrategyState['memory']['trades'] }

async function replay(
  name: string,
  files: HistoryFiles,
  trades: number | null,
  unread: readonly SlotLine[] | null,
): Promise<{ run: MemoryRun; walk: readonly SlotLine[]; memories: Remembered[] }> {
  const overrides = {
    market: { source: candleFile(files), fundingFile: fundingFile(files), symbol: symbolOf(name) },
    decider: { kind: 'rules', followsRecord: trades !== null },
    ...(trades === null ? {} : { memory: { trades } }),
    ...(isHourly(files) ? { guard: { maxDailyLoss: 1, maxDrawdown: 1 } } : {}),
    ...(files.instrument === undefined ? {} : { instrument: files.instrument }),
  }
  const quiet = {
    stdout: () => {},
    stderr: () => {},
    env: {},
    clock: () => 0,
    newId: () => 'performance-memory',
    sleep: async () => {},
  }
  const { config, market, from, to } = await openHistory(
    loadConfig({ ...(files.strategy === undefined ? {} : { strategy: files.strategy }), overrides }),
    {},
    quiet,
  )
  const { decider, sitOut } = countingDecider(config)
  const memories: Remembered[] = []
  let remembered: StrategyState['memory']['trades'] = []
  const {
    lines,
    trades: closed,
    state,
  } = await runReplay({
    config,
    market,
    decider,
    from,
    to,
    onSlot: ({ record, checkpoint }) => {
      const snapshot = record?.snapshot ?? null
      if (snapshot !== null) memories.push({ snapshot, trades: remembered })
      remembered = checkpoint().state?.memory.trades ?? []
    },
  })
  const metrics = metricsOf({ lines, trades: closed }, { config, from, to, resamples: 0 })
  const different = unread === null ? 0 : lines.filter(({ action }, index) => action !== unread[index]?.action).length
  return {
    run: {
      name,
      isLifted: isHourly(files),
      read: trades,
      slots: lines.length,
      metrics,
      haltedAt: state?.halt?.at ?? null,
      sitOut: sitOut.size,
      different,
    },
    walk: lines,
    memories,
  }
}

/** The configured rules, and the slots at which they decide otherwise than they would without a look at the record. */
function countingDecider({ decider: config }: StrategyConfig): { decider: Decider; sitOut: ReadonlySet<string> } {
  invariant(config.kind === 'rules', 'these replays are decided by rules')
  const blind: RulesConfig = { ...config, followsRecord: false }
  const { foresee, ...rest } = createRulesDecider(config)
  invariant(foresee !== undefined, 'rules foresee')
  const sitOut = new Set<string>()
  const counted = (look: DecisionLook): ReturnType<typeof foresee> => {
    const outcome = foresee(look)
    if (outcome.decision.action !== decideByRules(look, blind).decision.action) sitOut.add(look.slot)
    return outcome
  }
  return { decider: { ...rest, foresee: counted, decide: async ({ snapshot }) => counted(lookOf(snapshot)) }, sitOut }
}

/** What the block costs in the prompts of a run: all of its snapshots, rendered with as many trades as asked. */
function costOf(memories: readonly Remembered[]): PromptCost {
  const last = memories.at(-1)
  invariant(last !== undefined, 'a run has snapshots')
  const withTrades = ({ snapshot, trades }: Remembered, count: number): Snapshot => ({
    ...snapshot,
    performance: performanceOf(trades, count),
  })
  invariant(
    JSON.stringify(withTrades(last, 30)) === JSON.stringify(last.snapshot),
    'the memory is the one that the snapshot was made of',
  )
  const rows = [0, 10, 30].map((count) => {
    const texts = memories
      .map((memory) => buildPrompt(withTrades(memory, count)))
      .map(({ system, user }) => system + user)
    return {
      trades: count,
      characters: average(texts.map(({ length }) => length)),
      tokens: average(texts.map(estimateTokens)),
    }
  })
  const blockOf = (count: number): string =>
    /RECENT TRADES[^]*?(?=\n\n|$)/.exec(buildPrompt(withTrades(last, count)).user)?.[0] ?? ''
  return { history: MEASURED, snapshots: memories.length, rows, block: blockOf(30) }
}

function average(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0) / numbers.length
}
