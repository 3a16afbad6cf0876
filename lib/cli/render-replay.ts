import { durationWords, intervalMsOf } from '../core/interval.ts'
import { describeAnswers } from '../evidence/answers.ts'
import type { Baseline, ReplayReport } from '../../schemas/replay.ts'
import { describeQuality } from '../report/describe-quality.ts'
import { amount, percent, readingOf, section, signedPercent, table, wrap } from './format.ts'

/** Trades shown in full; a longer list is in the report and in `--json`. */
const TRADES_SHOWN = 12

const NONE = '-'
const fixed = (value: number | null, places = 2): string => (value === null ? NONE : value.toFixed(places))

/** A replay for people: what it made, what that is worth as evidence, and where the money went. */
export function renderReplay(report: ReplayReport, out: string | null): string {
  const { config, data, counts, metrics, gates, trades, end } = report
  return `${[
    `Hourhand  replay of ${data.symbol} · ${data.from} to ${data.to} · every ${durationWords(intervalMsOf(config))} on ${data.timeframe} bars · decider ${report.decider}${report.model === null ? '' : ` ${report.model}`}`,
    '',
    section('Data', describeQuality(counts)),
    '',
    ...readingOf(report.notes),
    ...(trades.length === 0 ? [] : [section('Trades', tradesOf(report)), '']),
    section('Result', [
      `equity ${amount(metrics.startEquity)} -> ${amount(metrics.endEquity)} (${signedPercent(metrics.totalReturn)}), ${percent(metrics.annualisedReturn)} a year, volatility ${percent(metrics.volatility)}`,
      `Sharpe ${fixed(metrics.sharpe)}, Sortino ${fixed(metrics.sortino)}, Calmar ${fixed(metrics.calmar)}; largest drawdown ${percent(metrics.maxDrawdown)}${metrics.longestDrawdown === null ? '' : `, under water for up to ${metrics.longestDrawdown.days.toFixed(1)} days`}`,
      `${metrics.trades} trades, won ${percent(metrics.winRate)}, profit factor ${fixed(metrics.profitFactor)}, average ${fixed(metrics.averageR, 3)} R, in the market ${percent(metrics.exposure)} of the time`,
      ...(end.halt === null ? [] : [`HALTED since ${end.halt.at}: ${end.halt.reason}; nothing was opened after that`]),
      ...(end.openPosition === null
        ? []
        : [
            `still open at the end: ${end.openPosition.side} ${end.openPosition.quantity} from ${amount(end.openPosition.entryPrice)}`,
          ]),
    ]),
    section('Costs', costsOf(report)),
    section('Counts', [
      `${counts.bars} bars, ${counts.slots} slots: ${tally(counts.outcomes)}; ${(report.elapsedMs / 1_000).toFixed(2)} s`,
      `refused by ${Object.keys(counts.refusalsByRule).length === 0 ? 'no rule' : tally(counts.refusalsByRule)}`,
      ...(counts.answers.failed === 0 ? [] : [describeAnswers(counts.answers)]),
      ...Object.entries(counts.failures).map(([reason, count]) => `${count} x failed: ${reason}`),
    ]),
    section('Beside', baselinesOf(report)),
    ...(report.attribution === null ? [] : [section('Made by', attributionOf(report.attribution))]),
    ...(report.cutoff === null ? [] : [section('Cutoff', cutoffOf(report.cutoff))]),
    section('Luck', luckOf(report)),
    section(
      'Gates',
      gates.flatMap(({ gate, result, reason }) => wrap(`${MARKS[result]} ${gate}: ${reason}`)),
    ),
    ...(out === null
      ? []
      : [
          '',
          section('Kept', [
            `${out}: replay.json and what it was made of; evidence.json for sizing`,
            `read it with: npx hourhand report --out ${out}`,
          ]),
        ]),
  ].join('\n')}\n`
}

const MARKS = { pass: 'pass   ', fail: 'FAIL   ', not_enough_evidence: 'unknown' } as const

function tradesOf({ trades }: ReplayReport): string[] {
  const rows = trades
    .slice(-TRADES_SHOWN)
    .map((trade) => [
      trade.entryTime.slice(0, 16),
      trade.side,
      trade.quantity,
      `${amount(trade.entryPrice)} -> ${amount(trade.exitPrice)}`,
      trade.exitTime.slice(0, 16),
      trade.exitReason,
      `pnl ${amount(trade.pnl)}`,
      trade.rMultiple === null ? '' : `${trade.rMultiple.toFixed(2)} R`,
    ])
  return [...(trades.length > TRADES_SHOWN ? [`the last ${TRADES_SHOWN} of ${trades.length}`] : []), ...table(rows)]
}

