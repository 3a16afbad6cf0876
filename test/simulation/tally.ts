import type { SimReport } from './run-scenario.ts'

/** Totals over many lives; plain data, so that it passes between processes. */
export type Tally = {
  lives: number
  steps: number
  crashPoints: number
  crashes: number
  cycles: number
  passes: number
  entries: number
  trades: number
  longestNakedS: number
  faults: Record<string, number>
  requests: Record<string, number>
  /** First violations, with the life they were seen in. */
  violations: { name: string; invariant: number; at: string; text: string }[]
  livesWithViolations: number
}

const VIOLATIONS_KEPT = 200

export const emptyTally = (): Tally => ({
  lives: 0,
  steps: 0,
  crashPoints: 0,
  crashes: 0,
  cycles: 0,
  passes: 0,
  entries: 0,
  trades: 0,
  longestNakedS: 0,
  faults: {},
  requests: {},
  violations: [],
  livesWithViolations: 0,
})

const SUMMED = ['steps', 'crashPoints', 'crashes', 'cycles', 'passes', 'entries', 'trades'] as const

const add = (into: Record<string, number>, from: Iterable<[string, number]>): void => {
  for (const [key, count] of from) into[key] = (into[key] ?? 0) + count
}

/** Adds one life. */
export function count(tally: Tally, report: SimReport): void {
  tally.lives += 1
  for (const key of SUMMED) tally[key] += report[key]
  tally.longestNakedS = Math.max(tally.longestNakedS, report.longestNakedS)
  add(tally.faults, report.faults)
  add(tally.requests, report.requests)
  if (report.violations.length > 0) tally.livesWithViolations += 1
  for (const violation of report.violations)
    if (tally.violations.length < VIOLATIONS_KEPT) tally.violations.push({ name: report.name, ...violation })
}

/** Adds another process's totals. */
export function merge(tally: Tally, other: Tally): void {
  tally.lives += other.lives
  for (const key of SUMMED) tally[key] += other[key]
  tally.longestNakedS = Math.max(tally.longestNakedS, other.longestNakedS)
  add(tally.faults, Object.entries(other.faults))
  add(tally.requests, Object.entries(other.requests))
  tally.livesWithViolations += other.livesWithViolations
  tally.violations = [...tally.violations, ...other.violations].slice(0, VIOLATIONS_KEPT)
}

/** The totals for people. */
export function describeTally(tally: Tally): string {
  const row = (label: string, value: string | number): string =>
    `${label.padEnd(28)}${typeof value === 'number' ? value.toLocaleString('en') : value}`
  const byFamily = new Map<string, number>()
  for (const [kind, times] of Object.entries(tally.faults)) {
    const family = kind.startsWith('crash ') ? `crash ${kind.split(' ')[1]} a call` : kind
    byFamily.set(family, (byFamily.get(family) ?? 0) + times)
  }
  return [
    row('lives', tally.lives),
    row('steps', tally.steps),
    row('cycles, passes', `${tally.cycles.toLocaleString('en')}, ${tally.passes.toLocaleString('en')}`),
    row('entries filled, trades', `${tally.entries.toLocaleString('en')}, ${tally.trades.toLocaleString('en')}`),
    row('crash points passed', tally.crashPoints),
    row('crashes', tally.crashes),
    row('longest without a stop', `${tally.longestNakedS.toFixed(0)} s`),
    '',
    'faults',
    ...[...byFamily]
      .sort((a, b) => b[1] - a[1])
      .map(([kind, times]) => row(`  ${kind}`.slice(0, 60).padEnd(46), times)),
    '',
    row('lives with violations', tally.livesWithViolations),
    ...tally.violations.map(({ name, invariant, at, text }) => `  ${name}: invariant ${invariant} at ${at}: ${text}`),
  ].join('\n')
}
