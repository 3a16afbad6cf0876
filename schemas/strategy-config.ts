import { z } from 'zod'
import {
  Fraction,
  IntervalText,
  Mode,
  MoneyText,
  RateText,
  SignedRateText,
  StrategyId,
  TimeframeName,
} from './primitives.ts'
import { DEFAULT_MARKET } from './default-market.ts'
import { Instrument } from './instrument.ts'
import { limitsOf } from '../lib/core/time-limits.ts'
import { isTimeZone } from '../lib/core/time-zone.ts'

const milliseconds = z.int().positive()
const bps = z.number().min(0).max(1_000)

/** Where bars, quotes and funding come from. */
export const MarketConfig = z.strictObject({
  /**
   * `live` through ccxt, `sim` the seeded simulator, otherwise the path of a candle file or of a folder, or a list of
   * them.
   */
  source: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).default('sim'),
  /** A venue's id, or a ccxt exchange id, such as kraken. */
  exchange: z
    .string()
    .regex(/^[a-z0-9]+$/, { error: "expected a venue's id or a ccxt exchange id, such as kraken" })
    .default(DEFAULT_MARKET.exchange),
  /** The venue's own product id, or a ccxt unified symbol. */
  symbol: z.string().min(1).default(DEFAULT_MARKET.symbol),
  /** The market everything is compared with; null for none. */
  referenceSymbol: z.string().min(1).nullable().default(DEFAULT_MARKET.referenceSymbol),
  /** Candle file of the reference market, when the source is a file. */
  referenceFile: z.string().min(1).nullable().default(null),
  /** Funding history file, when the source is a file. */
  fundingFile: z.string().min(1).nullable().default(null),
  /** What the numbers of the funding file count: `percent`, `fraction/year`, `bps/8h`; null to go by the file. */
  fundingUnit: z
    .string()
    .regex(/^(?:fraction|percent|bps)(?:\/(?:interval|hour|day|year|[1-9]\d?h))?$/, {
      error: 'expected fraction, percent or bps, alone for one settlement or with /hour, /8h, /day or /year',
    })
    .nullable()
    .default(null),
  /** Zone of times in files that name none, such as America/New_York; null for UTC. */
  timeZone: z
    .string()
    .refine(isTimeZone, { error: 'expected the name of a time zone, such as UTC or America/New_York' })
    .nullable()
    .default(null),
  /** Which number of a date comes first in files where the dates themselves leave it open. */
  dateOrder: z.enum(['day-first', 'month-first']).nullable().default(null),
  /** Whose rows are taken from candle files that hold several symbols. */
  fileSymbol: z.string().min(1).nullable().default(null),
  /** Whose rows are taken from the reference file, where that holds several symbols. */
  referenceFileSymbol: z.string().min(1).nullable().default(null),
  /** Seed of the simulated market. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(7),
  /** Overrides the exchange's base URL: proxies and tests. */
  baseUrl: z.url().nullable().default(null),
  /** Deadline of one request for market data. */
  timeoutMs: milliseconds.default(10_000),
})
export type MarketConfig = z.infer<typeof MarketConfig>

const promptCommon = {
  /**
   * Takes the place of the whole built-in system text; null for the built-in. What that says of the answer's keys and
   * of headlines as untrusted text has to be said again.
   */
  systemPrompt: z.string().trim().min(1).max(8_000).nullable().default(null),
  /** Day up to which the model has read, as its maker states it. Reports tell results before and after it apart. */
  knowledgeCutoff: z.iso.date({ error: 'expected a date such as 2026-01-31' }).nullable().default(null),
}

/** Deadline of a model's decision where neither a configuration nor a short interval sets another, in milliseconds. */
export const DEFAULT_DECIDER_TIMEOUT_MS = 60_000

