import { BrokerError } from '../../venue/broker.ts'
import { askLiveBarriers, composeExecution } from '../../compose/compose-ports.ts'
import { toIso } from '../../core/time.ts'
import { reconcile } from '../../execution/reconcile/reconcile.ts'
import { gatherVenueFacts } from '../../execution/gather-venue-facts.ts'
import { createState } from '../../ledger/transition.ts'
import { dailyLoss, drawdown, positionOf, revalue, rollDay } from '../../ledger/accounting.ts'
import { liveSizeCap } from '../../guard/live-size.ts'
import { reportPosition } from '../../ledger/position.ts'
import { StatusReport } from '../../../schemas/cli.ts'
import type { StrategyState } from '../../../schemas/state.ts'
import { compareVenue, comparisonRows, differencesIn, intentOf } from '../compare-venue.ts'
import { describeStreak } from '../describe-streak.ts'
import { amount, section, signedPercent, table, wrap } from '../format.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

/**
 * `hourhand status`: the ledger beside the venue, every difference named. Changes nothing. Where the venue does not
 * answer, its error tells what the ledger holds.
 */
export async function statusCommand(session: Session): Promise<Answer> {
  requireConfig(session)
  const { world, config, target, found } = session
  const ports = await composeExecution({ ...world, dryRun: true })
  const at = toIso(world.clock())
  const stored = await ports.store.loadState(config.id)
  const state = stored ?? {
    ...createState(config.id, config.instrument, (await ports.broker.account()).cash, at),
    halt: found?.deployment?.halt ?? null,
  }
  const asked = Promise.all([gatherVenueFacts(ports, state), ports.market.quote(config.market.symbol, world.clock())])
  const [facts, quote] = await asked.catch((cause: unknown) => {
    throw stored === null
      ? cause
      : new BrokerError(`${cause instanceof Error ? cause.message : String(cause)}\n${describeLedger(stored)}`, {
          cause,
        })
  })
  const position = positionOf(state.phase)
  // Figures as they are once the next pass has taken the venue's news in; the comparison shows what is still apart.
  const taken = reconcile(state, facts).after.state
  const accounting = revalue(
    rollDay(taken.accounting, at, taken.instrument.calendar),
    positionOf(taken.phase),
    quote.mark,
    at,
  )
  const comparison = compareVenue(state, facts)
  const intent = intentOf(state.phase)
  const live =
    config.mode === 'live'
      ? {
          barriers: await askLiveBarriers(world, ports.store),
          sizeCap: liveSizeCap(
            facts.instrument.minQuantity,
            state.accounting.tradesClosed,
            config.live.tradesPerSizeStep,
          ),
        }
      : null
  const report: StatusReport = {
    target,
    strategyId: config.id,
    mode: config.mode,
    at,
    phase: state.phase.kind,
    halt: state.halt,
    accounting,
    position: reportPosition(position),
    venue: {
      name: ports.broker.name,
      account: facts.account,
      position: facts.position,
      openOrders: [...facts.openOrders],
    },
    comparison,
    pending:
      intent === null
        ? null
        : {
            order: intent.order,
            status: intent.status,
            orderId: intent.orderId,
            intendedAt: intent.intendedAt,
            deadline: intent.deadline,
          },
    incidents: state.incidents,
    suspicions: state.suspicions,
    deciderStreak: state.deciderStreak,
    live,
    lastSlot: state.lastSlot,
  }
  const text = [
    headline(target, at),
    '',
    section('State', [
      `${state.phase.kind}${state.halt === null ? '' : `, HALTED by ${state.halt.by} since ${state.halt.at}: ${state.halt.reason}`}`,
      `last slot ${state.lastSlot ?? 'none yet'}, state version ${stored === null ? 'none yet' : state.version}`,
      ...(state.deciderStreak === null ? [] : wrap(describeStreak(state.deciderStreak))),
    ]),
    section('Account', [
      `equity ${amount(accounting.equity)}, cash ${amount(accounting.cash)}, day ${signedPercent(-dailyLoss(accounting))}, drawdown ${(drawdown(accounting) * 100).toFixed(2)} %`,
      `since the start: gross ${amount(accounting.gross)}, fees ${amount(accounting.fees)}, funding ${amount(accounting.funding)}, adjustments ${amount(accounting.adjustments)}, paid in and taken out ${amount(accounting.transferred)}`,
      `entries today ${accounting.entriesToday}, losses in a row ${accounting.consecutiveLosses}`,
    ]),
    section('Compare', table(comparisonRows(ports.broker.name, comparison))),
    ...(state.incidents.length === 0
      ? []
      : [
          section(
            'Incidents',
            state.incidents.map((incident) => `${incident.at} ${incident.kind}: ${incident.detail}`),
          ),
        ]),
    ...(state.suspicions.length === 0
      ? []
      : [
          section(
            'Watched',
            state.suspicions.map(({ at: since, kind, detail }) => `${kind} since ${since}: ${detail}`),
          ),
        ]),
    ...(live === null
      ? []
      : [
          section(
            'Live',
            live.barriers.length === 0
              ? [`earned; entries of at most ${live.sizeCap} contracts now`]
              : live.barriers.map((barrier) => `NOT EARNED: ${barrier}`),
          ),
        ]),
    ...(differencesIn(comparison).length === 0
      ? []
      : [
          section('', [
            `a difference is taken in by the next enforcement pass, or now by: npx hourhand reconcile ${session.flags}`,
          ]),
        ]),
  ].join('\n')
  return { document: StatusReport.parse(report), text: `${text}\n`, exitCode: 0 }
}

/** What a person needs to know of the ledger when nothing can be compared with it. */
function describeLedger({ phase, halt, updatedAt, version, incidents, deciderStreak }: StrategyState): string {
  const held = reportPosition(positionOf(phase))
  const intent = intentOf(phase)
  const position =
    held === null
      ? ''
      : `, ${held.side} ${held.quantity} from ${held.entryPrice}, stop ${held.bracket?.stopLossPrice ?? 'none'}, protection ${held.protection}`
  return [
    `The ledger alone, version ${version} of ${updatedAt}: ${phase.kind}${position}`,
    ...(intent === null
      ? []
      : [
          `under way: ${intent.order.kind} ${intent.order.side} ${intent.order.quantity}, ${intent.status}, until ${intent.deadline}`,
        ]),
    ...(halt === null ? [] : [`HALTED by ${halt.by} since ${halt.at}: ${halt.reason}`]),
    ...(deciderStreak === null ? [] : [describeStreak(deciderStreak)]),
    ...incidents.map(({ at, kind, detail }) => `incident of ${at}: ${kind}: ${detail}`),
  ].join('\n')
}
