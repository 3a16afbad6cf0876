import type { Metrics } from '../../schemas/metrics.ts'
import { number, percent, share, table } from './markdown.ts'

/** One replay: `read` is of how many trades the decider read the record, null of none because it did not look. */
export type MemoryRun = {
  name: string
  isLifted: boolean
  read: number | null
  slots: number
  metrics: Metrics
  haltedAt: string | null
  /**
   * Slots at which the record made the decision another, and slots whose action is another than in the run that did not
   * look.
   */
  sitOut: number
  different: number
}

/** Size of the prompt, on average over the snapshots of a replay. */
export type PromptCost = {
  history: string
  snapshots: number
  rows: { trades: number; characters: number; tokens: number }[]
  block: string
}

/** Cycles a month at the default interval of 30 minutes. */
const CYCLES_A_MONTH = 48 * 30

export function memoryPage(runs: readonly MemoryRun[], prompt: PromptCost): string {
  const names = [...new Set(runs.map(({ name }) => name))]
  const inert = runs.filter(({ read }) => read === 0)
  return `# What the memory of recent trades changes

Every snapshot carries a block *recent trades*: how the last \`memory.trades\` (30) closed trades went, in all, by side and by market regime at entry. It is computed from the strategy's state by one function, in replay and live; [a test](../test/replay/performance-memory.test.ts) trades the same market both ways and finds the block, and the story of each cycle around it, the same to the last byte. This page is made by \`npm run performance-memory\`.

## What a decider that reads it does otherwise

The rules decider has a switch for this experiment, \`decider.followsRecord\`: it sits out the side whose recent trades lost and did worse than the other side's. On every history of a perpetual it ran without it, and with it over the last 10 and the last 30 trades. The hourly histories ran with the account's limits lifted, so that all of them is seen. *Sat out* are slots at which the record turned an entry into a hold; *differ* are slots whose action is another than without it, what follows from those holds included.

${table(
  [
    'history',
    'record read',
    'return',
    'max drawdown',
    'trades',
    'won',
    'average',
    'fees',
    'sat out',
    'differ',
    'of slots',
  ],
  runs
    .filter(({ read }) => read !== 0)
    .map(({ name, read, metrics, sitOut, different, slots, haltedAt }) => [
      name,
      read === null ? 'no' : `last ${read}`,
      `${percent(metrics.totalReturn)}${haltedAt === null ? '' : ` (halted ${haltedAt.slice(0, 10)})`}`,
      share(metrics.maxDrawdown, 1),
      number(metrics.trades),
      share(metrics.winRate),
      metrics.averageR === null ? '–' : `${number(metrics.averageR, 2)} R`,
      number(metrics.fees),
      ...(read === null ? ['', '', ''] : [number(sitOut), number(different), share(different / slots, 1)]),
    ]),
)}

${[10, 30].map((read) => findings(runs, names, read)).join('\n')}
- With \`memory.trades\` 0 there is no record to read: ${inert.every(({ sitOut, different }) => sitOut === 0 && different === 0) ? `on all ${inert.length} histories the decider that looks decides at every slot as the one that does not` : 'the decider that looks should decide as the one that does not, and did not everywhere'}.

Two of these histories (ETH-1m and ETH-5m of 2023) are the same days, and nothing says how often chance alone does as much. Fewer trades with an edge below zero lose less; that is no skill. What speaks for the block would be a better *average*, the result of one trade in units of its risk.

## What it costs in a prompt

On average over the ${number(prompt.snapshots)} snapshots of ${prompt.history} at which the replay had to look closer, system text included; tokens by the estimate that budgets go by, which errs on the high side.

${table(
  ['`memory.trades`', 'characters', 'estimated tokens', 'more than with 0', 'a month of 30-minute cycles'],
  prompt.rows.map(({ trades, characters, tokens }) => [
    String(trades),
    number(characters),
    number(tokens),
    trades === 0 ? '' : `${number(tokens - (prompt.rows[0]?.tokens ?? 0))} tokens`,
    trades === 0 ? '' : `${number((tokens - (prompt.rows[0]?.tokens ?? 0)) * CYCLES_A_MONTH)} tokens`,
  ]),
)}

The block is sums, not a list, so more trades make it hardly longer. The last one of that replay, with 30 trades:

\`\`\`text
${prompt.block}
\`\`\`

## What cannot be shown here

No model was asked, so what one makes of the block is not known: whether it grows cautious after losses, chases a side, or ignores it. That is measured with your own key, with two configurations that differ in nothing else:

\`\`\`sh
echo '{ "decider": { "kind": "openai" }, "memory": { "trades": 0 } }' > without.json
echo '{ "decider": { "kind": "openai" }, "memory": { "trades": 30 } }' > with.json
npx hourhand compare --candles FILE.csv.gz --config without.json with.json --samples 3 --record --budget-tokens 10000000
\`\`\`

These are six walks of 48 questions a day; \`--from\` and \`--to\` choose the days, \`decider.price\` with \`--budget\` limits dollars instead of tokens. Until a trade has closed both ask the same question, which is asked once. The result says at how many slots the two act alike, beside how far each agrees with itself over its three samples: only a difference larger than that is the block's. The command was tried against a loopback server that answers by a fixed rule, not against a model.
`
}

/** What reading the record of so many trades did, in a sentence made of the numbers. */
function findings(runs: readonly MemoryRun[], names: readonly string[], read: number): string {
  const pairs = names.flatMap((name) => {
    const off = runs.find((run) => run.name === name && run.read === null)
    const on = runs.find((run) => run.name === name && run.read === read)
    return off === undefined || on === undefined ? [] : [{ off: off.metrics, on: on.metrics }]
  })
  const count = (isSo: (pair: (typeof pairs)[number]) => boolean): string =>
    `${pairs.filter(isSo).length} of ${pairs.length}`
  const trades = (of: 'off' | 'on'): number => pairs.reduce((total, pair) => total + pair[of].trades, 0)
  return `- **Last ${read}:** ${number(trades('on'))} trades instead of ${number(trades('off'))} in all. The return is higher on ${count(({ off, on }) => on.totalReturn > off.totalReturn)} histories, the drawdown smaller on ${count(({ off, on }) => on.maxDrawdown < off.maxDrawdown)}, the average trade better on ${count(({ off, on }) => (on.averageR ?? 0) > (off.averageR ?? 0))}.`
}