const modelCommon = {
  /** The model's name at its provider. */
  model: z.string().min(1),
  /** Another server that speaks the same protocol, such as http://localhost:11434/v1. */
  baseUrl: z.url().nullable().default(null),
  /**
   * Deadline of the whole decision: attempts, waiting and the repair together. At most two thirds of the interval,
   * which the default follows where the interval is shorter than 90 s.
   */
  timeoutMs: milliseconds.max(600_000).default(DEFAULT_DECIDER_TIMEOUT_MS),
  /** Further tries after a 429, 5xx or network failure. */
  maxRetries: z.int().min(0).max(5).default(2),
  /** Most tokens that an answer may have, reasoning included. */
  maxOutputTokens: z.int().min(64).max(32_000).default(4_000),
  /** null leaves the provider's default: some models refuse the parameter. */
  temperature: z.number().min(0).max(2).nullable().default(null),
  /** US dollars per million tokens, for the cost in the record; null when unknown. */
  price: z
    .strictObject({ inputPerMillion: z.number().nonnegative(), outputPerMillion: z.number().nonnegative() })
    .nullable()
    .default(null),
  ...promptCommon,
}

/** Who decides. */
export const DeciderConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('rules'),
    /** Distance of the stop, in ATR of the decision timeframe. */
    stopAtr: z.number().positive().default(2),
    /** Distance of the target over the distance of the stop. */
    rewardToRisk: z.number().positive().default(2),
    /** Least RSI at which a long is opened. */
    rsiLongMin: z.number().min(0).max(100).default(50),
    /** Highest RSI at which a long is opened. */
    rsiLongMax: z.number().min(0).max(100).default(70),
    /** Least RSI at which a short is opened. */
    rsiShortMin: z.number().min(0).max(100).default(30),
    /** Highest RSI at which a short is opened. */
    rsiShortMax: z.number().min(0).max(100).default(50),
    /** Sits out the side whose recent trades lost and did worse than the other side's. */
    followsRecord: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('openai'), ...modelCommon, model: modelCommon.model.default('gpt-5.4') }),
  z.strictObject({
    kind: z.literal('anthropic'),
    ...modelCommon,
    model: modelCommon.model.default('claude-sonnet-5-5'),
  }),
  z.strictObject({
    kind: z.literal('recorded'),
    /** JSON Lines: what models answered to which questions, see `schemas/recording.ts`, or `{promptHash, raw}`. */
    file: z.string().min(1),
    /**
     * Whose answers, where the file holds those of several providers; null takes the only one there is. Of the settings
     * below, null takes the only value there is, `default` the answers that were asked for without the setting.
     */
    provider: z.enum(['openai', 'anthropic']).nullable().default(null),
    /** The model whose answers are taken. */
    model: z.string().min(1).nullable().default(null),
    /** The temperature that the answers were asked for with. */
    temperature: z
      .union([z.number(), z.literal('default')])
      .nullable()
      .default(null),
    /** The limit of tokens that the answers were asked for with. */
    maxOutputTokens: z.int().positive().nullable().default(null),
    /** The server that gave the answers. */
    baseUrl: z
      .union([z.literal('default'), z.url()])
      .nullable()
      .default(null),
    /** Which of repeated answers to the same question. */
    sample: z.int().nonnegative().default(0),
    ...promptCommon,
  }),
])
export type DeciderConfig = z.infer<typeof DeciderConfig>

/**
 * Limits the guard enforces in code. Fractions, never percents. In live mode daily loss, drawdown and risk a trade have
 * ceilings that no configuration passes: `lib/guard/limits.ts`.
 */
