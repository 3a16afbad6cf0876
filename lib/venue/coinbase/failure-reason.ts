import type { ErrorResponse } from './endpoints/create-order.ts'

const isSaid = (reason: string): boolean =>
  reason !== '' && !reason.startsWith('UNKNOWN') && !reason.startsWith('PREVIEW_UNKNOWN')

/** `PREVIEW_INSUFFICIENT_FUND` as `insufficient_fund`. */
export const plainReason = (reason: string): string => reason.replace(/^PREVIEW_/, '').toLowerCase()

/** Why an order was refused: the first member that says anything. An order refused for unknown reasons is refused. */
export function failureReason({
  new_order_failure_reason: first,
  preview_failure_reason: second,
  error: third,
}: ErrorResponse): string {
  return plainReason([first, second, third].find(isSaid) ?? 'UNKNOWN_FAILURE_REASON')
}
