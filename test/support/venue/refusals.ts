import type { VenueSwitches } from './options.ts'
import { answer, type VenueAnswer } from './request.ts'

/** Reasons that only NewOrderFailureReason knows; every other one without the prefix is in both enums. */
const NEW_ORDER_ONLY = new Set([
  'UNKNOWN_FAILURE_REASON', 'UNSUPPORTED_ORDER_CONFIGURATION', 'ORDER_ENTRY_DISABLED', 'INELIGIBLE_PAIR', 'INVALID_REQUEST', 'COMMANDER_REJECTED_NEW_ORDER',
  'INSUFFICIENT_FUNDS', 'OPEN_BRACKET_ORDERS', 'STOP_ALREADY_TRIGGERED', 'CANNOT_CLOSE_ZERO_POSITION', 'MODIFY_POSITION_WORKFLOW_ALREADY_RUNNING',
  'DUPLICATE_CLIENT_ORDER_ID',
])

/** A reason as the two enums have it. One with the prefix `PREVIEW_` is told as a preview's only. */
export function reasonFields(reason: string): { newOrder: string; preview: string } {
  if (reason.startsWith('PREVIEW_')) return { newOrder: 'UNKNOWN_FAILURE_REASON', preview: reason }
  if (NEW_ORDER_ONLY.has(reason)) return { newOrder: reason, preview: 'UNKNOWN_PREVIEW_FAILURE_REASON' }
  return { newOrder: reason, preview: `PREVIEW_${reason}` }
}

/** A refused order: HTTP 200 and `error_response`. */
export function refusal(reason: string, configuration: unknown, detail: VenueSwitches['failureReasons']): VenueAnswer {
  const fields = reasonFields(reason)
  const isNamed = detail !== 'none'
  const newOrder = detail === 'full' ? fields.newOrder : 'UNKNOWN_FAILURE_REASON'
  return answer({
    success: false,
    error_response: {
      error: newOrder,
      message: isNamed ? `order refused: ${reason}` : '',
      error_details: '',
      ...(isNamed ? { preview_failure_reason: detail === 'preview' && fields.newOrder === reason && NEW_ORDER_ONLY.has(reason) ? reason : fields.preview } : {}),
      new_order_failure_reason: newOrder,
    },
    order_configuration: configuration,
  })
}
