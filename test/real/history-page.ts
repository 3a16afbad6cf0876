import { durationWords, intervalMsOf } from '../../lib/core/interval.ts'
import type { StoredReplay } from '../../schemas/replay.ts'
import { number, percent, share, table } from './markdown.ts'

/** Settings over the defaults. */
export type Overrides = {
  guard?: { maxDailyLoss: number; maxDrawdown: number }
  instrument?: Record<string, unknown>
}

const LIFTED = { maxDailyLoss: 1, maxDrawdown: 1 }

/** What is changed of the configuration. */
export const VARIANTS = {
  'as it comes': {},
  'limits lifted': { guard: LIFTED },
  'percentage fees': {
    guard: LIFTED,
    instrument: { fees: { maker: '0.0002', taker: '0.0005', perContract: '0' } },
  },
} as const satisfies Record<string, Overrides>
export type Variant = keyof typeof VARIANTS

/** One replay; `curve` is its equity in multiples of the start, thinned out. */
export type HistoryRun = {
  name: string
  variant: Variant
  note: string
  replay: StoredReplay
  curve: { time: number; equity: number }[]
}

/** The page, in Markdown. Whatever it says of the results is made of their numbers. */
export function historyPage(runs: readonly HistoryRun[]): string {
  const of = (wanted: Variant): HistoryRun[] => runs.filter(({ variant }) => variant === wanted)
  const [asItComes, lifted, cheap] = [of('as it comes'), of('limits lifted'), of('percentage fees')]
  return `# The rules decider on real history

What the default rules (EMA 12 against 26, an RSI filter, stop 2 ATR, target 4 ATR) would have made of 10,000 on every piece of real history at hand, through the code that trades: guard, sizing, ledger, and a paper venue with spread, slippage, latency, fees, funding and liquidation. Made by \`npm run real-history\`; nothing was tuned.

${verdict(runs)}

![Equity over the years of the hourly histories, the account's limits lifted](real-history.svg)

## As it comes

The guard halts for good at 5 % lost in a day or 15 % from the peak, since nobody resumes.

${resultTable(asItComes)}

## With the account's limits lifted

The same without those two halts, so that the whole history is seen; where none came it is the same run again.

${resultTable(lifted)}

## With percentage fees as well

The default contract costs 0.03 % and 0.15 a contract and side. At 130, where ETH began 2020, a contract of a tenth of an ETH is worth 13, and 0.15 is 1.2 % of it. Here the fee is 0.05 % (taker) and 0.02 % (maker) instead, as other venues charge.

${resultTable(cheap)}

*Hold* buys once with all the cash, pays funding, and sells at the end${holdNote(runs)}. Doing nothing makes 0 %. *Random* enters as often as the rules ask, either way, with the same stops, targets, guard and costs, and holds on where the rules close on a turned trend: the median, and how many of those runs the rules *beat*. *Gates* are Sharpe, drawdown, number of trades, deflated Sharpe, and holding ([what they ask](metrics.md#gates)).

## Where the money goes

With the limits lifted. *Price moves* is what entries and exits at the middle of the market would have made; with the three after it, it makes the PnL. The last three are means over the trades, in R, the money at risk at entry.

${costTable(lifted, cheap)}

Each entry decision was also played alone to its stop, target or time limit at equal risk, let through by the guard or not. What all of them came to, what refusing some, closing early and sizing added to that, and their sum:

${attributionTable(lifted)}

${findings(lifted, cheap)}

## What was run

${table(
  ['history', 'bars', 'from', 'to', 'slots', 'a decision every', 'of note'],
  lifted.map(({ name, note, replay: { data, counts, config } }) => [
    name,
    data.timeframe,
    data.from.slice(0, 10),
    data.to.slice(0, 10),
    number(counts.slots),
    durationWords(intervalMsOf(config)),
    note,
  ]),
)}

Every run is a trial in one ledger, and a deflated Sharpe ratio counts those on its market and days that came before it. Daily bars are not among them: decisions are made every 30 or 60 minutes, and \`replay\` refuses coarser bars. The SOL contract (5 SOL, tick 0.01) is assumed.
`
}

function verdict(runs: readonly HistoryRun[]): string {
  const count = (isSo: (replay: StoredReplay) => boolean): number => runs.filter(({ replay }) => isSo(replay)).length
  const lost = count(({ metrics }) => metrics.totalReturn < 0)
  const passed = runs.flatMap(({ replay }) =>
    replay.gates.filter(({ result }) => result === 'pass').map(({ gate }) => gate),
  )
  const gates = [...new Set(passed)].map((gate) => `\`${gate}\` (${passed.filter((one) => one === gate).length})`)
  const all = count(({ gates: judged }) => judged.every(({ result }) => result === 'pass'))
  return `**It loses money in ${lost} of ${runs.length} runs, does worse than holding in ${count(({ metrics, baselines }) => baselines.hold !== null && metrics.totalReturn < baselines.hold.totalReturn)}, and passes all gates in ${all === 0 ? 'none' : all}.** Gates passed, by number of runs: ${gates.length === 0 ? 'none' : gates.join(', ')}. The highest deflated Sharpe ratio is ${number(Math.max(...runs.map(({ replay }) => replay.metrics.evidence.deflatedSharpe ?? 0)), 3)}, where 0.95 is asked.`
}

