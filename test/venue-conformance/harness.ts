import type { Broker, PlaceableOrder } from '../../lib/venue/broker.ts'
import type { Capabilities } from '../../schemas/venue.ts'
import type { Placement, Refusal } from '../../schemas/order.ts'

/** What a fake venue can be made to do beside taking orders. */
export type Acts = {
  /** The price jumps to this level, and five seconds pass. */
  price(level: number): Promise<void>
  /** The answer to the next placement is lost, before or after the venue has acted on it. */
  loseAnswer(when: 'before' | 'after'): void
  /** The answer to the next placement arrives broken, after the venue has acted on it. */
  breakAnswer(): void
  /** The next placement cannot connect. */
  refuseConnection(): void
  /** Of the next entry only this fraction fills. */
  fillPartly(fraction: number): void
  /** A person cancels what rests, closes contracts, or trades the other way in the venue's own app. */
  cancelByHand(): void
  reduceByHand(contracts: number): void
  reverseByHand(contracts: number): void
  /** A person rests an order of their own. */
  placeByHand(): void
  /** The venue takes the position away. */
  liquidate(): Promise<void>
  /** The clock moves into the announced close. */
  closeSession(): Promise<void>
  /** So many round trips of one contract, made by hand. */
  tradeOften(roundTrips: number): void
  skewClock(ms: number): void
  /** The venue turns away the next request to place an order, or the next to read. */
  limitRate(what: 'placement' | 'reading'): void
  rejectCredentials(): void
  /** The market's next quotes are of this kind. */
  spoilQuotes(kind: 'crossed' | 'one-sided'): void
  /** The market has no price any more. */
  losePrice(): void
  /** Nobody has traded for an hour. */
  stopTrading(): void
  deposit(amount: string): Promise<void>
  /** A funding settlement passes while a position is held. */
  settleFunding(): Promise<void>
}
export type Act = keyof Acts

/** What really is at the venue, whatever it answers. */
export type Truth = {
  /** Positive long, negative short. */
  contracts: number
  /** Orders that ever took effect under this client id. */
  ordersOf(clientOrderId: string): number
}

/** One venue with nothing in it at a price of 3,000, and a broker on it, both on one clock. */
export type Harness = {
  readonly broker: Broker
  readonly symbol: string
  /** The instant now, in epoch milliseconds. */
  now(): number
  /** Places with 20 s to go. */
  place(order: PlaceableOrder): Promise<Placement>
  readonly act: Partial<Acts>
  truth(): Promise<Truth>
  /** A quote as a cycle reads it. */
  quote(): Promise<unknown>
  /** What the market says about trading. */
  trading(): Promise<string>
  /** Problems that the venue's inspection names; null where it has none. */
  inspect: (() => Promise<string[]>) | null
  /**
   * An order that the venue refuses for this reason, after what is needed has been done; null where the venue never
   * does.
   */
  provoke: Partial<Record<Refusal, () => Promise<Placement>>>
}

/** A venue under test: how to open it, and why what it cannot do is left out. */
export type HarnessFactory = {
  readonly venue: string
  readonly capabilities: Capabilities
  open(): Promise<Harness>
  /** Why an act is not possible here. */
  readonly without: Partial<Record<Act, string>>
  /** Why a refusal is never given here. */
  readonly withoutRefusal: Partial<Record<Refusal, string>>
}
