import { ORDER_REASONS } from './failure-reasons.ts'
import type { VenueSwitches } from './options.ts'
import { answer, type VenueAnswer } from './request.ts'

const NEW_ORDER_ONLY = new Set(ORDER_REASONS)

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
      ...(isNamed
        ? {
            preview_failure_reason:
              detail === 'preview' && fields.newOrder === reason && NEW_ORDER_ONLY.has(reason)
                ? reason
                : fields.preview,
          }
        : {}),
      new_order_failure_reason: newOrder,
    },
    order_configuration: configuration,
  })
}
