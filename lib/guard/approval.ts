import type { EntryOrder } from '../../schemas/order.ts'

/** Exists in types only. A private member is left behind by a spread: a changed copy is not approved. */
declare class GuardMark {
  private readonly approved: true
}

/**
 * Something the guard has let pass, exactly as it stands. This module does not export a way to make one but
 * {@link grantApproval}, which nothing outside `lib/guard` may import (a test says so).
 */
export type Approved<T> = T & GuardMark

/** Called by `judge` alone. */
export const grantApproval = (order: EntryOrder): Approved<EntryOrder> => order as Approved<EntryOrder>
