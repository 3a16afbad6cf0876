import { UsageError } from '../core/invariant.ts'
import type { Found, Inventory } from '../store/inventory.ts'
import { positionOf } from '../ledger/accounting.ts'
import type { Mode } from '../../schemas/primitives.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { table } from './format.ts'

/** There is nothing that the command could act on; nothing was made or changed. */
export class NothingFound extends Error {
  override readonly name = 'NothingFound'
}

/** What the person said about which strategy is meant. */
export type Wanted = {
  /** A whole configuration, with where it came from; null where none was given. */
  given: { config: StrategyConfig; origin: string } | null
  strategyId: string | null
  mode: Mode | null
  isAll: boolean
}

/** Whether a command acts on everything it finds, or on one strategy unless it is told otherwise. */
export type Reach = 'every' | 'one'

/** Where the database is, in words and as the options that lead there; `remedy` is what to do where there is none. */
export type Place = { name: string; flags: string; config: string | null; isThere: boolean; remedy: string }

/**
 * Which of the stored strategies a command acts on. Throws {@link NothingFound} where none is stored, and
 * {@link UsageError} with the list of what is there for a name that is not, for a configuration that is of something
 * else, and where several could be meant.
 */
export function chooseStored({ found }: Inventory, wanted: Wanted, reach: Reach, place: Place): Found[] {
  if (found.length === 0)
    throw new NothingFound(
      place.isThere
        ? `nothing has run in ${place.name}: no strategy is stored there. Nothing was made or changed.`
        : `there is no ${place.name}: ${place.remedy}. Nothing was made or changed.`,
    )
  const { given, strategyId, mode, isAll } = wanted
  const matching = found.filter(
    (one) =>
      (given === null || (one.strategyId === given.config.id && one.mode === given.config.mode)) &&
      (strategyId === null || given !== null || one.strategyId === strategyId) &&
      (mode === null || one.mode === mode),
  )
  // The configuration given is of none of these: what names them is their id and mode.
  if (matching.length === 0)
    throw new UsageError(
      `${wantedText(wanted)} is not in ${place.name}, which holds:\n${listFound(found, { ...place, config: null })}`,
    )
  if (given !== null) for (const one of matching) refuseOther(one, given)
  if (matching.length > 1 && reach === 'one' && !isAll)
    throw new UsageError(`several strategies could be meant; say which, or --all:\n${listFound(matching, place)}`)
  return matching
}

function wantedText({ given, strategyId, mode }: Wanted): string {
  if (given !== null) return `${given.config.id} in ${given.config.mode} mode (${given.origin})`
  return `${strategyId === null ? 'a strategy' : JSON.stringify(strategyId)}${mode === null ? '' : ` in ${mode} mode`}`
}

/** A configuration that trades something else than what is stored under its name must not act on it. */
export function refuseOther({ config, strategyId, mode }: Found, given: NonNullable<Wanted['given']>): void {
  if (config === null) return
  const { market } = given.config
  const differences = (['symbol', 'exchange'] as const).flatMap((key) =>
    config.market[key] === market[key] ? [] : [`market.${key} = ${market[key]}, stored is ${config.market[key]}`],
  )
  if (differences.length > 0)
    throw new UsageError(
      `${given.origin} does not fit what is stored as ${mode} ${strategyId}: ${differences.join('; ')}; leave it out to act on what is stored, or give another table or data directory`,
    )
}

/** The options that name one of what is stored, to be pasted. */
export const flagsOf = ({ strategyId, mode }: Pick<Found, 'strategyId' | 'mode'>, { flags, config }: Place): string =>
  `${config === null ? `--strategy ${strategyId} --mode ${mode}` : `--config ${config}`}${flags}`

/** What is stored, a line each, with the options that name it. */
export const listFound = (found: readonly Found[], place: Place): string =>
  table(
    found.map((one) => [
      `  ${one.mode} ${one.strategyId}`,
      one.config?.market.symbol ?? 'symbol not known',
      standingOf(one),
      flagsOf(one, place),
    ]),
  ).join('\n')

/** What its ledger holds, in a few words. */
export function standingOf({ state, problems }: Found): string {
  if (state === null) return problems.length === 0 ? 'no state yet' : 'state not readable'
  const held = positionOf(state.phase)
  const halted = state.halt === null ? '' : ', halted'
  return `${state.phase.kind}${held === null ? '' : ` ${held.side} ${held.quantity}`}${halted}`
}