export const GuardConfig = z.strictObject({
  /** Loss since the start of the day, as a fraction of its equity, at which trading halts. */
  maxDailyLoss: Fraction.gt(0).default(0.05),
  /** Fall of equity below its peak, as a fraction of it, at which trading halts. */
  maxDrawdown: Fraction.gt(0).default(0.15),
  /** No entry this close to a close or maintenance of the venue. */
  sessionBufferMinutes: z.number().nonnegative().default(30),
  /** Nearest that a stop may be to the price, in ATR of the decision timeframe. */
  minStopAtr: z.number().positive().default(0.5),
  /** Furthest that a stop may be from the price, in ATR of the decision timeframe. */
  maxStopAtr: z.number().positive().default(5),
  /** The stop must be reached before the liquidation price by at least this fraction of the entry price. */
  liquidationBuffer: Fraction.default(0.02),
  /** Distance of the target over the distance of the stop, at least. */
  minRewardToRisk: z.number().positive().default(1.5),
  /** Least confidence of the decider at which an entry is allowed. */
  minConfidence: Fraction.default(0.3),
  /** Fraction of equity that a trade risks before sizing scales it by confidence and evidence. */
  riskPerTrade: Fraction.default(0.01),
  /** Most that a trade may risk between entry and stop, as a fraction of equity. */
  maxRiskPerTrade: Fraction.default(0.02),
  /** Largest notional of a position, in times of equity. */
  maxLeverage: z.number().positive().max(10).default(3),
  /** Largest notional of a position, in the quote currency. */
  maxNotional: MoneyText.refine((amount) => Number(amount) > 0, { error: 'must be above zero' }).default(
    '50000' as z.infer<typeof MoneyText>,
  ),
  /** Furthest the price may have moved since the snapshot, in ATR. */
  maxPriceMoveAtr: z.number().positive().default(0.5),
  /** Minutes after a losing trade in which no entry is allowed. */
  cooldownMinutesAfterLoss: z.number().nonnegative().default(60),
  /** Entries allowed on one day. */
  maxEntriesPerDay: z.int().positive().default(6),
  /** UTC hours of the day in which entries are allowed, from inclusive to exclusive; equal means always. */
  tradingHoursUtc: z
    .strictObject({ from: z.int().min(0).max(23), to: z.int().min(0).max(24) })
    .default({ from: 0, to: 24 }),
  /** UTC weekdays in which entries are allowed; 0 is Sunday. */
  tradingDaysUtc: z.array(z.int().min(0).max(6)).min(1).default([0, 1, 2, 3, 4, 5, 6]),
  /** Highest funding a new position may have to pay, annualised. */
  maxFundingAnnualised: z.number().positive().default(1),
  /** Worst fill accepted beyond the quote at the decision. */
  maxEntrySlippageBps: bps.default(10),
})
export type GuardConfig = z.infer<typeof GuardConfig>

/**
 * What a record of this strategy's own trades has shown, as `hourhand evidence` writes it: how many won and lost, and
 * by how many R on average. It belongs to the settings whose hash it bears, and to no others.
 */
export const SizingEvidence = z.strictObject({
  /** Where the record comes from, in words. */
  source: z.string().min(1).max(200),
  /** Hash of the settings that the record was made with. */
  settingsHash: z.string().regex(/^[0-9a-f]{64}$/, { error: 'a SHA-256 as hourhand evidence writes it' }),
  /** Trades that won. */
  wins: z.int().nonnegative(),
  /** Trades that lost. */
  losses: z.int().nonnegative(),
  /** Average of the winning trades, in R. */
  averageWinR: z.number().nonnegative(),
  /** Average of the losing trades, in R, without its sign. */
  averageLossR: z.number().nonnegative(),
})
export type SizingEvidence = z.infer<typeof SizingEvidence>

/** How big. Half-Kelly from the strategy's own record, scaled by confidence, inside the guard's limits. */
export const SizingConfig = z.strictObject({
  /** Fraction of the Kelly bet taken. */
  kellyFraction: Fraction.default(0.5),
  /** Risked while the record shows no edge, so that evidence keeps coming in; 0 stops trading instead. */
  minRisk: Fraction.default(0.0025),
  /**
   * A record of so many trades counts half, one of nine times as many nine tenths: few trades say little. Of its own
   * trades a run remembers the last 50, `evidence` may be of any number.
   */
  shrinkageTrades: z.int().positive().default(30),
  /**
   * A replay or paper record to begin with; the trades that this run remembers are added to it. null: those alone
   * count.
   */
  evidence: SizingEvidence.nullable().default(null),
})
export type SizingConfig = z.infer<typeof SizingConfig>

/** When an open position is closed by enforcement. */
export const ExitConfig = z.strictObject({
  /** Closed at market after this long; null for never. */
  maxHoldingMinutes: z.number().positive().nullable().default(2_880),
  /** Closed when mark comes this near to the liquidation price, as a fraction of mark. */
  liquidationDistance: Fraction.default(0.05),
})
export type ExitConfig = z.infer<typeof ExitConfig>

