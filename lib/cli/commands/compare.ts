import path from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../core/invariant.ts'
import { toIso } from '../../core/time.ts'
import { agreementOf } from '../../decision/agreement.ts'
import { CompareReport, type WalkSummary } from '../../../schemas/cli.ts'
import type { Environment } from '../../../schemas/environment.ts'
import type { Trial } from '../../../schemas/replay.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { countTrials, trialOfWalk } from '../count-trials.ts'
import { failedAnswer, type NamedWalk } from '../failed-walks.ts'
import { percent, readingOf, section, table, wrap } from '../format.ts'
import type { Io } from '../io.ts'
import { isModel, openBudget } from '../open-decider.ts'
import { openHistory } from '../open-history.ts'
import { resolveConfig } from '../options.ts'
import { actionsOf, summariseAgreement, summariseWalk, walkColumns } from '../summarise-walk.ts'
import { walkHistory } from '../walk-history.ts'
import type { Answer } from './answer.ts'
import { count, WalkOptions } from './walk-options.ts'

const DECIDERS = z.enum(['rules', 'openai', 'anthropic', 'recorded'], {
  error: 'expected rules, openai, anthropic or recorded',
})

export const CompareOptions = WalkOptions.extend({
  strategy: z.string().optional(),
  config: z.array(z.string()).default([]),
  decider: z.array(DECIDERS).default([]),
  samples: count(1).default(1),
  json: z.boolean().default(false),
})
export type CompareOptions = z.infer<typeof CompareOptions>

type Contestant = { name: string; config: StrategyConfig }

/**
 * `hourhand compare`: several deciders, models or prompts over the same slots, side by side, and how far they agree.
 * Each walk is a trial.
 */
export async function compareCommand(options: CompareOptions, environment: Environment, io: Io): Promise<Answer> {
  const contestants = await contestantsOf(options, environment)
  if (contestants.length * options.samples < 2)
    throw new UsageError(
      'compare needs something to compare: give --config FILE or --decider NAME twice or more, or --samples for repeated answers of one model',
    )
  const purse = openBudget(
    contestants.map(({ config }) => config.decider),
    options,
  )
  const walks: (NamedWalk & { summary: WalkSummary; trial: Trial; contestant: number })[] = []
  let span = { from: 0, to: 0 }
  let notes: readonly string[] = []
  for (const [index, { name, config }] of contestants.entries()) {
    const history = await openHistory(config, options, io)
    if (index > 0 && (history.from !== span.from || history.to !== span.to))
      throw new UsageError(
        `${name}: its slots are others than those of ${contestants[0]?.name}: compare on the same candles, interval and span`,
      )
    span = history
    notes = history.notes
    const samples = isModel(config.decider) ? options.samples : 1
    for (let sample = 0; sample < samples; sample += 1) {
      const label = samples === 1 ? name : `${name}, sample ${sample}`
      const walk = await walkHistory({ history, options, purse, sample, label }, environment, io)
      // The first sample is what a replay of the same settings is.
      const variant = sample === 0 ? null : `sample = ${sample}`
      const trial = trialOfWalk({ history, walk, walked: history, command: 'compare', variant, io })
      const named = { name, sample: samples === 1 ? null : sample, walk, history }
      const summary = summariseWalk(name, named.sample, walk, history, trial.trialId)
      walks.push({ ...named, summary, trial, contestant: index })
      const failed = failedAnswer('comparison', walks)
      if (failed !== null) return failed
    }
  }
  const overall = agreementOf(sameLength(walks.map(({ walk }) => actionsOf(walk))))
  const repeated = contestants.flatMap(({ name }, index) => {
    const own = walks.filter(({ contestant }) => contestant === index)
    return own.length < 2
      ? []
      : [{ name, agreement: summariseAgreement(agreementOf(own.map(({ walk }) => actionsOf(walk)))) }]
  })
  const document = CompareReport.parse({
    from: toIso(span.from),
    to: toIso(span.to),
    notes,
    slots: walks[0]?.walk.lines.length ?? 0,
    walks: walks.map(({ summary }) => summary),
    pairs: overall.pairs,
    agreement: summariseAgreement(overall),
    samples: repeated,
  })
  const counted = countTrials(
    options.dataDir,
    walks.map(({ trial }) => trial),
  )
  return { document, text: render(document, counted), exitCode: 0 }
}

/** One for each configuration file and each decider named, in the order given. */
async function contestantsOf(
  { strategy, config: files, decider: names, candles, ...own }: CompareOptions,
  environment: Environment,
): Promise<Contestant[]> {
  const base = {
    strategy,
    config: undefined,
    market: candles,
    seed: undefined,
    interval: undefined,
    decider: undefined,
    table: undefined,
    files: own,
  }
  const fromFiles = files.map(async (file) => ({
    name: path.basename(file, '.json'),
    config: await resolveConfig({ ...base, config: file }, environment),
  }))
  const fromNames = names.map(async (name) => ({
    name,
    config: await resolveConfig({ ...base, decider: name }, environment),
  }))
  const contestants = await Promise.all([...fromFiles, ...fromNames])
  const seen = new Map<string, number>()
  return contestants.map((contestant) => {
    const times = (seen.get(contestant.name) ?? 0) + 1
    seen.set(contestant.name, times)
    return times === 1 ? contestant : { ...contestant, name: `${contestant.name} ${times}` }
  })
}

function sameLength<T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] {
  const lengths = new Set(lists.map((list) => list.length))
  if (lengths.size > 1)
    throw new UsageError(
      `the contestants decide at different intervals (${[...lengths].join(' and ')} slots): give them the same interval`,
    )
  return lists
}

const kappa = (value: number | null): string => (value === null ? 'no kappa' : `kappa ${value.toFixed(3)}`)

function render({ from, to, notes, slots, walks, pairs, agreement, samples }: CompareReport, counted: string): string {
  const names = walks.map(({ name, sample }) => (sample === null ? name : `${name} #${sample}`))
  const grid = walks.map((_, row) => [
    names[row] ?? '',
    ...walks.map((_other, column) =>
      row === column
        ? ''
        : percent(
            pairs.find(({ first, second }) => first === Math.min(row, column) && second === Math.max(row, column))
              ?.share ?? null,
            1,
          ),
    ),
  ])
  return `${[
    `Hourhand  comparison · ${from} to ${to} · ${slots} slots`,
    '',
    ...readingOf(notes),
    section('Results', table(walks.map((walk, index) => walkColumns({ ...walk, name: names[index] ?? walk.name })))),
    section('Agree', [
      ...table([['same action', ...names], ...grid]),
      `all of them at ${percent(agreement.unanimousShare, 1)} of ${agreement.compared} slots, two of them at ${percent(agreement.meanShare, 1)} on average, ${kappa(agreement.kappa)}`,
    ]),
    ...(samples.length === 0
      ? []
      : [
          section(
            'Samples',
            samples.map(
              ({ name, agreement: own }) =>
                `${name}: two samples agree at ${percent(own.meanShare, 1)} of slots, ${kappa(own.kappa)}`,
            ),
          ),
        ]),
    section('Trials', wrap(counted)),
  ].join('\n')}\n`
}
