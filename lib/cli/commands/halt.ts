import { z } from 'zod'
import { composeExecution } from '../../compose/compose-ports.ts'
import { toIso } from '../../core/time.ts'
import { type Flattening, flattenPosition } from '../../execution/flatten-position.ts'
import { haltStrategy } from '../../execution/halt-strategy.ts'
import { isExit } from '../../execution/reconcile/check-exits.ts'
import { gatherVenueFacts } from '../../execution/gather-venue-facts.ts'
import { positionOf } from '../../ledger/accounting.ts'
import type { Found } from '../../store/inventory.ts'
import { HaltReport } from '../../../schemas/cli.ts'
import type { Halt, StrategyState } from '../../../schemas/state.ts'
import { failed, joined, tellProblem } from '../answer-each.ts'
import { choose, type Context, openStored } from '../context.ts'
import { section } from '../format.ts'
import { scheduleOf, scheduleWords } from '../schedule-words.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

export const HaltOptions = z.object({ reason: z.string().min(1).max(400), flatten: z.boolean().default(false) })
export type HaltOptions = z.infer<typeof HaltOptions>

/**
 * `hourhand halt`: no entries from now on, until a person resumes, for everything that is found or was named. Exits go
 * on. With `flatten`, once all are halted, what is held is closed at market where exactly one strategy holds something
 * (or with --all): exit 1 when anything is not flat after that. A halt is durable before anything is asked of a venue,
 * and stands whatever the venue does. Nothing is made where there is nothing.
 */
export async function haltCommand(context: Context, { reason, flatten }: HaltOptions): Promise<Answer> {
  const chosen = choose(context, 'every')
  const outcomes: Outcome[] = []
  for (const found of chosen) outcomes.push(await haltOne(context, found, reason))
  const flattened = flatten ? await flattenThem(context, outcomes) : new Map<Outcome, FlattenAnswer>()
  const answers = outcomes.map((outcome) =>
    outcome.kind === 'failed'
      ? failed(context, outcome.found, outcome.error)
      : answerOf(outcome, flattened.get(outcome) ?? null),
  )
  const [only, ...others] = answers
  const answer = only !== undefined && others.length === 0 ? only : joined(answers)
  tellProblem(context)
  // What could not be searched may hold a strategy that was not halted.
  return context.inventory.problem === null ? answer : { ...answer, exitCode: 1 }
}

type Halted = { kind: 'halted'; found: Found; session: Session; state: StrategyState | null; halt: Halt }
type Outcome = Halted | { kind: 'failed'; found: Found; error: unknown }

/** One that cannot be halted keeps none of the others from their halt; its schedule is switched off all the same. */
async function haltOne(context: Context, found: Found, reason: string): Promise<Outcome> {
  try {
    const session = await openStored(context, found, { market: false, venue: false })
    const ports = await composeExecution(session.world)
    const at = toIso(session.world.clock())
    const meant: Halt = { at, by: 'operator', rule: null, reason }
    try {
      const state = await haltStrategy(ports, meant)
      const halt = state?.halt ?? (await ports.store.loadDeployment(found.strategyId))?.item.halt ?? meant
      return { kind: 'halted', found, session, state, halt }
    } finally {
      await ports.schedule.disable(reason)
    }
  } catch (error) {
    return { kind: 'failed', found, error }
  }
}

type FlattenAnswer = { flatten: NonNullable<HaltReport['flatten']>; state: StrategyState | null; words: string[] }

/** Closes what is held where that is one position or all are meant; of the rest it is looked whether they are flat. */
async function flattenThem(context: Context, outcomes: readonly Outcome[]): Promise<Map<Outcome, FlattenAnswer>> {
  const halted = outcomes.filter((outcome) => outcome.kind === 'halted')
  const holding = halted.filter(({ state }) => state !== null && state.phase.kind !== 'flat')
  const isMeant = holding.length <= 1 || context.wanted.isAll
  const answers = new Map<Outcome, FlattenAnswer>()
  for (const one of halted) {
    const holds = holding.includes(one)
    if (holds && !isMeant) answers.set(one, refuseFlatten(one, holding))
    else answers.set(one, await flattenOne(context, one, holds || holding.length === 0))
  }
  return answers
}