/** Holding is not liquidated by funding; where it would have been, that is said. */
function holdNote(runs: readonly HistoryRun[]): string {
  const broke = runs.filter(({ replay }) => (replay.baselines.hold?.maxDrawdown ?? 0) > 1).map(({ name }) => name)
  return broke.length === 0
    ? ''
    : `; on ${new Intl.ListFormat('en-GB').format(new Set(broke))} costs and funding came to more than it was worth on the way (a drawdown above 100 %), through which no venue would have let it be held`
}

function resultTable(runs: readonly HistoryRun[]): string {
  return table(
    ['history', 'return', 'hold', 'random', 'beats', 'max drawdown', 'Sharpe', 'trades', 'won', 'average', 'gates'],
    runs.map(({ name, replay: { metrics, baselines, gates, end } }) => [
      name,
      `${percent(metrics.totalReturn)}${end.halt === null ? '' : ` (halted ${end.halt.at.slice(0, 10)})`}`,
      percent(baselines.hold?.totalReturn ?? null),
      percent(baselines.random?.median ?? null),
      beaten(baselines.random),
      share(metrics.maxDrawdown, 1),
      number(metrics.sharpe, 2),
      number(metrics.trades),
      share(metrics.winRate),
      inR(metrics.averageR),
      `${gates.filter(({ result }) => result === 'pass').length} of ${gates.length}`,
    ]),
  )
}

/** A tie counts half. */
function beaten(random: StoredReplay['baselines']['random']): string {
  if (random === null || random.percentile === null) return '–'
  const won = random.percentile * random.seeds
  return `${number(won, Number.isInteger(won) ? 0 : 1)} of ${random.seeds}`
}

const inR = (value: number | null): string => (value === null ? '–' : `${number(value, 2)} R`)

/** What the trades of some runs came to and cost, in money and in R of a trade. */
type Costs = {
  moves: number
  slippage: number
  fees: number
  funding: number
  pnl: number
  beforeR: number
  costR: number
  averageR: number
  trades: number
}

function costsOf(runs: readonly HistoryRun[]): Costs {
  const trades = runs.flatMap(({ replay }) => replay.trades)
  const total = (of: (trade: (typeof trades)[number]) => number): number =>
    trades.reduce((sum, trade) => sum + of(trade), 0)
  const [slippage, fees, funding, pnl] = [
    total((trade) => Number(trade.slippage)),
    total((trade) => Number(trade.fees)),
    total((trade) => Number(trade.funding)),
    total((trade) => Number(trade.pnl)),
  ]
  // Money at risk at entry is pnl / R; a trade that made exactly nothing says nothing of it.
  const sized = trades.flatMap(({ rMultiple, pnl: made, fees: fee, slippage: slipped, funding: funded }) =>
    rMultiple === null || rMultiple === 0
      ? []
      : [{ r: rMultiple, cost: (Number(fee) + Number(slipped) - Number(funded)) / (Number(made) / rMultiple) }],
  )
  const averageR = sized.reduce((sum, { r }) => sum + r, 0) / sized.length
  const costR = sized.reduce((sum, { cost }) => sum + cost, 0) / sized.length
  return {
    moves: pnl - funding + fees + slippage,
    slippage,
    fees,
    funding,
    pnl,
    beforeR: averageR + costR,
    costR,
    averageR,
    trades: trades.length,
  }
}

function costTable(lifted: readonly HistoryRun[], cheap: readonly HistoryRun[]): string {
  const row = (name: string, runs: readonly HistoryRun[], assumed: string): string[] => {
    const { moves, slippage, fees, funding, pnl, beforeR, costR, averageR } = costsOf(runs)
    return [
      name,
      number(moves),
      number(-slippage),
      number(-fees),
      number(funding),
      number(pnl),
      assumed,
      inR(beforeR),
      inR(-costR),
      inR(averageR),
    ]
  }
  return table(
    [
      'history',
      'price moves',
      'spread, slippage',
      'fees',
      'funding',
      'PnL',
      'funding assumed',
      'a trade before costs',
      'its costs',
      'after',
    ],
    [
      ...lifted.map((run) => row(run.name, [run], share(run.replay.data.assumedFundingShare))),
      row('**all**', lifted, ''),
      row('**all, percentage fees**', cheap, ''),
    ],
  )
}

