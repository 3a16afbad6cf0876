import { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { DeploymentItem } from '../../schemas/deployment-item.ts'
import { Mode } from '../../schemas/primitives.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { type SearchableItems, StoreError } from './item-store.ts'
import { readAll } from './read-all.ts'
import { readBody } from './stored-body.ts'
import { createStore, DEPLOYMENTS, partitionOf } from './store.ts'
import { KINDS } from './stored-kinds.ts'
import { UnreadableItem } from './unreadable-item.ts'

/** One strategy in one mode, as a table holds it. */
export type Found = {
  strategyId: string
  mode: Mode
  /** What it wrote down of itself; null where a release before this one wrote the rest, or it cannot be read. */
  deployment: DeploymentItem | null
  /** From its deployment item, else from its newest cycle; null where neither tells. */
  config: StrategyConfig | null
  state: StrategyState | null
  /** Why something of it is not known. */
  problems: string[]
}

/** What a table holds. `problem` says why there may be more. */
export type Inventory = { found: Found[]; problem: string | null }

/**
 * Every strategy and mode on a table: by its deployment item, and, where a release before those items wrote it, by its
 * partition. Nothing is written. `likelyIds` are looked for where the table may not be searched.
 */
export async function takeInventory(items: SearchableItems, likelyIds: readonly string[]): Promise<Inventory> {
  const deployments = await readDeployments(items)
  const { partitions, problem } = await listPartitions(items, [
    ...likelyIds,
    ...[...deployments.values()].map(({ strategyId }) => strategyId),
  ])
  const named = new Map(deployments)
  for (const pk of partitions) {
    const key = lifeIn(pk)
    if (key !== null && !named.has(nameOf(key))) named.set(nameOf(key), { ...key, deployment: null, problems: [] })
  }
  const found = await Promise.all([...named.values()].map((one) => complete(items, one)))
  const lives = found.filter((one): one is Found => one !== null)
  return { found: lives.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)), problem }
}

type Key = Pick<Found, 'strategyId' | 'mode'>

const nameOf = ({ mode, strategyId }: Key): string => `${mode} ${strategyId}`

const MODES = Mode.options

/** `LIVE#eth-perp` -> the live life of eth-perp; null for a partition of another kind. */
function lifeIn(pk: string): Key | null {
  for (const mode of MODES) {
    const prefix = partitionOf(mode, '')
    if (pk.startsWith(prefix)) return { mode, strategyId: pk.slice(prefix.length) }
  }
  return null
}

type Named = Pick<Found, 'strategyId' | 'mode' | 'deployment' | 'problems'>

async function readDeployments(items: SearchableItems): Promise<Map<string, Named>> {
  const stored = await readAll(async (page) => ({
    ...(await items.query({ pk: DEPLOYMENTS, prefix: '', ...page })),
    skipped: [],
  }))
  return new Map(
    stored.flatMap((item): [string, Named][] => {
      const [mode, strategyId] = item.sk.split('#', 2)
      const parsed = Mode.safeParse(mode)
      if (!parsed.success || strategyId === undefined) return []
      const key = { mode: parsed.data, strategyId }
      try {
        return [[nameOf(key), { ...key, deployment: readBody(KINDS.deployment, item, 'show'), problems: [] }]]
      } catch (error) {
        if (!(error instanceof UnreadableItem)) throw error
        return [[nameOf(key), { ...key, deployment: null, problems: [error.message] }]]
      }
    }),
  )
}

/** The partitions; where the table may not be searched, those that may be expected. */
async function listPartitions(
  items: SearchableItems,
  ids: readonly string[],
): Promise<{ partitions: string[]; problem: string | null }> {
  try {
    return { partitions: await items.partitions(), problem: null }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return {
      partitions: [...new Set(ids)].flatMap((id) => MODES.map((mode) => partitionOf(mode, id))),
      problem: `the table could not be searched, and may hold strategies that are not named here: ${error.message}; the search needs dynamodb:Scan`,
    }
  }
}

/** Null where the partition has nothing of a life in it. */
async function complete(items: SearchableItems, one: Named): Promise<Found | null> {
  const { strategyId, mode, deployment } = one
  const problems = [...one.problems]
  const store = createStore(items, 'inventory', mode, {
    onSkipped: (skipped) => {
      problems.push(...skipped.map(({ message }) => message))
    },
  })
  const known = deployment === null ? null : StrategyConfig.safeParse(deployment.config)
  if (known?.success === false)
    problems.push(`the stored configuration of ${nameOf(one)} is not one that this release knows`)
  const [state, newest] = await Promise.all([
    store.loadState(strategyId).catch((error: unknown) => {
      if (!(error instanceof UnreadableItem)) throw error
      problems.push(error.message)
      return null
    }),
    known?.success === true ? null : store.listCycles(strategyId, { limit: 1, newestFirst: true }),
  ])
  const record = newest?.items[0] ?? null
  if (deployment === null && state === null && record === null && problems.length === 0) return null
  const config = known?.success === true ? known.data : (record?.config ?? null)
  return { strategyId, mode, deployment, config, state, problems }
}