/** Several hold something: nothing is closed before a person has said which. */
function refuseFlatten({ state, session }: Halted, holding: readonly Halted[]): FlattenAnswer {
  const held = state === null ? [] : [ledgerWords(state)]
  const why = `${holding.length} strategies hold something, and nothing was closed`
  return {
    flatten: { isFlat: false, held, notes: [why] },
    state,
    words: [
      `It is NOT flat: ${why}. To close this one: npx hourhand halt --flatten ${session.flags}`,
      'To close all of them: add --all instead of names.',
      section('Held', held),
    ],
  }
}

/** Closes what one holds, or only looks (`act` false). A failure is told, together with the halt that is in force. */
async function flattenOne(context: Context, one: Halted, act: boolean): Promise<FlattenAnswer> {
  const { found, state, session } = one
  if (state === null)
    return {
      flatten: { isFlat: true, held: [], notes: ['it has no state yet: it has sent no order'] },
      state,
      words: ['It has no state yet: it has sent no order, and holds nothing.'],
    }
  try {
    const opened = await openStored(context, found, { market: false, venue: true })
    requireConfig(opened)
    const result = act ? await flattenPosition(await composeExecution(opened.world)) : await look(opened, state)
    const held = result.isFlat ? [] : stillThere(result)
    return {
      flatten: { isFlat: result.isFlat, held, notes: result.notes },
      state: result.state,
      words: [
        result.isFlat ? 'It is flat: nothing is held, no exit rests.' : 'It is NOT flat.',
        ...(held.length === 0 ? [] : [section('Held', held)]),
        ...(result.notes.length === 0
          ? []
          : [
              section(
                'Done',
                result.notes.map((note) => `- ${note}`),
              ),
            ]),
        ...(result.isFlat
          ? []
          : [
              `Run npx hourhand halt --flatten ${session.flags} again, or close it at the venue by hand and then run npx hourhand reconcile ${session.flags}.`,
            ]),
      ],
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const verb = act ? 'could NOT be flattened' : 'holds nothing by its ledger, and its venue could NOT be asked'
    return {
      flatten: { isFlat: false, held: ['not known'], notes: [why] },
      state,
      words: [`It ${verb}: ${why}`, 'The halt is in force.'],
    }
  }
}

/** Whether the venue, too, holds nothing of one whose ledger is flat; changes nothing. */
async function look({ world }: Session, state: StrategyState): Promise<Flattening> {
  const facts = await gatherVenueFacts(await composeExecution({ ...world, dryRun: true }), state)
  return { state, facts, notes: [], isFlat: facts.position === null && !facts.openOrders.some(isExit) }
}

function answerOf({ session, state: before, halt: meant }: Halted, flattened: FlattenAnswer | null): Answer {
  const { config, target, flags } = session
  const state = flattened?.state ?? before
  const halt = state?.halt ?? meant
  const phase = state?.phase.kind ?? 'none'
  const document: HaltReport = {
    target,
    strategyId: config.id,
    halt,
    phase,
    flatten: flattened?.flatten ?? null,
    schedule: scheduleOf(session),
  }
  const text = [
    headline(target),
    `${config.id} is halted since ${halt.at} by ${halt.by}: ${halt.reason}`,
    ...(flattened?.words ?? [
      state === null
        ? 'It has no state yet; its first cycle finds the halt.'
        : `It is now ${phase}; stops, targets and limits of what is held go on.`,
    ]),
    ...scheduleWords(session, 'off'),
    `Lift the halt with: npx hourhand resume ${flags}`,
  ].join('\n')
  return {
    document: HaltReport.parse(document),
    text: `${text}\n`,
    exitCode: flattened === null || flattened.flatten.isFlat ? 0 : 1,
  }
}

function ledgerWords({ phase }: StrategyState): string {
  const held = positionOf(phase)
  return `ledger: ${phase.kind}${held === null ? '' : `, ${held.side} ${held.quantity}`}`
}

/** What is still held or at work, in words. */
function stillThere({ state, facts }: Flattening): string[] {
  const { position, openOrders } = facts
  return [
    ledgerWords(state),
    `venue: ${position === null ? 'flat' : `${position.side} ${position.quantity} from ${position.averageEntryPrice}`}`,
    ...openOrders.map(
      ({ orderId, kind, side, quantity, status }) => `order ${orderId}: ${kind} ${side} ${quantity}, ${status}`,
    ),
  ]
}
