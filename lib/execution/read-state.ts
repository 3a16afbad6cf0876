import { toIso } from '../core/time.ts'
import { UnreadableItem } from '../store/unreadable-item.ts'
import type { Store } from '../store/store.ts'
import type { ExecutionPorts } from './ports.ts'
import { publish } from './publish.ts'

/** What is stored of the strategy cannot be acted on by this release: it opens, moves and closes nothing. */
export class CannotEnforce extends Error {
  override readonly name = 'CannotEnforce'
}

/**
 * What `read` finds in the store, to act on it. Where this release cannot act on what is stored, that is logged and
 * told as `failed`, and {@link CannotEnforce} is thrown: nothing is asked of the venue, so that a stop which rests
 * there stays, and the function fails, so that its alarm rings.
 */
export async function readToAct<T>(ports: ExecutionPorts, read: (store: Store) => Promise<T>): Promise<T> {
  const { store, config } = ports
  try {
    return await read(store)
  } catch (error) {
    if (!(error instanceof UnreadableItem)) throw error
    const message = `${config.id} cannot be traded or enforced: ${error.message}`
    ports.telemetry.log('error', 'the strategy cannot be enforced by this release', { error: message })
    await publish(ports, `${config.id}-${config.mode}-unreadable-${toIso(ports.clock())}`, {
      type: 'failed',
      subject: config.id,
      detail: { reason: message },
    })
    throw new CannotEnforce(message, { cause: error })
  }
}
