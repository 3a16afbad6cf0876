import type { EpochMs } from '../core/time.ts'
import type { PlaceableOrder } from '../venue/broker.ts'
import type { Placement } from '../../schemas/order.ts'
import type { ExecutionPorts } from './ports.ts'

/**
 * Sends an order that is committed, once, unless its deadline has passed meanwhile: then it is rejected without being
 * sent.
 */
export const sendOrder = async (
  { broker, clock }: Pick<ExecutionPorts, 'broker' | 'clock'>,
  order: PlaceableOrder,
  deadline: EpochMs,
): Promise<Placement> =>
  clock() > deadline
    ? { outcome: 'rejected', reason: 'its deadline passed before it could be sent', refusal: 'other' }
    : broker.place(order, deadline)
