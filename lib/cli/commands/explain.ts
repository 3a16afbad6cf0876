import { openStore } from '../../compose/compose-ports.ts'
import { canonicalJson } from '../../core/canonical-json.ts'
import { UsageError } from '../../core/invariant.ts'
import { fromIso } from '../../core/time.ts'
import { VERSION } from '../../core/version.ts'
import { buildPrompt, CUSTOM_PROMPT_VERSION, PROMPT_VERSION, systemPromptOf } from '../../decision/prompt.ts'
import { judge } from '../../guard/judge.ts'
import { judgeConditions } from '../../guard/refuse-any-entry.ts'
import type { ConditionContext } from '../../guard/rule.ts'
import { CycleRecord } from '../../../schemas/cycle-record.ts'
import type { Decision } from '../../../schemas/decision.ts'
import type { EntryOrder } from '../../../schemas/order.ts'
import type { Verdict } from '../../../schemas/verdict.ts'
import { renderCycle } from '../render-cycle.ts'
import { section } from '../format.ts'
import { choose, type Context, openStored } from '../context.ts'
import type { Session } from '../session.ts'
import { locate } from './cycle.ts'
import type { Answer } from './answer.ts'

/** Whether the pure parts, run again on the record, give what the record says; null where that cannot be asked. */
export type Reproduction = { prompt: boolean | null; verdicts: boolean | null; order: boolean | null }

/**
 * `hourhand explain CYCLE_ID`: which strategy and mode the cycle is of, and its story. The id names the strategy; where it
 * ran the same slot in both modes, --mode says which is meant.
 */
export async function explainStored(context: Context, cycleId: string): Promise<Answer> {
  const { strategyId, slot } = partsOf(cycleId)
  const wanted = { ...context.wanted, strategyId: context.wanted.strategyId ?? strategyId }
  const sessions: Session[] = []
  for (const found of choose({ ...context, wanted }, 'every')) {
    const session = await openStored(context, found, { market: false, venue: false })
    if ((await openStore(session.world).loadCycle(strategyId, slot)) !== null) sessions.push(session)
  }
  const [only, ...others] = sessions
  if (only === undefined)
    throw new UsageError(`cycle ${cycleId} is not in this database: mind --data-dir or --table, --strategy and --mode`)
  if (others.length > 0) throw new UsageError(`cycle ${cycleId} ran in both modes: say --mode paper or --mode live`)
  return explainCommand(only, cycleId)
}

/** The story of a cycle, and proof that its pure parts still tell the same. */
export async function explainCommand(session: Session, cycleId: string): Promise<Answer> {
  const { world, target, config } = session
  const { strategyId, slot } = partsOf(cycleId)
  if (strategyId !== config.id)
    throw new UsageError(
      `CYCLE_ID = ${JSON.stringify(cycleId)} belongs to strategy ${strategyId}; say --strategy ${strategyId}`,
    )
  const record = await openStore(world).loadCycle(strategyId, slot)
  if (record === null) throw new UsageError(`cycle ${cycleId} is not in this database`)
  const again = reproduce(record)
  const text = `${renderCycle(record, locate({ ...session, world: { ...world, dryRun: false } }, record))}\n${section('Answer', rawAnswers(record))}\n\n${section('Replayed', describe(again))}\n`
  const isFaithful = Object.values(again).every((same) => same !== false)
  return {
    document: { target, record: CycleRecord.parse(record), reproduction: again },
    text,
    exitCode: isFaithful ? 0 : 1,
  }
}

/**
 * Runs prompt rendering and guard again from the record alone. Null: that step was not reached, or by a release with
 * another prompt or other rules.
 */
export function reproduce(record: CycleRecord): Reproduction {
  const { snapshot, prompt, decision, guardFacts, config } = record
  // A prompt that this release no longer asks cannot be had again from it.
  const isKnown = prompt !== null && [PROMPT_VERSION, CUSTOM_PROMPT_VERSION].includes(prompt.version)
  const samePrompt =
    snapshot === null || !isKnown
      ? null
      : canonicalJson(buildPrompt(snapshot, systemPromptOf(config.decider))) === canonicalJson(prompt)
  if (snapshot === null || guardFacts === null) return { prompt: samePrompt, verdicts: null, order: null }
  const { verdicts, order } = judgeAgain({ config, decision: decision?.decision ?? null, snapshot, facts: guardFacts })
  const isOfAnother = record.codeVersion !== VERSION
  // The words of a reason are a release's own; what was judged, by what limit, is not.
  const told = (verdict: Verdict) => (isOfAnother ? { ...verdict, reason: '' } : verdict)
  if (isOfAnother && !isSameList(rulesOf(verdicts), rulesOf(record.verdicts)))
    return { prompt: samePrompt, verdicts: null, order: null }
  return {
    prompt: samePrompt,
    verdicts: canonicalJson(verdicts.map(told)) === canonicalJson(record.verdicts.map(told)),
    order: canonicalJson(order) === canonicalJson(record.order),
  }
}

/** Without a decision the model was not asked: then the rules were judged that need none. */
function judgeAgain({ decision, ...conditions }: ConditionContext & { decision: Decision | null }): {
  verdicts: Verdict[]
  order: EntryOrder | null
} {
  if (decision === null)
    return { verdicts: judgeConditions(conditions, fromIso(conditions.facts.now)).verdicts, order: null }
  const { verdicts, result } = judge({ ...conditions, decision })
  return { verdicts, order: result.kind === 'approved' ? result.order : null }
}

const rulesOf = (verdicts: readonly Verdict[]): string[] => verdicts.map(({ rule }) => rule)

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index])

/** Strategy and slot of a cycle id: `eth-perp-20261102T0930Z` is of eth-perp and `2026-11-02T09:30:00Z`. */
function partsOf(cycleId: string): { strategyId: string; slot: string } {
  const match =
    /^(?<strategy>.+)-(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)?Z$/.exec(
      cycleId,
    )
  const parts = match?.groups
  if (parts === undefined)
    throw new UsageError(
      `CYCLE_ID = ${JSON.stringify(cycleId)}: expected a cycle id such as eth-perp-20261102T0930Z, as \`hourhand cycle\` prints it`,
    )
  return {
    strategyId: parts['strategy'] ?? '',
    slot: `${parts['year']}-${parts['month']}-${parts['day']}T${parts['hour']}:${parts['minute']}:${parts['second'] ?? '00'}Z`,
  }
}

function rawAnswers({ decision }: CycleRecord): string[] {
  const attempts = decision?.attempts ?? []
  if (attempts.length === 0) return ['no model was asked']
  return attempts.flatMap(({ raw, problem }, index) => [
    `attempt ${index + 1}${problem === null ? '' : `, refused: ${problem}`}`,
    ...(raw ?? '(nothing)').split('\n'),
  ])
}

const say = (what: string, same: boolean | null): string =>
  `${what}: ${same === null ? 'not reached, or by another release' : same ? 'the same bytes' : 'DIFFERENT'}`

function describe({ prompt, verdicts, order }: Reproduction): string[] {
  return [
    say('prompt from the recorded snapshot', prompt),
    say('verdicts from the recorded facts', verdicts),
    say('order from the recorded facts', order),
  ]
}