function attributionTable(runs: readonly HistoryRun[]): string {
  return table(
    ['history', 'decisions', 'average', 'let through', 'refused', 'decider', 'guard', 'early exits', 'sizing', 'PnL'],
    runs.flatMap(({ name, replay: { attribution: made } }) =>
      made === null
        ? []
        : [
            [
              name,
              number(made.decisions),
              inR(made.averageR),
              inR(made.averageApprovedR),
              inR(made.averageRefusedR),
              number(made.decider),
              number(made.guard),
              number(made.exits),
              number(made.sizing),
              number(made.pnl),
            ],
          ],
    ),
  )
}

function findings(lifted: readonly HistoryRun[], cheap: readonly HistoryRun[]): string {
  const [dear, low] = [costsOf(lifted), costsOf(cheap)]
  const count = (runs: readonly HistoryRun[], isSo: (replay: StoredReplay) => boolean): string =>
    `${runs.filter(({ replay }) => isSo(replay)).length} of ${runs.length}`
  const sum = (runs: readonly HistoryRun[], of: (replay: StoredReplay) => number): number =>
    runs.reduce((total, { replay }) => total + of(replay), 0)
  const ended = (reason: string): number =>
    sum(lifted, ({ trades }) => trades.filter(({ exitReason }) => exitReason === reason).length)
  const [stops, targets] = [ended('stop_loss'), ended('take_profit')]
  const turned = lifted.flatMap(({ replay: { trades } }) =>
    trades.filter(({ exitReason }) => exitReason === 'decision'),
  )
  const lost = turned.filter(({ pnl }) => Number(pnl) < 0).length
  const beatsMedian = ({ metrics, baselines }: StoredReplay): boolean =>
    metrics.totalReturn > (baselines.random?.median ?? Number.POSITIVE_INFINITY)
  const isRefusedWorse = ({ attribution: made }: StoredReplay): boolean =>
    (made?.averageRefusedR ?? Number.POSITIVE_INFINITY) < (made?.averageApprovedR ?? Number.NEGATIVE_INFINITY)
  const worth = (name: 'guard' | 'exits' | 'sizing'): string =>
    number(
      sum(lifted, ({ attribution: made }) => Number(made?.[name] ?? 0)),
      0,
      true,
    )
  const [ambiguous, held] = [
    sum(lifted, ({ counts }) => counts.ambiguousBars),
    sum(lifted, ({ counts }) => counts.heldBars),
  ]
  return `- **Costs.** A trade before costs made ${inR(dear.beforeR)} on average, and its spread, slippage, fees and funding took ${inR(dear.costR)}; with percentage fees ${inR(low.beforeR)} and ${inR(low.costR)}. In money, fees of ${number(dear.fees)} (with percentage fees ${number(low.fees)}) stand against price moves of ${number(dear.moves)} (${number(low.moves)}).
- **The signal.** Of the ${number(stops + targets)} trades that ended at stop or target, ${share(targets / (stops + targets), 1)} reached the target. With a target twice as far as the stop, a price that knows no direction does so one time in three; but the ${number(turned.length)} closed before because the trend had turned are not among them, and ${share(lost / turned.length)} of those stood at a loss. Before costs, trade by trade, the signal is worth the ${inR(dear.beforeR)} above.
- **Against chance.** The rules made more than the median random run on ${count(lifted, beatsMedian)} histories, and with percentage fees on ${count(cheap, beatsMedian)}.
- **The guard** refused decisions that were on average worse than those it let through on ${count(lifted, isRefusedWorse)} histories. Refusing made a difference of ${worth('guard')} in all, each taken alone; they overlap in time, and not all of them could have been taken.
- **Exits.** Trades ended by ${exitShares(lifted)}. Closing before stop, target or time limit (\`decision\` is the trend having turned) made a difference of ${worth('exits')}.
- **Sizing** made a difference of ${worth('sizing')} against the same risk on every trade. While the record shows no edge a trade risks ${share(lifted[0]?.replay.config.sizing.minRisk ?? null, 2)} of what is left, so the stake shrinks with the account.
- **Ambiguous bars**, in which stop and target were both touched: ${number(ambiguous)} of ${number(held)} bars with a position (${share(ambiguous / held, 3)}); the stop counted.`
}

/** Why trades ended, the most frequent first. */
function exitShares(runs: readonly HistoryRun[]): string {
  const reasons = runs.flatMap(({ replay }) => replay.trades.map(({ exitReason }) => exitReason))
  return [...new Set(reasons)]
    .map((reason) => ({ reason, part: reasons.filter((one) => one === reason).length / reasons.length }))
    .sort((a, b) => b.part - a.part)
    .map(({ reason, part }) => `\`${reason}\` (${share(part, 1)})`)
    .join(', ')
}