function costsOf({ metrics, data }: ReplayReport): string[] {
  const { tokens, tokenCostUsd } = metrics
  const asked = tokens.input + tokens.output
  return [
    `gross ${amount(metrics.gross)}, fees ${amount(metrics.fees)}, funding ${amount(metrics.funding)}${data.assumedFundingShare === null ? '' : ` (${percent(data.assumedFundingShare)} of it at an assumed rate)`}, slippage ${amount(metrics.slippage)} inside the prices`,
    ...(asked === 0
      ? []
      : [
          `tokens ${amount(tokens.input, 0)} in, ${amount(tokens.output, 0)} out, ${tokenCostUsd === null ? 'of unknown price (decider.price)' : `$${amount(tokenCostUsd)}, paid beside`}`,
        ]),
  ]
}

const rowOf = (
  name: string,
  result: Pick<Baseline, 'totalReturn' | 'sharpe' | 'maxDrawdown' | 'trades'> | null,
): string[][] =>
  result === null
    ? []
    : [
        [
          name,
          signedPercent(result.totalReturn),
          `Sharpe ${fixed(result.sharpe)}`,
          `drawdown ${percent(result.maxDrawdown)}`,
          `${result.trades} trades`,
        ],
      ]

function baselinesOf({ baselines: { hold, flat, rules, random }, metrics }: ReplayReport): string[] {
  return [
    ...table([...rowOf('this', metrics), ...rowOf('hold', hold), ...rowOf('flat', flat), ...rowOf('rules', rules)]),
    ...(random === null
      ? []
      : [
          `random, ${random.seeds} seeds: median ${random.median === null ? NONE : signedPercent(random.median)}, from ${random.p05 === null ? NONE : signedPercent(random.p05)} to ${random.p95 === null ? NONE : signedPercent(random.p95)}; this beats ${percent(random.percentile)} of them`,
        ]),
  ]
}

function attributionOf(attribution: NonNullable<ReplayReport['attribution']>): string[] {
  const { decider, guard, exits, sizing, pnl, averageR, averageApprovedR, averageRefusedR, approved, refused } =
    attribution
  return [
    `decider ${amount(decider)}, guard ${amount(guard)}, early exits ${amount(exits)}, sizing ${amount(sizing)}: together ${amount(pnl)}`,
    `an entry decision was worth ${fixed(averageR, 3)} R: ${approved} let through ${fixed(averageApprovedR, 3)} R, ${refused} refused ${fixed(averageRefusedR, 3)} R`,
  ]
}

const cutoffOf = ({ at, before, after }: NonNullable<ReplayReport['cutoff']>): string[] =>
  [
    ['before', before],
    ['after', after],
  ].map(([name, part]) => {
    const result = part as Baseline | null
    return `${String(name)} ${at.slice(0, 10)}: ${result === null ? 'nothing' : `${signedPercent(result.totalReturn)}, Sharpe ${fixed(result.sharpe)}, ${result.trades} trades`}`
  })

const interval = (name: string, value: { low: number; high: number } | null, show: (n: number) => string): string =>
  value === null ? '' : `${name} ${show(value.low)} to ${show(value.high)}`

function luckOf({ metrics: { evidence } }: ReplayReport): string[] {
  const { trials, probabilisticSharpe, deflatedSharpe, intervals, confidence } = evidence
  const ranges = [
    interval('return', intervals.totalReturn, (n) => signedPercent(n)),
    interval('Sharpe', intervals.sharpe, (n) => n.toFixed(2)),
    interval('average', intervals.averageR, (n) => `${n.toFixed(3)} R`),
  ].filter((text) => text !== '')
  return [
    `skill above zero with probability ${fixed(probabilisticSharpe, 3)}; after ${trials} ${trials === 1 ? 'trial' : 'trials'} on this market, ${fixed(deflatedSharpe, 3)}`,
    ...(ranges.length === 0 ? [] : [`${confidence * 100} % of resamples: ${ranges.join('; ')}`]),
  ]
}

const tally = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
