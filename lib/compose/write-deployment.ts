import { canonicalJson } from '../core/canonical-json.ts'
import { StoreError } from '../store/item-store.ts'
import type { Store } from '../store/store.ts'
import type { DeploymentItem, Writer } from '../../schemas/deployment-item.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

export type Running = {
  config: StrategyConfig
  environment: Environment
  codeVersion: string
  writtenBy: Writer
  at: string
}

/** How often it is read again after somebody else has written it. */
const MAX_ATTEMPTS = 5

/** What runs here, as its deployment item says it. */
function describeRunning({ config, environment, codeVersion, writtenBy, at }: Running): Omit<DeploymentItem, 'halt'> {
  return {
    strategyId: config.id,
    mode: config.mode,
    config: config as Record<string, unknown>,
    cycleRule: environment.HOURHAND_CYCLE_RULE ?? null,
    bus: environment.HOURHAND_BUS ?? null,
    eventsEndpoint: environment.HOURHAND_EVENTS_ENDPOINT ?? null,
    // The names of parameters only: what a variable holds itself is a credential.
    credentialParameters: Object.fromEntries(
      Object.entries(environment.venueCredentials ?? {}).filter(([variable]) => variable.endsWith('_PARAMETER')),
    ),
    codeVersion,
    writtenBy,
    writtenAt: at,
    region: environment.AWS_REGION ?? null,
  }
}

/**
 * Writes down what runs on this table, where that differs from what is written there. What a stack's functions wrote
 * stands over what a command line runs beside them; a halt stays where it is. Rejects with {@link StoreError}.
 */
export async function writeDeployment(store: Store, running: Running): Promise<void> {
  const described = describeRunning(running)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const stored = await store.loadDeployment(described.strategyId)
    if (stored !== null && (isSame(stored.item, described) || isStacks(stored.item, described))) return
    const item = { ...described, halt: stored?.item.halt ?? null }
    if ((await store.saveDeployment(item, stored?.version ?? null)) === 'saved') return
  }
  throw new StoreError(`the deployment item of ${described.strategyId} is being written by others`)
}

const isStacks = (stored: DeploymentItem, { writtenBy }: Omit<DeploymentItem, 'halt'>): boolean =>
  stored.writtenBy === 'lambda' && writtenBy === 'cli'

function isSame(stored: DeploymentItem, described: Omit<DeploymentItem, 'halt'>): boolean {
  const { halt: _, ...before } = stored
  return canonicalJson({ ...before, writtenAt: '' }) === canonicalJson({ ...described, writtenAt: '' })
}
