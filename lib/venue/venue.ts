import type { z } from 'zod'
import type { Clock } from '../core/time.ts'
import type { ExchangeReader } from '../market/exchange-reader.ts'
import type { MarketData } from '../market/market-data.ts'
import type { Store } from '../store/store.ts'
import type { Capabilities } from '../../schemas/venue.ts'
import type { MarketConfig, StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Broker } from './broker.ts'

/** The values of one venue's credentials, by the names of their parts. */
export type Credentials = Readonly<Record<string, string>>

/** One value that a person has to give before a venue takes orders. */
export type CredentialPart = {
  /** The part's name in {@link Credentials}. */
  readonly name: string
  /** The environment variable that holds it; `<variable>_PARAMETER` names an SSM parameter that holds it instead. */
  readonly variable: string
  /** What it is, for people, with its article. */
  readonly what: string
  /** Whether it is kept out of logs, errors and records. */
  readonly isSecret: boolean
}

/** How a venue knows its customer. */
export type VenueCredentials = {
  readonly parts: readonly CredentialPart[]
  /** What to do where they are missing or cannot work. */
  readonly remedy: string
  /** Checks all parts before anything is sent. Throws UsageError, whose message holds no part of a secret. */
  parse(given: Credentials): Credentials
  /** Every form in which a library or an error may repeat the secret value of one part. */
  formsOf(value: string): string[]
  /** Tells one key from another without naming it. */
  fingerprint(given: Credentials): string
}

/** One thing that was looked at. `remedy` is what to do about it, empty where nothing has to be done. */
export type VenueCheck = { check: string; ok: boolean; detail: string; remedy: string }
/** `portfolioUuid` is the venue's own id of the account that the credentials belong to. */
export type VenueInspection = { checks: VenueCheck[]; portfolioUuid: string | null }

/** What the broker of a venue with real money is made of. */
export type LiveBrokerOptions = {
  config: StrategyConfig
  /** Throws UsageError where there are none. */
  credentials: () => Credentials
  clock: Clock
  sleep: (ms: number) => Promise<void>
  telemetry?: { log(level: 'warn', message: string, fields?: Readonly<Record<string, unknown>>): void }
}

export type PaperBrokerOptions = { config: StrategyConfig; market: MarketData; store: Store; clock: Clock }

type Common = {
  /** The venue's name in configurations, instrument ids and records. */
  readonly id: string
  /** The venue's name for people. */
  readonly title: string
  readonly capabilities: Capabilities
  /** The settings of a configuration that this venue reads: `paper` or `live`. */
  readonly settings: z.ZodType
  /** Our order ids (UUIDs) in the form that the venue keeps; `decode(encode(id))` is `id`. */
  readonly clientOrderId: {
    encode(ours: string): string
    /** Our id, or null where the venue's text is no id of ours. */
    decode(theirs: string): string | null
  }
}

/** A venue that trades real money. Its functions import the rest of its folder when they are called. */
export type LiveVenue = Common & {
  readonly kind: 'live'
  readonly credentials: VenueCredentials
  /** The ccxt class that the venue is reached through; null for a venue with a transport of its own. */
  readonly ccxtClass: string | null
  /** How prices are read without credentials. */
  openMarket(config: MarketConfig): Promise<ExchangeReader>
  /** Rejects with UsageError for credentials that cannot work. */
  openBroker(options: LiveBrokerOptions): Promise<Broker>
  /** Reads what live trading needs and changes nothing. Rejects with UsageError for credentials that cannot work. */
  inspect(options: Pick<LiveBrokerOptions, 'config' | 'credentials' | 'clock'>): Promise<VenueInspection>
}

/** The venue that plays orders over another market's prices, with money of its own. */
export type PaperVenue = Common & {
  readonly kind: 'paper'
  readonly credentials: null
  openBroker(options: PaperBrokerOptions): Broker
}

/** A venue as the rest of the program knows it: one folder under `lib/venue` and one line of the registry. */
export type Venue = LiveVenue | PaperVenue
