import { z } from 'zod'
import { describeIssues } from '../config/describe-issues.ts'
import { loadConfig } from '../config/load-config.ts'
import { isObject } from '../config/merge.ts'
import { DEFAULT_STRATEGY, NAMED_STRATEGIES } from '../config/strategies.ts'
import { UsageError } from '../core/invariant.ts'
import { CATALOGUE } from '../instrument/catalogue.ts'
import { inferInstrument } from '../instrument/infer-instrument.ts'
import { parseJsonText } from '../files/parse-json.ts'
import { readJsonFile } from '../files/read-json-file.ts'
import { IntervalText, IsoTime, Mode } from '../../schemas/primitives.ts'
import type { Environment } from '../../schemas/environment.ts'
import { DEPLOYMENT_DEFAULTS, type StrategyConfig } from '../../schemas/strategy-config.ts'

const SEED_RANGE = `expected a whole number from 0 to ${2 ** 32 - 1}`

/** An instant as people write it: seconds may be left out. */
export const InstantOption = z
  .string()
  .transform((text) => text.replace(/T(\d\d:\d\d)Z$/, 'T$1:00Z'))
  .pipe(IsoTime)
  // What is reckoned from it, a slot's end or a deadline, must have a date too.
  .refine((text) => text < '9999', { error: 'expected a time of the years 1970 to 9998' })

/** Where the embedded database lies unless another place is named. */
export const DEFAULT_DATA_DIR = '.hourhand'

/** What is traded, and how files of candles and funding are read where they leave it open. */
export const FileOptions = z.object({
  instrument: z.string().min(1).optional(),
  symbol: z.string().min(1).optional(),
  referenceFileSymbol: z.string().min(1).optional(),
  timeZone: z.string().optional(),
  dateOrder: z.string().optional(),
  fundingUnit: z.string().optional(),
})
export type FileOptions = z.infer<typeof FileOptions>

/** Options every command knows. */
export const CommonOptions = z.object({
  strategy: z.string().optional(),
  config: z.string().optional(),
  dataDir: z.string().min(1).default(DEFAULT_DATA_DIR),
  table: z.string().min(1).optional(),
  mode: Mode.optional(),
  all: z.boolean().default(false),
  seed: z
    .string()
    .regex(/^\d{1,10}$/, { error: SEED_RANGE })
    .transform(Number)
    .refine((seed) => seed < 2 ** 32, { error: SEED_RANGE })
    .optional(),
  market: z.string().min(1).optional(),
  interval: IntervalText.optional(),
  ...FileOptions.shape,
  decider: z.enum(['rules', 'openai', 'anthropic', 'recorded']).optional(),
  at: InstantOption.optional(),
  dryRun: z.boolean().default(false),
  feeds: z.boolean().default(false),
  json: z.boolean().default(false),
  verbose: z.boolean().default(false),
})
export type CommonOptions = z.infer<typeof CommonOptions>

/** Checks raw options. Throws {@link UsageError} naming the option, its value and the remedy. */
export function parseOptions<T>(schema: z.ZodType<T>, raw: unknown): T {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw new UsageError(describeIssues('options', parsed.error, raw))
  return parsed.data
}

/** Files of history beside the candles, as named on the command line, and how they are read. */
export type HistoryFiles = FileOptions & {
  funding?: string | undefined
  reference?: string | undefined
  news?: string | undefined
}

const present = (settings: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))

