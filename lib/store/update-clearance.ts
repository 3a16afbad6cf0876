import { type LiveClearance, PAPER_COUNTING } from '../../schemas/live-clearance.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'
import { StoreError } from './item-store.ts'
import type { Store } from './store.ts'

/** How often it is read again after somebody else has written it. */
const MAX_ATTEMPTS = 5

/** A clearance of which nothing is known yet. */
export const emptyClearance = (strategyId: string): LiveClearance => ({
  ...CURRENT_VERSION,
  strategyId,
  credentials: null,
  paper: null,
  paperCounting: PAPER_COUNTING,
  figures: [],
  waivers: [],
})

/**
 * Changes the stored clearance, over whatever it is by then. Rejects with {@link StoreError} when others keep writing
 * it.
 */
export async function updateClearance(
  store: Store,
  strategyId: string,
  change: (clearance: LiveClearance) => LiveClearance,
): Promise<LiveClearance> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const stored = await store.loadClearance(strategyId)
    const next = change(stored?.clearance ?? emptyClearance(strategyId))
    if ((await store.saveClearance(next, stored?.version ?? null)) === 'saved') return next
  }
  throw new StoreError(`the clearance of ${strategyId} is being written by others: try again`)
}
