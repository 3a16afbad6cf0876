import type { Instrument } from '../../schemas/instrument.ts'
import {
  canonical,
  dec,
  isAbove,
  minus,
  type Money,
  negate,
  type Price,
  type Quantity,
  sum,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../core/decimal.ts'
import { invariant } from '../core/invariant.ts'
import { DAY_MS, fromIso } from '../core/time.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { Fill, FundingPayment, OrderRecord, OrderRequest } from '../../schemas/order.ts'
import type {
  Accounting,
  CloseIntent,
  EntryIntent,
  HistoryEntry,
  Phase,
  Position,
  StrategyState,
} from '../../schemas/state.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'
import type { ExitReason, Trade } from '../../schemas/trade.ts'
import { beginAnew, openBooks, positionOf, raiseBases, revalue, rollDay, scaleBases } from './accounting.ts'
import { followDecider } from './decider-streak.ts'
import type { LedgerEvent, OrderEnd } from './events.ts'
import { applyFill, beginPosition, deriveTrade, sideOpenedBy, summariseTrade } from './position.ts'
import { TRANSITIONS } from './transition-table.ts'

/** A domain event without the names that the caller adds. */
export type Emission = Pick<DomainEvent, 'type' | 'subject' | 'detail'>

export type Transition = { state: StrategyState; history: HistoryEntry[]; emissions: Emission[] }

/** Closed trades kept in the state for the performance memory and for sizing. */
export const TRADE_MEMORY = 50

/** What was told of something is forgotten after this long. */
const REMINDERS_KEPT_MS = DAY_MS

/** A strategy that has never traded. */
export function createState(
  strategyId: string,
  instrument: Instrument,
  deposited: Accounting['cash'],
  at: string,
): StrategyState {
  return {
    ...CURRENT_VERSION,
    strategyId,
    version: 0,
    instrument,
    phase: { kind: 'flat', abandoned: null },
    accounting: openBooks(deposited, at, instrument.calendar),
    halt: null,
    lastSlot: null,
    deciderStreak: null,
    watchedUntil: null,
    cursor: { since: at, seenIds: [] },
    memory: { decisions: [], trades: [] },
    incidents: [],
    suspicions: [],
    expectedTransfers: [],
    reminders: [],
    outbox: null,
    updatedAt: at,
  }
}

/**
 * The one way a strategy's state changes. Pure: state and event in, next state, history to append and events to
 * publish out. Throws on an event its phase does not know (see {@link TRANSITIONS}).
 * `version` is the store's business and is left alone.
 */
export function transition(state: StrategyState, event: LedgerEvent): Transition {
  const from = state.phase.kind
  const targets = TRANSITIONS[event.type][from]
  invariant(targets !== undefined, `${event.type} cannot happen while ${from} (strategy ${state.strategyId})`)
  const next = advance(state, event)
  const to = next.state.phase.kind
  invariant(targets.includes(to), `${event.type} led from ${from} to ${to}, which the table does not allow`)
  // Events are told late at times; the newest instant known only moves forward.
  const updatedAt = fromIso(event.at) > fromIso(state.updatedAt) ? event.at : state.updatedAt
  return { ...next, state: { ...next.state, updatedAt } }
}

/** Folds several events, in order. */
export function transitionAll(state: StrategyState, events: readonly LedgerEvent[]): Transition {
  const total: Transition = { state, history: [], emissions: [] }
  for (const event of events) takeStep(total, event)
  return total
}

/** One event more: `total` moves on by it. */
export function takeStep(total: Transition, event: LedgerEvent): void {
  const step = transition(total.state, event)
  total.state = step.state
  total.history.push(...step.history)
  total.emissions.push(...step.emissions)
}

function advance(state: StrategyState, event: LedgerEvent): Transition {
  const { phase } = state
  switch (event.type) {
    case 'instrument_changed':
      // An entry given up for lost may still fill in the old one.
      invariant(phase.kind === 'flat' && phase.abandoned === null, 'an entry is unresolved in the old instrument')
      return { state: { ...state, instrument: event.instrument }, history: [], emissions: [] }
    case 'entry_intended':
      return {
        state: withPhase(state, {
          kind: 'opening',
          intent: event.intent,
          filledQuantity: ZERO_QUANTITY,
          position: null,
        }),
        history: [orderEntry(event.intent.order, 'intended', null, event.intent.intendedAt, event.at)],
        emissions: [],
      }
    case 'entry_acknowledged': {
      invariant(phase.kind === 'opening', 'unreachable by the table')
      const intent = { ...phase.intent, status: event.status, orderId: event.orderId ?? phase.intent.orderId }
      const emissions: Emission[] =
        event.status === 'unknown'
          ? [
              {
                type: 'unknown',
                subject: intent.cycleId,
                detail: { leg: 'entry', clientOrderId: intent.order.clientOrderId },
              },
            ]
          : []
      return {
        state: withPhase(state, { ...phase, intent }),
        history: [orderEntry(intent.order, event.status, null, intent.intendedAt, event.at)],
        emissions,
      }
    }
    case 'entry_ended': {
      invariant(phase.kind === 'opening', 'unreachable by the table')
      const { intent, position } = phase
      // Given up, or told as over with nothing filled, it may fill or have filled all the same; refused, it cannot.
      const mayFill = event.end === 'abandoned' || (event.end !== 'rejected' && dec(phase.filledQuantity).eq(0))
      const abandoned = mayFill ? intent : null
      return {
        state: withPhase(state, position === null ? { kind: 'flat', abandoned } : { kind: 'open', position }),
        history: [orderEntry(intent.order, event.end, event.reason, intent.intendedAt, event.at)],
        emissions: [],
      }
    }
    case 'filled':
      return takeFill(state, event)
    case 'protection_intended':
      return {
        state: withPosition(state, (position) => ({
          ...position,
          protection: {
            status: 'intended',
            order: event.order,
            attempt: event.attempt,
            intendedAt: event.at,
            deadline: event.deadline,
          },
          protectAttempts: event.attempt + 1,
        })),
        history: [orderEntry(event.order, 'intended', null, event.at, event.at)],
        emissions: [],
      }
    case 'protection_confirmed': {
      const confirmed = withPosition(state, (position) => ({
        ...position,
        protection: {
          status: 'live',
          orderId: event.orderId,
          quantity: event.quantity as Quantity,
          bracket: event.bracket,
          confirmedAt: event.at,
        },
        protectFailures: 0,
      }))
      const detail = {
        quantity: event.quantity,
        stopLossPrice: event.bracket.stopLossPrice,
        takeProfitPrice: event.bracket.takeProfitPrice,
      }
      const intended = positionOf(phase)?.protection
      const history =
        intended?.status === 'intended' ? [orderEntry(intended.order, 'live', null, intended.intendedAt, event.at)] : []
      return { state: confirmed, history, emissions: [{ type: 'protected', subject: tradeIdIn(state), detail }] }
    }
    case 'protection_lost': {
      const lost = positionOf(phase)?.protection
      const failed = lost?.status === 'intended' ? 1 : 0
      const bare = withPosition(state, (position) => ({
        ...position,
        protection: { status: 'none' },
        protectFailures: position.protectFailures + failed,
      }))
      const history =
        lost?.status === 'intended' ? [orderEntry(lost.order, 'rejected', event.reason, lost.intendedAt, event.at)] : []
      return {
        state: bare,
        history,
        emissions: [{ type: 'naked', subject: tradeIdIn(state), detail: { reason: event.reason } }],
      }
    }
    case 'close_intended': {
      invariant(phase.kind === 'open', 'unreachable by the table')
      return {
        state: withPhase(state, {
          kind: 'closing',
          position: { ...phase.position, closeAttempts: event.intent.attempt + 1 },
          intent: event.intent,
        }),
        history: [orderEntry(event.intent.order, 'intended', null, event.intent.intendedAt, event.at)],
        emissions: [],
      }
    }
    case 'close_acknowledged': {
      invariant(phase.kind === 'closing', 'unreachable by the table')
      const intent = { ...phase.intent, status: event.status, orderId: event.orderId ?? phase.intent.orderId }
      const emissions: Emission[] =
        event.status === 'unknown'
          ? [
              {
                type: 'unknown',
                subject: phase.position.tradeId,
                detail: { leg: 'close', clientOrderId: intent.order.clientOrderId },
              },
            ]
          : []
      return {
        state: withPhase(state, { ...phase, intent }),
        history: [orderEntry(intent.order, event.status, null, intent.intendedAt, event.at)],
        emissions,
      }
    }
    case 'close_ended': {
      invariant(phase.kind === 'closing', 'unreachable by the table')
      const { intent, position } = phase
      return {
        state: withPhase(state, { kind: 'open', position: numberNextClose(position, intent, event.end) }),
        history: [orderEntry(intent.order, event.end, event.reason, intent.intendedAt, event.at)],
        emissions: [],
      }
    }
    case 'funding_settled':
      return settleFunding(state, event.payment)
    case 'cash_adjusted': {
      const rebased = {
        ...state,
        accounting: raiseBases(rollDay(state.accounting, event.at, state.instrument.calendar), event.amount),
      }
      const moved = moveCash(rebased, { adjustments: event.amount }, event.at)
      const unexplained = event.isIncident
        ? sum(moved.accounting.unexplained, event.amount)
        : moved.accounting.unexplained
      const adjusted = { ...moved, accounting: { ...moved.accounting, unexplained } }
      return {
        state: event.isIncident ? noteIncident(adjusted, event.at, 'cash', event.reason) : adjusted,
        history: [],
        emissions: [
          { type: 'reconciled', subject: state.strategyId, detail: { amount: event.amount, reason: event.reason } },
        ],
      }
    }
    case 'transferred':
      return takeTransfer(state, event)
    case 'transfer_expected':
      return quiet({ ...state, expectedTransfers: [...standing(state, event.at), event.expected] })
    case 'incident_noted':
      return {
        state: noteIncident(state, event.at, event.kind, event.detail),
        history: [],
        emissions: [
          { type: 'reconciled', subject: state.strategyId, detail: { kind: event.kind, detail: event.detail } },
        ],
      }
    case 'suspected':
      return quiet({ ...state, suspicions: event.suspicions })
    case 'marked': {
      const rolled = rollDay(state.accounting, event.at, state.instrument.calendar)
      return quiet({ ...state, accounting: revalue(rolled, positionOf(phase), event.markPrice, event.at) })
    }
    case 'watched':
      return quiet({ ...state, watchedUntil: event.until })
    case 'cursor_moved':
      return quiet({ ...state, cursor: event.cursor })
    case 'slot_finished': {
      const { streak, emissions } = followDecider(state, event)
      // A failure is no decision: the next question shows what was decided before it.
      const remembered = event.failure ? state.memory.decisions : [...state.memory.decisions, event.summary]
      const decisions = event.keep === 0 ? [] : remembered.slice(-event.keep)
      const memory = { ...state.memory, decisions }
      return { state: { ...state, lastSlot: event.slot, deciderStreak: streak, memory }, history: [], emissions }
    }
    case 'reminded': {
      const { key, detail, at, emission } = event
      const rest = state.reminders.filter((one) => one.key !== key && fromIso(at) - fromIso(one.at) < REMINDERS_KEPT_MS)
      return { state: { ...state, reminders: [...rest, { key, detail, at }] }, history: [], emissions: [emission] }
    }
    case 'halted': {
      if (state.halt !== null) return quiet(state)
      const detail = { by: event.halt.by, rule: event.halt.rule, reason: event.halt.reason }
      return {
        state: { ...state, halt: event.halt },
        history: [],
        emissions: [{ type: 'halted', subject: state.strategyId, detail }],
      }
    }
    case 'resumed': {
      // A person has looked: the losses that halted it are accepted and a new risk epoch begins.
      const accounting = beginAnew(state.accounting)
      const { equity } = accounting
      return {
        state: { ...state, halt: null, incidents: [], suspicions: [], accounting },
        history: [],
        emissions: [{ type: 'resumed', subject: state.strategyId, detail: { equity } }],
      }
    }
    default:
      return event satisfies never
  }
}

/**
 * A close that the venue has not heard of may still arrive, also while later ones under its id are refused. The next
 * one has its number and id as long as that is so, and as long as it is of the same size.
 */
function numberNextClose(
  position: Position,
  { order, attempt, orderId, status }: CloseIntent,
  end: OrderEnd,
): Position {
  const isUnheard =
    orderId === null &&
    status !== 'accepted' &&
    (end === 'abandoned' || (end === 'rejected' && position.isCloseUnheard)) &&
    position.quantity === order.quantity
  return { ...position, isCloseUnheard: isUnheard, closeAttempts: isUnheard ? attempt : position.closeAttempts }
}

/** One line per order of ours, keyed by its id: later words replace earlier ones. */
const orderEntry = (
  order: OrderRequest,
  status: OrderRecord['status'],
  reason: string | null,
  intendedAt: string,
  updatedAt: string,
): HistoryEntry => ({
  kind: 'ORDER',
  id: order.clientOrderId,
  at: intendedAt,
  body: { order, status, reason, intendedAt, updatedAt },
})

const quiet = (state: StrategyState): Transition => ({ state, history: [], emissions: [] })

const withPhase = (state: StrategyState, phase: Phase): StrategyState => ({ ...state, phase })

function withPosition(state: StrategyState, change: (position: Position) => Position): StrategyState {
  const { phase } = state
  invariant(phase.kind !== 'flat' && phase.position !== null, `no position to change while ${phase.kind}`)
  return withPhase(state, { ...phase, position: change(phase.position) })
}

const tradeIdIn = (state: StrategyState): string => positionOf(state.phase)?.tradeId ?? state.strategyId

const INCIDENTS_KEPT = 20

const noteIncident = (state: StrategyState, at: string, kind: string, detail: string): StrategyState => ({
  ...state,
  incidents: [...state.incidents, { at, kind, detail }].slice(-INCIDENTS_KEPT),
})

/**
 * Cash moves by parts only, so that the running totals always explain it. What is held is valued once, at `mark` where
 * there is one: a new holding at an old mark would make a peak that never was.
 */
function moveCash(
  state: StrategyState,
  parts: Partial<Record<'gross' | 'fees' | 'funding' | 'adjustments' | 'transferred', Money>>,
  at: string,
  mark: Price | null = null,
): StrategyState {
  const before = rollDay(state.accounting, at, state.instrument.calendar)
  const after: Accounting = {
    ...before,
    gross: sum(before.gross, parts.gross ?? ZERO_MONEY),
    fees: sum(before.fees, parts.fees ?? ZERO_MONEY),
    funding: sum(before.funding, parts.funding ?? ZERO_MONEY),
    adjustments: sum(before.adjustments, parts.adjustments ?? ZERO_MONEY),
    transferred: sum(before.transferred, parts.transferred ?? ZERO_MONEY),
  }
  const cash = minus(sum(after.deposited, after.transferred, after.gross, after.funding, after.adjustments), after.fees)
  return { ...state, accounting: revalue({ ...after, cash }, positionOf(state.phase), mark, at) }
}

/** Announced transfers that may still come. */
const standing = ({ expectedTransfers }: StrategyState, at: string): StrategyState['expectedTransfers'] =>
  expectedTransfers.filter(({ until }) => fromIso(until) >= fromIso(at))

/**
 * Takes a deposit or withdrawal into the books. One that explains a difference taken over earlier moves no cash: the
 * amount goes from the adjustments to the transfers. Money that had gone missing was counted as a loss till now, so the
 * bases follow it now; what had come in raised them then.
 */
function takeTransfer(state: StrategyState, event: Extract<LedgerEvent, { type: 'transferred' }>): Transition {
  const { transfer, isExplanation, at } = event
  const { amount } = transfer
  const rolled = rollDay(state.accounting, at, state.instrument.calendar)
  const before = isExplanation
    ? { ...rolled, unexplained: minus(rolled.unexplained, amount) }
    : scaleBases(rolled, amount)
  const moved = moveCash(
    { ...state, accounting: before },
    isExplanation ? { transferred: amount, adjustments: negate(amount) } : { transferred: amount },
    at,
  )
  const accounting =
    isExplanation && isAbove(ZERO_MONEY, amount) ? followMissing(moved.accounting, amount) : moved.accounting
  const expectedTransfers = standing(state, at).filter(({ transferId }) => transferId !== transfer.transferId)
  return {
    state: { ...moved, accounting, expectedTransfers },
    history: [{ kind: 'TRANSFER', id: transfer.transferId, at: transfer.at, body: transfer }],
    emissions: [
      {
        type: 'transferred',
        subject: state.strategyId,
        detail: { amount, source: transfer.source, note: transfer.note, isExplanation },
      },
    ],
  }
}

/** Bases after a withdrawal that equity shows already: as they would be had they followed it when it happened. */
function followMissing(accounting: Accounting, amount: Money): Accounting {
  const before = sum(accounting.equity, negate(amount))
  return { ...scaleBases({ ...accounting, equity: before }, amount), equity: accounting.equity }
}

function takeFill(state: StrategyState, event: Extract<LedgerEvent, { type: 'filled' }>): Transition {
  const { fill, liquidationPrice } = event
  const { phase } = state
  invariant(!state.cursor.seenIds.includes(fill.fillId), `fill ${fill.fillId} has been read already`)
  const history: HistoryEntry[] = [{ kind: 'FILL', id: fill.fillId, at: fill.at, body: fill }]
  const before = positionOf(phase)
  const started = before ?? beginFrom(state, event)
  const effect = applyFill(started, fill)
  const isOpening = sideOpenedBy(fill) === started.side
  const position: Position =
    isOpening && liquidationPrice !== null ? { ...effect.position, liquidationPrice } : effect.position
  const isClosed = position.quantity === '0'
  const nextPhase = phaseAfterFill(countEntry(phase, fill), position, isClosed)
  const marked = moveCash(withPhase(state, nextPhase), { gross: effect.gross, fees: effect.fee }, fill.at, fill.price)
  if (before === null) {
    const counted = {
      ...marked,
      accounting: { ...marked.accounting, entriesToday: marked.accounting.entriesToday + 1 },
    }
    const detail = {
      side: position.side,
      quantity: position.quantity,
      price: fill.price,
      cycleId: position.thesis?.cycleId ?? null,
    }
    return { state: counted, history, emissions: [{ type: 'opened', subject: position.tradeId, detail }] }
  }
  if (!isClosed) return { state: marked, history, emissions: [] }
  if (phase.kind === 'closing') {
    const isItsOwn = fill.reason === 'close'
    history.push(
      orderEntry(
        phase.intent.order,
        isItsOwn ? 'done' : 'cancelled',
        isItsOwn ? null : `closed by ${fill.reason} before it`,
        phase.intent.intendedAt,
        fill.at,
      ),
    )
  }
  // A stop that was sent and never seen live: it fired unseen, or the position went before it came.
  const { protection } = started
  if (protection.status === 'intended') {
    const hasFired = fill.clientOrderId === protection.order.clientOrderId
    history.push(
      orderEntry(
        protection.order,
        hasFired ? 'done' : 'cancelled',
        hasFired ? null : `closed by ${fill.reason} before it was seen live`,
        protection.intendedAt,
        fill.at,
      ),
    )
  }
  const trade = deriveTrade(state.strategyId, position, fill, exitReasonOf(phase, fill))
  history.push({ kind: 'TRADE', id: trade.id, at: trade.exitTime, body: trade })
  const detail = { reason: trade.exitReason, pnl: trade.pnl, rMultiple: trade.rMultiple, exitPrice: trade.exitPrice }
  return { state: rememberTrade(marked, trade), history, emissions: [{ type: 'closed', subject: trade.id, detail }] }
}

/**
 * A position of the intent its first fill belongs to, or of none. A stranger's fill never gets here: reconciliation
 * keeps it out.
 */
function beginFrom(
  { phase, strategyId }: StrategyState,
  { fill, multiplier, liquidationPrice, isOrphan }: Extract<LedgerEvent, { type: 'filled' }>,
): Position {
  const facts = { multiplier: multiplier as Quantity, liquidationPrice }
  if (isOrphan) return beginPosition({ cycleId: `${strategyId}-orphan`, bracket: null, thesis: null }, fill, facts)
  const intent: EntryIntent | null =
    phase.kind === 'opening' ? phase.intent : phase.kind === 'flat' ? phase.abandoned : null
  invariant(intent !== null && fill.side === intent.order.side, `fill ${fill.fillId} belongs to no entry of ours`)
  return beginPosition({ cycleId: intent.cycleId, bracket: intent.order.bracket, thesis: intent.thesis }, fill, facts)
}

/**
 * How much of the entry has filled, whatever became of it since: an exit of ours may have opened the other side by now.
 */
function countEntry(phase: Phase, fill: Fill): Phase {
  if (phase.kind !== 'opening' || fill.side !== phase.intent.order.side) return phase
  return { ...phase, filledQuantity: canonical(dec(phase.filledQuantity).plus(fill.quantity)) as Quantity }
}

function phaseAfterFill(phase: Phase, position: Position, isClosed: boolean): Phase {
  switch (phase.kind) {
    case 'flat':
      return { kind: 'open', position }
    case 'opening':
      // Closed while the entry is still unresolved: more of it may fill, so only its end leads to flat.
      return { ...phase, position: isClosed ? null : position }
    case 'open':
      return isClosed ? { kind: 'flat', abandoned: null } : { kind: 'open', position }
    case 'closing':
      return isClosed ? { kind: 'flat', abandoned: null } : { ...phase, position }
    default:
      return phase satisfies never
  }
}

function exitReasonOf(phase: Phase, fill: Fill): ExitReason {
  if (fill.reason === 'close' && phase.kind === 'closing') return phase.intent.reason
  return fill.reason === 'entry' ? 'external' : fill.reason
}

function rememberTrade(state: StrategyState, trade: Trade): StrategyState {
  const isLoss = dec(trade.pnl).lt(0)
  const accounting: Accounting = {
    ...state.accounting,
    consecutiveLosses: isLoss ? state.accounting.consecutiveLosses + 1 : 0,
    tradesClosed: state.accounting.tradesClosed + 1,
    lastTradeClosedAt: trade.exitTime,
    lastTradeLost: isLoss || trade.exitReason === 'liquidation' || trade.exitReason === 'external',
  }
  return {
    ...state,
    accounting,
    memory: { ...state.memory, trades: [...state.memory.trades, summariseTrade(trade)].slice(-TRADE_MEMORY) },
  }
}

function settleFunding(state: StrategyState, payment: FundingPayment): Transition {
  const { phase } = state
  invariant(!state.cursor.seenIds.includes(payment.fundingId), `funding ${payment.fundingId} has been read already`)
  // Only a payment that falls into the life of the held position is that trade's.
  const position = positionOf(phase)
  const isOurs = position !== null && fromIso(payment.at) > fromIso(position.openedAt)
  const credited = isOurs
    ? withPosition(state, (held) => ({ ...held, funding: sum(held.funding, payment.amount) }))
    : state
  return {
    state: moveCash(credited, { funding: payment.amount }, payment.at),
    history: [{ kind: 'FUNDING', id: payment.fundingId, at: payment.at, body: payment }],
    emissions: [],
  }
}
