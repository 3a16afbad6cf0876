import type { EntryOrder } from '../../schemas/order.ts'

declare const approval: unique symbol

/**
 * Something the guard has let pass. The brand exists in types only and this module does not export a way to
 * make one but {@link grantApproval}, which nothing outside `lib/guard` may import (a test says so).
 */
export type Approved<T> = T & { readonly [approval]: true }

/** Called by `judge` alone. */
export const grantApproval = (order: EntryOrder): Approved<EntryOrder> => order as Approved<EntryOrder>
