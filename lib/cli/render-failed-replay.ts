import { durationWords, intervalMsOf } from '../core/interval.ts'
import type { FailedReplay } from '../../schemas/replay.ts'
import { describeQuality } from '../report/describe-quality.ts'
import { section, wrap } from './format.ts'

/** Reasons shown; the rest is in `--json`. */
const REASONS_SHOWN = 6

/** A replay whose answers failed, for people: what failed, how often, and that nothing else is to be had of it. */
export function renderFailedReplay(
  { config, data, decider, model, counts, problem }: FailedReplay,
  out: string | null,
): string {
  const reasons = Object.entries(counts.failures)
  return `${[
    `Hourhand  replay of ${data.symbol} · ${data.from} to ${data.to} · every ${durationWords(intervalMsOf(config))} on ${data.timeframe} bars · decider ${decider}${model === null ? '' : ` ${model}`}`,
    '',
    section('Data', describeQuality(counts)),
    section('Failed', wrap(problem)),
    section('Reasons', [
      ...reasons.slice(0, REASONS_SHOWN).flatMap(([reason, count]) => wrap(`${count} x ${reason}`)),
      ...(reasons.length > REASONS_SHOWN ? [`and ${reasons.length - REASONS_SHOWN} others`] : []),
    ]),
    ...(out === null ? [] : [section('Kept', [`${out}: replay.json says that it failed; no evidence.json`])]),
  ].join('\n')}\n`
}
