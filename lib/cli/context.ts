import { parseEnvironment } from '../compose/parse-environment.ts'
import { NAMED_STRATEGIES } from '../config/strategies.ts'
import { UsageError } from '../core/invariant.ts'
import { type Found, type Inventory, takeInventory } from '../store/inventory.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { chooseStored, listFound, type Place, type Reach, refuseOther, type Wanted } from './choose-stored.ts'
import type { Io } from './io.ts'
import { type Database, openDatabase } from './open-database.ts'
import { type CommonOptions, DEFAULT_DATA_DIR, givenConfig, overStored, resolveConfig } from './options.ts'
import { openSession, type Session, type SessionSource } from './session.ts'

/** What a command knows before it has chosen what to act on: options, database, and what is stored there. */
export type Context = {
  options: CommonOptions
  environment: Environment
  io: Io
  database: Database
  place: Place
  inventory: Inventory
  wanted: Wanted
}

/** Opens the database of a command, does `work` and leaves it again. Where `create` is false nothing is made. */
export async function withContext<T>(
  options: CommonOptions,
  io: Io,
  create: boolean,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  const environment = parseEnvironment(io.env)
  const wanted = await readWanted(options, environment)
  const database = await openDatabase(options, environment, { create })
  try {
    const inventory = await takeInventory(database.items, Object.keys(NAMED_STRATEGIES))
    return await work({
      options,
      environment,
      io,
      database,
      place: placeOf(database, options),
      inventory,
      wanted,
    })
  } finally {
    await database.close()
  }
}

async function readWanted(options: CommonOptions, environment: Environment): Promise<Wanted> {
  const { config, strategy = environment.HOURHAND_STRATEGY, mode, all } = options
  const given = await givenConfig(options, environment)
  const origin = config === undefined ? 'HOURHAND_CONFIG' : `--config ${config}`
  if (given !== null && mode !== undefined && mode !== given.mode)
    throw new UsageError(
      `--mode ${mode} contradicts ${origin}, which makes ${given.id} a ${given.mode} strategy; leave one of the two out`,
    )
  return {
    given: given === null ? null : { config: given, origin },
    strategyId: strategy ?? null,
    mode: mode ?? null,
    isAll: all,
  }
}

function placeOf(
  { name, table, isThere, isEmbedded }: Database,
  { table: tableOption, dataDir, config }: CommonOptions,
): Place {
  const common = { config: config ?? null, isThere }
  if (isEmbedded)
    return {
      ...common,
      name: `database in data directory ${name}`,
      flags: dataDir === DEFAULT_DATA_DIR ? '' : ` --data-dir ${dataDir}`,
      remedy: 'nothing has run there; name another with --data-dir, or a deployment with --table',
    }
  return {
    ...common,
    name: `table ${table} in ${name}`,
    flags: tableOption === undefined ? '' : ` --table ${tableOption}`,
    remedy: "check the name (TableName in the stack's outputs), the region and the account",
  }
}

/** What of the outside world a command cannot do without. */
export type Needs = { market: boolean; venue: boolean }

/** The stored strategies that the command acts on; see {@link chooseStored}. */
export const choose = ({ inventory, wanted, place }: Context, reach: Reach): Found[] =>
  chooseStored(inventory, wanted, reach, place)

/**
 * A session for one that is stored: with the configuration given, else with the stored one and single options over it.
 */
export function openStored(context: Context, found: Found, needs: Needs): Promise<Session> {
  const { wanted, options } = context
  const config = wanted.given?.config ?? (found.config === null ? null : overStored(found.config, options))
  return openSession(sourceOf(context, found, config, needs))
}

/**
 * A session for a command that runs a strategy or examines a configuration: what is stored, where the command does not
 * say otherwise; else what it says, also where nothing of that is stored.
 */
export async function openOwn(context: Context, needs: Needs): Promise<Session> {
  const { inventory, wanted, place, options, environment } = context
  const { given } = wanted
  if (given !== null) {
    const same = inventory.found.find(
      ({ strategyId, mode }) => strategyId === given.config.id && mode === given.config.mode,
    )
    if (same !== undefined) refuseOther(same, given)
    return openSession(sourceOf(context, same ?? null, given.config, needs))
  }
  const isNew =
    wanted.strategyId !== null && !inventory.found.some(({ strategyId }) => strategyId === wanted.strategyId)
  if (inventory.found.length > 0 && !isNew) {
    const [found] = choose(context, 'one')
    if (found !== undefined) return openStored(context, found, needs)
  }
  if (inventory.found.some(({ deployment }) => deployment?.writtenBy === 'lambda'))
    throw new UsageError(
      `${JSON.stringify(wanted.strategyId)} is not in ${place.name}, where a deployment runs; to run another strategy there give its --config FILE. It holds:\n${listFound(inventory.found, place)}`,
    )
  const config = await resolveConfig(options, environment)
  if (wanted.mode !== null && wanted.mode !== config.mode)
    throw new UsageError(
      `--mode ${wanted.mode}: ${config.id} has not run in ${wanted.mode} mode in ${place.name}, and --mode only chooses among what has run; to set it, give a configuration with "mode": "${wanted.mode}" by --config FILE`,
    )
  return openSession(sourceOf(context, null, config, needs))
}

function sourceOf(context: Context, found: Found | null, config: StrategyConfig | null, needs: Needs): SessionSource {
  const { options, environment, io, database, place } = context
  return { options, environment, io, database, place, found, config, needs }
}