/** The strategy's configuration: named strategy, configuration file over it, single options over both. */
export async function resolveConfig(
  options: Pick<CommonOptions, 'strategy' | 'config' | 'seed' | 'interval' | 'decider' | 'table' | 'instrument'> & {
    market?: string | readonly string[] | undefined
    files?: HistoryFiles
  },
  environment: Pick<Environment, 'HOURHAND_STRATEGY' | 'HOURHAND_CONFIG' | 'HOURHAND_TABLE'> = {},
): Promise<StrategyConfig> {
  const fromEnvironment =
    environment.HOURHAND_CONFIG === undefined ? {} : parseJsonText(environment.HOURHAND_CONFIG, 'HOURHAND_CONFIG')
  const fromFile = options.config === undefined ? fromEnvironment : readJsonFile(options.config, '--config')
  const origin = options.config ?? 'configuration'
  const strategy = options.strategy ?? environment.HOURHAND_STRATEGY ?? DEFAULT_STRATEGY
  if (!isObject(fromFile)) return loadConfig({ strategy, overrides: fromFile, origin })
  const file = fromFile as {
    market?: { source?: unknown; symbol?: unknown }
    instrument?: unknown
    decider?: { kind?: unknown }
    news?: object
  }
  const { market, seed, decider, interval, files = {} } = options
  // Against a deployment's table, what its stack assumed holds here too: never simulated prices on its books.
  const isDeployment = options.table !== undefined || environment.HOURHAND_TABLE !== undefined
  const [only, ...more] = typeof market === 'string' ? [market] : (market ?? [])
  const named = more.length === 0 ? only : market
  const source =
    named ?? (isDeployment && file.market?.source === undefined ? DEPLOYMENT_DEFAULTS.market.source : undefined)
  const isSameDecider = file.decider?.kind === decider
  const isNamed =
    options.strategy !== undefined ||
    environment.HOURHAND_STRATEGY !== undefined ||
    file.instrument !== undefined ||
    file.market?.symbol !== undefined
  const instrument = options.instrument ?? files.instrument ?? (isNamed ? undefined : instrumentOfFiles(source))
  const overrides = {
    ...file,
    ...(interval === undefined ? {} : { interval }),
    ...(instrument === undefined ? {} : { instrument }),
    ...(isObject(file.market ?? {})
      ? {
          market: {
            ...withoutSymbol(file.market, instrument !== undefined),
            ...(source === undefined ? {} : { source }),
            ...(seed === undefined ? {} : { seed }),
            ...present({
              fundingFile: files.funding,
              referenceFile: files.reference,
              fileSymbol: files.symbol,
              referenceFileSymbol: files.referenceFileSymbol,
              timeZone: files.timeZone,
              dateOrder: files.dateOrder,
              fundingUnit: files.fundingUnit,
            }),
          },
        }
      : {}),
    ...(files.news === undefined ? {} : { news: { ...file.news, file: files.news } }),
    // Another decider has settings of its own; those of the file were not meant for it.
    ...(decider === undefined || isSameDecider ? {} : { decider: { kind: decider } }),
  }
  return loadConfig({ strategy, overrides, origin })
}

/** An instrument that is named by itself brings its own symbol. */
function withoutSymbol(market: object | undefined, isNamed: boolean): object {
  const { symbol: _, ...rest } = (market ?? {}) as { symbol?: unknown }
  return isNamed ? rest : (market ?? {})
}

/**
 * The instrument that the names of candle files speak of; undefined where they speak of none, and for other sources.
 */
function instrumentOfFiles(source: unknown): string | undefined {
  const files = typeof source === 'string' ? [source] : Array.isArray(source) ? source : []
  const [first] = files.filter((file) => file !== 'sim' && file !== 'live')
  return first === undefined ? undefined : inferInstrument(String(first), CATALOGUE)?.id
}

/** The configuration that a person gives as a whole, by file or environment; null where they give none. */
export const givenConfig = async (options: CommonOptions, environment: Environment): Promise<StrategyConfig | null> =>
  options.config === undefined && environment.HOURHAND_CONFIG === undefined ? null : resolveConfig(options, environment)

/** A stored configuration with single options over it. */
export function overStored(
  stored: StrategyConfig,
  { market, seed, decider, interval }: Pick<CommonOptions, 'market' | 'seed' | 'decider' | 'interval'>,
): StrategyConfig {
  if ([market, seed, decider, interval].every((option) => option === undefined)) return stored
  return loadConfig({
    strategy: Object.hasOwn(NAMED_STRATEGIES, stored.id) ? stored.id : DEFAULT_STRATEGY,
    origin: 'the stored configuration with the options given',
    overrides: {
      ...stored,
      ...(interval === undefined ? {} : { interval }),
      market: {
        ...stored.market,
        ...(market === undefined ? {} : { source: market }),
        ...(seed === undefined ? {} : { seed }),
      },
      decider: decider === undefined || decider === stored.decider.kind ? stored.decider : { kind: decider },
    },
  })
}
