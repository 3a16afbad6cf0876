import { fromIso, toIso } from '../../core/time.ts'
import { agreementOf } from '../../decision/agreement.ts'
import { disguise, type Disguise, PRICE_FACTOR, SHIFT_DAYS } from '../../evidence/disguise.ts'
import { newsOf } from '../../news/file-news-source.ts'
import { AuditReport } from '../../../schemas/cli.ts'
import type { Environment } from '../../../schemas/environment.ts'
import type { Trial } from '../../../schemas/replay.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { countTrials, trialOfWalk } from '../count-trials.ts'
import { failedAnswer, type NamedWalk } from '../failed-walks.ts'
import { percent, readingOf, section, signedPercent, table, wrap } from '../format.ts'
import type { Io } from '../io.ts'
import { openBudget } from '../open-decider.ts'
import { openHistory } from '../open-history.ts'
import { actionsOf, summariseWalk, walkColumns } from '../summarise-walk.ts'
import { type Walk, walkHistory } from '../walk-history.ts'
import type { Answer } from './answer.ts'
import type { WalkOptions } from './walk-options.ts'

const NOTHING: Disguise = { dates: false, names: false, prices: false, news: 'kept' }

/** Guises in the order they are shown; those of the news only where there is some. */
const GUISES: readonly { name: string; disguise: Disguise; needsNews: boolean }[] = [
  { name: 'as it was', disguise: NOTHING, needsNews: false },
  { name: 'dates shifted', disguise: { ...NOTHING, dates: true }, needsNews: false },
  { name: 'names changed', disguise: { ...NOTHING, names: true }, needsNews: false },
  { name: 'prices rescaled', disguise: { ...NOTHING, prices: true }, needsNews: false },
  { name: 'all three', disguise: { dates: true, names: true, prices: true, news: 'kept' }, needsNews: false },
  { name: 'news removed', disguise: { ...NOTHING, news: 'removed' }, needsNews: true },
  { name: 'news swapped', disguise: { ...NOTHING, news: 'swapped' }, needsNews: true },
]

/**
 * `hourhand audit`: the same history under other dates, names, prices and headlines. A decider that goes by what it is
 * shown decides the same; one that remembers does worse the less it can recognise. Each walk is a trial.
 */
export async function auditCommand(
  configured: StrategyConfig,
  options: WalkOptions,
  environment: Environment,
  io: Io,
): Promise<Answer> {
  const history = await openHistory(configured, options, io)
  const { knowledgeCutoff } = { knowledgeCutoff: null, ...history.config.decider }
  const cutoff = knowledgeCutoff === null ? null : fromIso(knowledgeCutoff)
  const purse = openBudget([history.config.decider], options)
  const guises: AuditReport['guises'] = []
  const walks: NamedWalk[] = []
  const trials: Trial[] = []
  let plain: Walk | null = null
  for (const guise of GUISES.filter(({ needsNews }) => !needsNews || history.headlines.length > 0)) {
    const { headlines, ...rest } = disguise(history, guise.disguise)
    const disguised = { ...rest, news: newsOf(headlines, rest.config.news) }
    const walk = await walkHistory({ history: disguised, options, purse, label: guise.name }, environment, io)
    walks.push({ name: guise.name, sample: null, walk, history: disguised })
    const failed = failedAnswer('memory audit', walks)
    if (failed !== null) return failed
    plain ??= walk
    // The history as it was is what a replay of the same settings is.
    const variant = guise.disguise === NOTHING ? null : `history = ${guise.name}`
    const trial = trialOfWalk({ history, walk, walked: disguised, command: 'audit', variant, io })
    trials.push(trial)
    const { kappa, meanShare } = agreementOf([actionsOf(plain), actionsOf(walk)])
    guises.push({
      ...summariseWalk(guise.name, null, walk, disguised, trial.trialId),
      sameActions: meanShare,
      sameEntries: entriesKept(plain, walk),
      kappa,
      ...returnsAround(cutoff === null ? null : cutoff + disguised.from - history.from, walk, disguised.config),
    })
  }
  const document = AuditReport.parse({
    from: toIso(history.from),
    to: toIso(history.to),
    notes: history.notes,
    slots: plain?.lines.length ?? 0,
    cutoff: cutoff === null ? null : toIso(cutoff),
    guises,
  })
  return { document, text: render(document, countTrials(options.dataDir, trials)), exitCode: 0 }
}

/** Of the entries decided in `plain`, the share decided the same way at the same slot in `other`; null without any. */
function entriesKept(plain: Walk, other: Walk): number | null {
  const entries = plain.lines.flatMap(({ ask }, index) => (ask === null ? [] : [{ side: ask.side, index }]))
  return entries.length === 0
    ? null
    : entries.filter(({ side, index }) => other.lines[index]?.ask?.side === side).length / entries.length
}

/** Returns up to an instant and from it on, each on the equity it began with; null where nothing lies there. */
function returnsAround(
  cutoff: number | null,
  { lines }: Walk,
  { paper }: StrategyConfig,
): { returnBefore: number | null; returnAfter: number | null } {
  if (cutoff === null) return { returnBefore: null, returnAfter: null }
  const start = Number(paper.initialCash)
  const end = Number(lines.at(-1)?.equity ?? start)
  const last = lines.findLast(({ slot }) => fromIso(slot) < cutoff)
  const at = last === undefined ? null : Number(last.equity)
  const isAllBefore = last === lines.at(-1)
  return {
    returnBefore: at === null ? null : at / start - 1,
    returnAfter: isAllBefore ? null : end / (at ?? start) - 1,
  }
}

const change = (value: number | null): string => (value === null ? '-' : signedPercent(value))

function render({ from, to, notes, slots, cutoff, guises }: AuditReport, counted: string): string {
  const [plain, ...others] = guises
  const lost = others.map(({ totalReturn }) => totalReturn - (plain?.totalReturn ?? 0))
  return `${[
    `Hourhand  memory audit · ${from} to ${to} · ${slots} slots`,
    '',
    ...readingOf(notes),
    section('Results', table(guises.map(walkColumns))),
    section(
      'Same',
      table([
        ['', 'actions', 'entries', 'kappa'],
        ...others.map(({ name, sameActions, sameEntries, kappa }) => [
          name,
          percent(sameActions, 1),
          percent(sameEntries, 1),
          kappa === null ? '-' : kappa.toFixed(3),
        ]),
      ]),
    ),
    ...(cutoff === null
      ? [
          section('Cutoff', [
            'none is stated (decider.knowledgeCutoff): what the model may have read cannot be told from what it has not',
          ]),
        ]
      : [
          section(
            'Cutoff',
            table([
              ['', `before ${cutoff.slice(0, 10)}`, 'after'],
              ...guises.map(({ name, returnBefore, returnAfter }) => [name, change(returnBefore), change(returnAfter)]),
            ]),
          ),
        ]),
    section('Guises', [
      `dates go back ${SHIFT_DAYS} days, prices are ${PRICE_FACTOR} times as high and contracts as much smaller, names are letters`,
      `in them the return changes by ${lost.map((value) => signedPercent(value)).join(', ')}: a decider that remembers this market loses by not recognising it`,
    ]),
    section('Trials', wrap(counted)),
  ].join('\n')}\n`
}
