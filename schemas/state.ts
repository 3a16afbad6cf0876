import { z } from 'zod'
import { ZERO_MONEY } from '../lib/core/decimal.ts'
import { DomainEvent } from './event.ts'
import { Instrument } from './instrument.ts'
import { Bracket, CloseOrder, EntryOrder, Fill, FundingPayment, OrderRecord, ProtectOrder, Transfer } from './order.ts'
import { IsoTime, MoneyText, PositionSide, PriceText, QuantityText, StrategyId } from './primitives.ts'
import { StoredVersion } from './stored.ts'
import { Trade } from './trade.ts'

/** Why a position was opened, kept for the decider to read and for the record. */
export const Thesis = z.strictObject({
  cycleId: z.string(),
  confidence: z.number(),
  rationale: z.string(),
  invalidation: z.string(),
  regime: z.string().nullable(),
})
export type Thesis = z.infer<typeof Thesis>

/** Where an order stands between our commit and the venue's last word. `intended` may or may not have been sent. */
export const IntentStatus = z.enum(['intended', 'accepted', 'unknown'])

/** A frozen entry, committed before it is sent. */
export const EntryIntent = z.strictObject({
  cycleId: z.string(),
  order: EntryOrder,
  status: IntentStatus,
  orderId: z.string().nullable(),
  intendedAt: IsoTime,
  /** Never sent after this instant; past it, an order the venue does not know is given up. */
  deadline: IsoTime,
  thesis: Thesis,
})
export type EntryIntent = z.infer<typeof EntryIntent>

/** A frozen close, committed before it is sent. Whoever commits it sends it; everyone else stands back. */
export const CloseIntent = z.strictObject({
  order: CloseOrder,
  reason: Trade.shape.exitReason,
  attempt: z.int().nonnegative(),
  status: IntentStatus,
  orderId: z.string().nullable(),
  intendedAt: IsoTime,
  deadline: IsoTime,
})
export type CloseIntent = z.infer<typeof CloseIntent>

/** The resting exits of the open position, as last confirmed by the venue. */
export const Protection = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('none') }),
  z.strictObject({
    status: z.literal('intended'),
    order: ProtectOrder,
    attempt: z.int().nonnegative(),
    intendedAt: IsoTime,
    deadline: IsoTime,
  }),
  z.strictObject({
    status: z.literal('live'),
    orderId: z.string(),
    quantity: QuantityText,
    bracket: Bracket,
    confirmedAt: IsoTime,
  }),
])
export type Protection = z.infer<typeof Protection>

/** An open position, made of fills. Average entry price = costBasis / (quantity x multiplier). */
export const Position = z.strictObject({
  tradeId: z.string(),
  side: PositionSide,
  quantity: QuantityText,
  peakQuantity: QuantityText,
  multiplier: QuantityText,
  /** Entry notional of what is still held, exact. */
  costBasis: MoneyText,
  /** Entry notional of everything ever bought into this trade. */
  entryNotional: MoneyText,
  /** Base units ever bought into this trade. */
  entryBase: QuantityText,
  exitNotional: MoneyText,
  exitBase: QuantityText,
  openedAt: IsoTime,
  bracket: Bracket.nullable(),
  liquidationPrice: PriceText.nullable(),
  /** Money lost at the stop, at the sizes and prices filled; the unit of an R-multiple. */
  riskAtEntry: MoneyText.nullable(),
  gross: MoneyText,
  fees: MoneyText,
  funding: MoneyText,
  slippage: MoneyText,
  fillIds: z.array(z.string()),
  protection: Protection,
  /** Protecting orders ever meant for this trade: the next one's number. */
  protectAttempts: z.int().nonnegative(),
  /** Of these, failed in a row since the last one was live. */
  protectFailures: z.int().nonnegative(),
  closeAttempts: z.int().nonnegative(),
  /**
   * A close under the next one's number may be on its way still: it has its id too, so that the venue takes one of
   * them.
   */
  isCloseUnheard: z.boolean().default(false),
  thesis: Thesis.nullable(),
})
export type Position = z.infer<typeof Position>

