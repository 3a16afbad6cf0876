import { z } from 'zod'
import { CalendarId } from './calendar.ts'
import {
  FeeRateText,
  IsoTime,
  MarginRateText,
  MoneyText,
  PositiveQuantityText,
  PriceText,
  RateText,
} from './primitives.ts'

/** `<venue>:<the venue's own symbol>`, such as `cme:ESH26`. */
export const InstrumentId = z.string().regex(/^[a-z][a-z0-9-]*:\S{1,60}$/, {
  error: 'expected <venue>:<symbol at the venue>, such as cme:ESH26',
})
export type InstrumentId = z.infer<typeof InstrumentId>

const positiveMoney = MoneyText.refine((amount) => Number(amount) > 0, { error: 'must be above zero' })

/** What a venue asks to hold a position: a share of the notional, by side, or an amount for each contract. */
export const Margin = z.union([
  z.strictObject({
    perNotional: z.strictObject({
      /** To open; the stricter window of the day. */
      initial: z.strictObject({ long: MarginRateText, short: MarginRateText }),
      maintenance: MarginRateText,
    }),
  }),
  z.strictObject({
    /** Quote currency a contract. */
    perContract: z.strictObject({ initial: positiveMoney, maintenance: positiveMoney }),
  }),
])
export type Margin = z.infer<typeof Margin>

const common = {
  id: InstrumentId,
  venue: z.string().min(1),
  /** The name by which orders, bars and quotes are asked for. */
  venueSymbol: z.string().min(1),
  /** What the price is the price of: `ETH`, `ES`. Limits of an account by underlying go by it. */
  underlying: z.string().min(1),
  /** What one unit of the multiplier is, for people: `ETH`, `barrel`, `index point`. */
  unit: z.string().min(1),
  quoteCurrency: z.string().min(1),
  /** Units of the underlying in one contract. Notional = quantity x multiplier x price. */
  multiplier: PositiveQuantityText,
  tickSize: PriceText,
  /** Quantities are multiples of this many contracts. */
  lotSize: PositiveQuantityText,
  minQuantity: PositiveQuantityText,
  maxQuantity: PositiveQuantityText,
  margin: Margin,
  /** Maker and taker as fractions of notional, and quote currency a contract on top. */
  fees: z.strictObject({ maker: FeeRateText, taker: FeeRateText, perContract: RateText }),
  calendar: CalendarId,
}

/** A contract without end. Funding is paid each interval; null where the venue pays none. */
export const Perp = z.strictObject({
  kind: z.literal('perp'),
  ...common,
  fundingIntervalMs: z.int().positive().nullable(),
})
export type Perp = z.infer<typeof Perp>

/** A contract that ends. */
export const DatedFuture = z.strictObject({
  kind: z.literal('future'),
  ...common,
  /** The product without its month: `ES`. */
  root: z.string().min(1),
  /** Contract month, `2026-03`. */
  month: z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, { error: 'expected a contract month such as 2026-03' }),
  /** The end of trading. */
  lastTrade: IsoTime,
  /** Beginning of the first notice day; null where the contract settles in cash. */
  firstNotice: IsoTime.nullable(),
  /** From this instant on no position is opened. */
  lastEntry: IsoTime,
})
export type DatedFuture = z.infer<typeof DatedFuture>

/** What is traded: every fact that turns a price and a quantity into money. */
export const Instrument = z.discriminatedUnion('kind', [Perp, DatedFuture])
export type Instrument = z.infer<typeof Instrument>

/** Milliseconds between two funding settlements; null where none are paid. */
export const fundingIntervalOf = (instrument: Instrument): number | null =>
  instrument.kind === 'perp' ? instrument.fundingIntervalMs : null

/** Whether the venue takes orders now. */
export const TradingSession = z.strictObject({
  isOpen: z.boolean(),
  /** The next known maintenance or close, if any. */
  nextClose: IsoTime.nullable(),
  reason: z.string(),
})
export type TradingSession = z.infer<typeof TradingSession>
