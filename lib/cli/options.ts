import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { parseJson } from '../compose/parse-environment.ts'
import { describeIssues } from '../config/describe-issues.ts'
import { loadConfig } from '../config/load-config.ts'
import { DEFAULT_STRATEGY } from '../config/strategies.ts'
import { UsageError } from '../core/invariant.ts'
import { IsoTime } from '../../schemas/primitives.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Options every command knows. */
export const CommonOptions = z.object({
  strategy: z.string().optional(),
  config: z.string().optional(),
  dataDir: z.string().min(1).default('.hourhand'),
  table: z.string().min(1).optional(),
  seed: z.coerce.number({ error: 'expected a whole number' }).int().min(0).max(2 ** 32 - 1).optional(),
  market: z.string().min(1).optional(),
  decider: z.enum(['rules', 'openai', 'anthropic', 'recorded']).optional(),
  at: IsoTime.optional(),
  dryRun: z.boolean().default(false),
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

/** The strategy's configuration: named strategy, configuration file over it, single options over both. */
export async function resolveConfig(options: Pick<CommonOptions, 'strategy' | 'config' | 'market' | 'seed' | 'decider'>, environment: { HOURHAND_STRATEGY?: string | undefined; HOURHAND_CONFIG?: string | undefined } = {}): Promise<StrategyConfig> {
  const fromEnvironment = environment.HOURHAND_CONFIG === undefined ? {} : parseJson(environment.HOURHAND_CONFIG, 'HOURHAND_CONFIG')
  const fromFile = options.config === undefined ? fromEnvironment : await readConfigFile(options.config)
  const origin = options.config ?? 'configuration'
  const strategy = options.strategy ?? environment.HOURHAND_STRATEGY ?? DEFAULT_STRATEGY
  if (typeof fromFile !== 'object' || fromFile === null || Array.isArray(fromFile)) return loadConfig({ strategy, overrides: fromFile, origin })
  const file = fromFile as { market?: object; decider?: { kind?: unknown } }
  const { market, seed, decider } = options
  const isSameDecider = file.decider?.kind === decider
  const overrides = {
    ...file,
    ...(market === undefined && seed === undefined ? {} : { market: { ...file.market, ...(market === undefined ? {} : { source: market }), ...(seed === undefined ? {} : { seed }) } }),
    // Another decider has settings of its own; those of the file were not meant for it.
    ...(decider === undefined || isSameDecider ? {} : { decider: { kind: decider } }),
  }
  return loadConfig({ strategy, overrides, origin })
}

async function readConfigFile(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`--config ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  })
  return parseJson(text, file)
}