export const FeedConfig = z.strictObject({ name: z.string().min(1).max(40), url: z.url({ protocol: /^https?$/ }) })

export const NewsConfig = z.strictObject({
  /** RSS, Atom or JSON feeds of headlines: `{name, url}` each. */
  feeds: z.array(FeedConfig).max(20).default([]),
  /** Recorded headlines, when the market is a candle file: JSON Lines of `{title, source, published_at}`. */
  file: z.string().min(1).nullable().default(null),
  /** Most headlines that a snapshot holds, newest first. */
  maxHeadlines: z.int().min(0).max(50).default(12),
  /** Older headlines are left out. */
  maxAgeHours: z.number().positive().default(24),
  /** Longer titles are cut to so many characters. */
  maxTitleLength: z.int().min(20).max(500).default(140),
  /** Deadline of one feed. */
  timeoutMs: milliseconds.default(5_000),
  /** Largest size of one feed. */
  maxBytes: z.int().positive().default(2_000_000),
})
export type NewsConfig = z.infer<typeof NewsConfig>

/** The simulated venue: its money, its costs. What a contract is stands in `instrument`. */
export const PaperConfig = z.strictObject({
  /** Money that the paper account begins with. */
  initialCash: MoneyText.refine((amount) => Number(amount) > 0, { error: 'must be above zero' }).default(
    '10000' as z.infer<typeof MoneyText>,
  ),
  /** Full bid-ask spread, in basis points of price. */
  spreadBps: bps.max(100).default(2),
  /** Slippage beyond the spread, always against us, in basis points of price. */
  slippageBps: bps.max(100).default(1),
  /**
   * How long an order is on its way to the venue. On history and in the simulator the price has moved by then along its
   * bar, and never in our favour; on live prices the delay is real already.
   */
  latencyMs: z.int().min(0).max(60_000).default(2_000),
  /** Paid on top at a liquidation, as a fraction of notional. */
  liquidationFeeRate: RateText.default('0.005'),
  /** Funding per interval where history gives none: 0.01 % per 8 hours. */
  assumedFundingRate: SignedRateText.default('0.0000125'),
  /** Whether the venue takes exits attached to an entry; if not they are placed after the fill. */
  attachedBrackets: z.boolean().default(true),
})
export type PaperConfig = z.infer<typeof PaperConfig>

/** Trading with real money. Everything here only narrows what happens. */
export const LiveConfig = z.strictObject({
  /**
   * Overrides the venue's base URL for private calls; null takes `market.baseUrl`, and without that the venue's own.
   */
  baseUrl: z.url().nullable().default(null),
  /** Deadline of one request to the venue, its body included. */
  timeoutMs: milliseconds.max(30_000).default(8_000),
  /** Sends stop and target with the entry where the venue's preview accepts them; otherwise they follow the fill. */
  attachBracket: z.boolean().default(true),
  /** Assumed money per contract and side on top of the fee tier's rate: the venue names it nowhere. */
  feePerContract: RateText.default('0.15'),
  /** Entries are refused when this machine's clock and the venue's differ by more. */
  maxClockSkewMs: milliseconds.max(30_000).default(5_000),
  /** Days that the paper record must show before the first live entry. */
  minPaperDays: z.int().min(14).default(14),
  /** Closed trades that the paper record must show before the first live entry. */
  minPaperTrades: z.int().min(50).default(50),
  /** Live entries start at the venue's minimum size; after each so many closed live trades the ceiling doubles. */
  tradesPerSizeStep: z.int().positive().default(10),
})
export type LiveConfig = z.infer<typeof LiveConfig>

/**
 * What a result has to show before it counts as evidence. Each limit is strict: reaching it is not enough. Gates judge
 * a result after the fact; what the guard does while trading is under `guard`.
 */
export const GateConfig = z.strictObject({
  /** The annualised Sharpe ratio is above this. */
  minSharpe: z.number().default(1),
  /** The deepest fall of equity from a peak, as a fraction of it, is below this. */
  maxDrawdown: Fraction.gt(0).default(0.2),
  /** There are more closed trades than this. */
  minTrades: z.int().nonnegative().default(50),
  /** The probability that the Sharpe ratio is not the luck of the best trial is above this. */
  minDeflatedSharpe: Fraction.lt(1).default(0.95),
  /** The total return, after all costs, is above that of holding the market by more than this. */
  minReturnOverHolding: z.number().default(0),
})
export type GateConfig = z.infer<typeof GateConfig>