/** Where the strategy stands. */
export const Phase = z.discriminatedUnion('kind', [
  /** `abandoned` is an entry given up for lost: should it fill after all, its stop is still known. */
  z.strictObject({ kind: z.literal('flat'), abandoned: EntryIntent.nullable() }),
  z.strictObject({
    kind: z.literal('opening'),
    intent: EntryIntent,
    filledQuantity: QuantityText,
    position: Position.nullable(),
  }),
  z.strictObject({ kind: z.literal('open'), position: Position }),
  z.strictObject({ kind: z.literal('closing'), position: Position, intent: CloseIntent }),
])
export type Phase = z.infer<typeof Phase>

/** Money and risk counters. equity = cash + unrealised PnL at the last mark. */
export const Accounting = z.strictObject({
  /** Initial deposit plus everything realised since. */
  cash: MoneyText,
  deposited: MoneyText,
  /** Running totals over the strategy's life; cash = deposited + transferred + gross - fees + funding + adjustments. */
  gross: MoneyText,
  fees: MoneyText,
  funding: MoneyText,
  /** Differences taken over from the venue, each with an incident. */
  adjustments: MoneyText,
  /** Deposits less withdrawals since the first deposit: neither profit nor loss. */
  transferred: MoneyText.default(ZERO_MONEY),
  /** What of the adjustments halted the strategy and has not been explained as a transfer. */
  unexplained: MoneyText.default(ZERO_MONEY),
  equity: MoneyText,
  markPrice: PriceText.nullable(),
  markedAt: IsoTime.nullable(),
  peakEquity: MoneyText,
  day: z.string(),
  dayStartEquity: MoneyText,
  /**
   * Equity at the real beginning of the day and the highest of the strategy's life, kept where a resume has begun
   * `dayStartEquity` and `peakEquity` anew; null where none has. The ceilings of live trading count from them.
   */
  dayOpenEquity: MoneyText.nullable().default(null),
  lifetimePeakEquity: MoneyText.nullable().default(null),
  entriesToday: z.int().nonnegative(),
  /** Entries refused or given up do not count; trades that lost money in a row do. */
  consecutiveLosses: z.int().nonnegative(),
  lastTradeClosedAt: IsoTime.nullable(),
  /** The last trade lost money, was liquidated or was closed by somebody else: entries wait. */
  lastTradeLost: z.boolean(),
  /** Trades ever closed. */
  tradesClosed: z.int().nonnegative().default(0),
})
export type Accounting = z.infer<typeof Accounting>

/** A durable stop. Only a person lifts it. */
export const Halt = z.strictObject({
  at: IsoTime,
  by: z.enum(['operator', 'guard', 'incident']),
  rule: z.string().nullable(),
  reason: z.string(),
})
export type Halt = z.infer<typeof Halt>

/** One line of the decision memory that the next snapshot shows. */
export const DecisionSummary = z.strictObject({
  cycleId: z.string(),
  at: IsoTime,
  action: z.string(),
  outcome: z.string(),
  confidence: z.number().nullable(),
  note: z.string(),
})
export type DecisionSummary = z.infer<typeof DecisionSummary>

/** One line of the trade memory: what "recent trade performance" is made of. */
export const TradeSummary = z.strictObject({
  id: z.string(),
  side: PositionSide,
  regime: z.string().nullable(),
  pnl: MoneyText,
  rMultiple: z.number().nullable(),
  exitReason: z.string(),
  exitTime: IsoTime,
  holdingMinutes: z.number().nonnegative(),
})
export type TradeSummary = z.infer<typeof TradeSummary>

/** How far the venue's fills and funding payments have been read; the reading overlaps and de-duplicates by id. */
export const VenueCursor = z.strictObject({ since: IsoTime, seenIds: z.array(z.string()) })
export type VenueCursor = z.infer<typeof VenueCursor>

