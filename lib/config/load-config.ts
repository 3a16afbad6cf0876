import type { z } from 'zod'
import { intervalProblem, parseDuration } from '../core/interval.ts'
import { timeLimitsOf, VENUE_LAG_MS } from '../core/time-limits.ts'
import { UsageError } from '../core/invariant.ts'
import type { EpochMs } from '../core/time.ts'
import { widerThanCeilings } from '../guard/limits.ts'
import { settingsHashOf } from '../guard/strategy-hash.ts'
import { DEFAULT_DECIDER_TIMEOUT_MS, MarketConfig, StrategyConfig } from '../../schemas/strategy-config.ts'
import { describeIssues } from './describe-issues.ts'
import { isObject, type Json, merge } from './merge.ts'
import { resolveInstrument } from './resolve-instrument.ts'
import { DEFAULT_STRATEGY, NAMED_STRATEGIES } from './strategies.ts'

/**
 * A complete strategy configuration: the named strategy, `overrides` merged over it, defaults for the rest.
 *
 * Objects merge key by key; arrays and values replace. A decider of another `kind` replaces the whole decider,
 * since its settings belong to its kind. Throws {@link UsageError} naming every wrong path, its value and
 * the remedy; an unknown key is wrong. `now` reads a contract's code without a month (`ES`) as the front month on
 * prices of now.
 */
export function loadConfig(
  options: { strategy?: string | undefined; overrides?: unknown; origin?: string; now?: EpochMs } = {},
): StrategyConfig {
  const { strategy = DEFAULT_STRATEGY, overrides = {}, origin = 'configuration', now } = options
  if (!Object.hasOwn(NAMED_STRATEGIES, strategy)) {
    throw new UsageError(
      `unknown strategy ${JSON.stringify(strategy)}: choose one of ${Object.keys(NAMED_STRATEGIES).join(', ')}, and put what differs into --config FILE.json`,
    )
  }
  if (!isObject(overrides))
    throw new UsageError(`${origin}: expected a JSON object with strategy settings, got ${JSON.stringify(overrides)}`)
  const named: Json = NAMED_STRATEGIES[strategy as keyof typeof NAMED_STRATEGIES]
  const settings = merge(merge({ id: strategy, decider: { kind: 'rules' } }, named), overrides)
  const merged = withFittingDeadline(withInstrument(settings, origin, now ?? null))
  const parsed = StrategyConfig.safeParse(merged)
  if (!parsed.success) throw new UsageError(describeIssues(origin, parsed.error as z.ZodError, merged))
  const tooWide = widerThanCeilings(parsed.data)
  if (tooWide.length > 0) throw new UsageError(tooWide.map((sentence) => `${origin}: ${sentence}`).join('\n'))
  const { market, sizing } = parsed.data
  if (sizing.evidence !== null && sizing.evidence.settingsHash !== settingsHashOf(parsed.data)) {
    throw new UsageError(
      `${origin}: sizing.evidence.settingsHash = ${JSON.stringify(sizing.evidence.settingsHash.slice(0, 12))}...: that record is of other settings (decider, guard, exits, symbol or interval) than these; run hourhand replay --out with these and take its evidence.json, or leave sizing.evidence out`,
    )
  }
  const isFile = market.source !== 'sim' && market.source !== 'live'
  // A file of one market holds no other: without a file of its own there is no reference.
  return isFile && market.referenceFile === null
    ? { ...parsed.data, market: { ...market, referenceSymbol: null } }
    : parsed.data
}

/** The named strategy that a configuration was made over, or the default one where its id has no name. */
export const baseOf = ({ id }: Pick<StrategyConfig, 'id'>): StrategyConfig =>
  loadConfig({ strategy: Object.hasOwn(NAMED_STRATEGIES, id) ? id : DEFAULT_STRATEGY })

/** The settings with a deadline of the decider that fits a short interval, where they name none. */
function withFittingDeadline(settings: Json): Json {
  const { interval, decider } = settings
  const intervalMs = typeof interval === 'string' ? parseDuration(interval) : null
  if (intervalMs === null || intervalProblem(String(interval)) !== null || !isObject(decider)) return settings
  const asksModel = decider['kind'] === 'openai' || decider['kind'] === 'anthropic'
  const { maxDeciderTimeoutMs } = timeLimitsOf({ intervalMs, deciderTimeoutMs: 0, venueLagMs: VENUE_LAG_MS })
  if (!asksModel || decider['timeoutMs'] !== undefined || maxDeciderTimeoutMs >= DEFAULT_DECIDER_TIMEOUT_MS)
    return settings
  return { ...settings, decider: { ...decider, timeoutMs: maxDeciderTimeoutMs } }
}

/** The settings with the whole instrument in them, and its symbol as the market's. */
function withInstrument(settings: Json, origin: string, now: EpochMs | null): Json {
  const market = settings['market'] ?? {}
  if (!isObject(market)) return settings
  const defaults = MarketConfig.parse({})
  const source = market['source'] ?? defaults.source
  const instrument = resolveInstrument({
    instrument: settings['instrument'],
    symbol: market['symbol'],
    defaultSymbol: defaults.symbol,
    // A file's prices are of another time than this one: of them a code has to name its month.
    at: source === 'live' || source === 'sim' ? now : null,
    origin,
  })
  return { ...settings, instrument, market: { ...market, symbol: instrument.venueSymbol } }
}
