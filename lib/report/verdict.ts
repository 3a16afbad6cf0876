import type { Gate } from '../../schemas/metrics.ts'
import type { ReportData } from '../../schemas/report.ts'

/** What a report comes to: the result of all gates together, and it in words. */
export type Verdict = { result: Gate['result'] | 'not_judged'; sentence: string }

/** A failed gate fails the whole; a gate without evidence keeps it from passing. */
export function judgeReport({
  gates,
  metrics,
  baselines,
}: Pick<ReportData, 'gates' | 'metrics' | 'baselines'>): Verdict {
  const named = (result: Gate['result']) =>
    gates
      .filter((gate) => gate.result === result)
      .map((gate) => gate.gate.replaceAll('_', ' ').replace('sharpe', 'Sharpe'))
  const failed = named('fail')
  const unproven = named('not_enough_evidence')
  const result =
    gates.length === 0
      ? 'not_judged'
      : failed.length > 0
        ? 'fail'
        : unproven.length > 0
          ? 'not_enough_evidence'
          : 'pass'
  const hold = baselines?.hold ?? null
  const trades = metrics.trades === 1 ? '1 trade' : `${metrics.trades} trades`
  const sentence = [
    gates.length === 0 ? 'No gates were judged.' : `${named('pass').length} of ${gates.length} gates passed.`,
    ...(failed.length === 0 ? [] : [`Failed: ${failed.join(', ')}.`]),
    ...(unproven.length === 0 ? [] : [`Too little evidence: ${unproven.join(', ')}.`]),
    `It returned ${signedPercent(metrics.totalReturn)} with ${trades}${hold === null ? '' : `; holding returned ${signedPercent(hold.totalReturn)}`}.`,
  ].join(' ')
  return { result, sentence }
}

/** A fraction as a percentage with one decimal, its sign and a real minus. */
function signedPercent(fraction: number): string {
  const text = (Math.abs(fraction) * 100).toFixed(1)
  const sign = Number(text) === 0 ? '' : fraction > 0 ? '+' : '−'
  return `${sign}${text} %`
}