/** What a deployment assumes where its configuration is silent: real prices. */
export const DEPLOYMENT_DEFAULTS = { market: { source: 'live' } } as const

/**
 * The settings of one strategy, each by itself. What is left out has the stated default; an unknown key is an error.
 */
export const StrategySettings = z.strictObject({
  /** Name of the strategy: keys, logs, records and cycle ids bear it. */
  id: StrategyId,
  /** `paper` trades on a simulated account, `live` with real money. */
  mode: Mode.default('paper'),
  /** Time between decisions, from 10 s to 1 d: `15s`, `30m`, `1h`, `1d`. Slots are its multiples since 1970, UTC. */
  interval: IntervalText.default('30m'),
  /**
   * Length of the bars that a decision is made on; null takes the longest timeframe that is not longer than the
   * interval, and one minute for intervals below that.
   */
  decisionTimeframe: TimeframeName.nullable().default(null),
  /**
   * What is traded. A configuration names it (`instrument`: an id or a contract code; `market.symbol`) or gives its
   * facts; the loader completes it.
   */
  instrument: Instrument,
  market: MarketConfig.prefault({}),
  decider: DeciderConfig.prefault({ kind: 'rules' }),
  guard: GuardConfig.prefault({}),
  sizing: SizingConfig.prefault({}),
  exits: ExitConfig.prefault({}),
  news: NewsConfig.prefault({}),
  paper: PaperConfig.prefault({}),
  live: LiveConfig.prefault({}),
  gates: GateConfig.prefault({}),
  /** What the decider is reminded of. */
  memory: z
    .strictObject({
      /** Last decisions that a snapshot shows. */
      decisions: z.int().min(0).max(20).default(6),
      /** Last closed trades that a snapshot counts. */
      trades: z.int().min(0).max(50).default(30),
    })
    .prefault({}),
  /** Days a cycle's full record is kept; trades, orders and fills are kept for good. */
  retentionDays: z.int().min(1).max(3_650).default(400),
})

/** One strategy, complete: its settings, and what must hold between them. */
export const StrategyConfig = StrategySettings.refine((config) => config.guard.minStopAtr < config.guard.maxStopAtr, {
  path: ['guard', 'minStopAtr'],
  error: 'must be below guard.maxStopAtr',
})
  .refine((config) => config.sizing.minRisk <= config.guard.riskPerTrade, {
    path: ['sizing', 'minRisk'],
    error: 'must not exceed guard.riskPerTrade',
  })
  .refine((config) => config.guard.riskPerTrade <= config.guard.maxRiskPerTrade, {
    path: ['guard', 'riskPerTrade'],
    error: 'must not exceed guard.maxRiskPerTrade',
  })
  .superRefine((config, context) => {
    for (const { path, message } of misfits(config)) context.addIssue({ code: 'custom', path, message })
  })
export type StrategyConfig = z.infer<typeof StrategyConfig>

/** Deadlines that are too long for the interval. */
function misfits(config: z.infer<typeof StrategySettings>): { path: string[]; message: string }[] {
  const { interval, decider, live } = config
  const { maxDeciderTimeoutMs, maxRequestTimeoutMs } = limitsOf(config)
  const found: { path: string[]; message: string }[] = []
  if ('timeoutMs' in decider && decider.timeoutMs > maxDeciderTimeoutMs)
    found.push({
      path: ['decider', 'timeoutMs'],
      message: `does not fit interval ${interval}: a decision has two thirds of it, so set at most ${maxDeciderTimeoutMs}, or a longer interval`,
    })
  if (live.timeoutMs > maxRequestTimeoutMs)
    found.push({
      path: ['live', 'timeoutMs'],
      message: `does not fit interval ${interval}: a request to the venue ends before the next slot, so set at most ${maxRequestTimeoutMs}, or a longer interval`,
    })
  return found
}