/** Slots in a row at which the decider failed: nothing was decided. */
export const DeciderStreak = z.strictObject({
  /** The first and the last of these slots. */
  since: IsoTime,
  lastSlot: IsoTime,
  slots: z.int().positive(),
  /**
   * What the last one failed with: a kind of `DecisionFailure`, as text so that releases with other kinds can read it.
   */
  kind: z.string(),
  message: z.string(),
  /** The slot at which the owner was last told of the streak. */
  toldAt: IsoTime,
})
export type DeciderStreak = z.infer<typeof DeciderStreak>

/** Something to append to the strategy's history, under a key made of kind, instant and id. */
export const HistoryEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ORDER'), id: z.string(), at: IsoTime, body: OrderRecord }),
  z.strictObject({ kind: z.literal('FILL'), id: z.string(), at: IsoTime, body: Fill }),
  z.strictObject({ kind: z.literal('TRADE'), id: z.string(), at: IsoTime, body: Trade }),
  z.strictObject({ kind: z.literal('FUNDING'), id: z.string(), at: IsoTime, body: FundingPayment }),
  z.strictObject({ kind: z.literal('TRANSFER'), id: z.string(), at: IsoTime, body: Transfer }),
])
export type HistoryEntry = z.infer<typeof HistoryEntry>

/** What follows from a state and is to be told after it is saved; told again by whoever finds it still here. */
export const Outbox = z.strictObject({ at: IsoTime, history: z.array(HistoryEntry), events: z.array(DomainEvent) })
export type Outbox = z.infer<typeof Outbox>

/** A difference with the venue, or something that happened there, that somebody should look at. */
export const Incident = z.strictObject({ at: IsoTime, kind: z.string(), detail: z.string() })
export type Incident = z.infer<typeof Incident>

/** Something that lasts and that the owner has been told: `detail` as it was then. */
export const Reminder = z.strictObject({ key: z.string(), detail: z.string(), at: IsoTime })
export type Reminder = z.infer<typeof Reminder>

/** A deposit or withdrawal that a person has announced and the venue's cash does not show yet. */
export const ExpectedTransfer = z.strictObject({
  transferId: z.string(),
  amount: MoneyText,
  at: IsoTime,
  /** After this instant a difference of that amount is unexplained again. */
  until: IsoTime,
  note: z.string().nullable(),
})
export type ExpectedTransfer = z.infer<typeof ExpectedTransfer>

/** The whole live state of one strategy: one item, one version, moved by one conditional write. */
export const StrategyState = z.strictObject({
  ...StoredVersion.shape,
  strategyId: StrategyId,
  version: z.int().nonnegative(),
  /** What the position, the orders and the trades of now are in; it changes only while nothing is held. */
  instrument: Instrument,
  phase: Phase,
  accounting: Accounting,
  halt: Halt.nullable(),
  lastSlot: IsoTime.nullable(),
  /** null while the decider decides. */
  deciderStreak: DeciderStreak.nullable().default(null),
  /** Last instant up to which enforcement has looked at one-minute bars. */
  watchedUntil: IsoTime.nullable(),
  cursor: VenueCursor,
  memory: z.strictObject({ decisions: z.array(DecisionSummary), trades: z.array(TradeSummary) }),
  /** Differences with the venue that nobody has explained yet. An entry needs none. */
  incidents: z.array(Incident),
  /**
   * Differences seen now; gone when explained, acted on when they stay. `at` is when each was first seen. An entry
   * needs none.
   */
  suspicions: z.array(Incident).default([]),
  expectedTransfers: z.array(ExpectedTransfer).default([]),
  /** What was told of things that last: they are told again when they change, and every few hours. */
  reminders: z.array(Reminder).default([]),
  outbox: Outbox.nullable().default(null),
  updatedAt: IsoTime,
})
export type StrategyState = z.infer<typeof StrategyState>
