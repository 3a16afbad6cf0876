import type { EpochMs } from '../../core/time.ts'
import type { Placement } from '../../../schemas/order.ts'
import { complaintOf, jsonIn, messageOf } from './answer.ts'
import { CancelResults, cancelOrder } from './endpoints/batch-cancel.ts'
import { OrderCreated } from './endpoints/create-order.ts'
import { failureReason, refusalOf, refusedAs } from './failure-reason.ts'
import { NoAnswerError, type Transport, type WireAnswer, type WireRequest } from './wire.ts'

const unknown = (reason: string): Placement => ({ outcome: 'unknown', reason })

/** Sends a new order, exactly once. `rejected` only where nothing can have been placed; never rejects. */
export async function sendOrder(
  transport: Transport,
  request: WireRequest,
  clientOrderId: string,
  { timeoutMs, sendBy }: { timeoutMs: number; sendBy: EpochMs },
): Promise<Placement> {
  return send(
    () => transport(request, timeoutMs, sendBy),
    (answer) => {
      const parsed = OrderCreated.safeParse(jsonIn(answer))
      if (!parsed.success) return unknown('unreadable_answer')
      const { success, success_response: created, error_response: refusal } = parsed.data
      if (success) {
        const { order_id: orderId = '', client_order_id: echoed = '' } = created ?? {}
        if (orderId === '') return unknown('accepted_without_order_id')
        return echoed === '' || echoed === clientOrderId
          ? { outcome: 'accepted', orderId }
          : unknown('answer_about_another_order')
      }
      if (refusal === null || refusal === undefined) return unknown('refused_without_reason')
      const reason = failureReason(refusal)
      // An order under our id exists already: what became of it has to be asked.
      return refusalOf(reason) === 'duplicate_id'
        ? { outcome: 'unknown', reason, refusal: 'duplicate_id' }
        : refusedAs(reason)
    },
  )
}

/** Asks for an order's end, exactly once. Never rejects. */
export async function sendCancel(transport: Transport, orderId: string, timeoutMs: number): Promise<Placement> {
  let request: WireRequest
  try {
    request = cancelOrder(orderId)
  } catch (error) {
    return refusedAs(messageOf(error))
  }
  return send(
    () => transport(request, timeoutMs),
    (answer) => {
      const parsed = CancelResults.safeParse(jsonIn(answer))
      const result = parsed.success ? parsed.data.results.find((each) => each.order_id === orderId) : undefined
      if (result === undefined) return unknown('unreadable_answer')
      return result.success
        ? { outcome: 'accepted', orderId }
        : refusedAs(result.failure_reason.toLowerCase() || 'unknown_cancel_failure_reason')
    },
  )
}

/**
 * What is known after one request. Statuses mean: 400 with INVALID_ARGUMENT, the body was refused before anything
 * was done with it; 401 and 403, the caller was; 429, the request was turned away at the door: rate limits are kept
 * per key in front of the order handling (and an order refused later for its rate has an id and a reject_reason, not
 * a status). All of them in the venue's own words only: a code in JSON, or the plain `Unauthorized` of its 401.
 * Everything else, such as 404, 409, 5xx or a page, may have been said by a gateway after the order had passed it.
 */
async function send(request: () => Promise<WireAnswer>, read: (answer: WireAnswer) => Placement): Promise<Placement> {
  let answer: WireAnswer
  try {
    answer = await request()
  } catch (error) {
    if (!(error instanceof NoAnswerError)) return unknown(`no_answer: ${messageOf(error)}`)
    return error.wasSent ? unknown(`no_answer: ${error.message}`) : refusedAs(`not_sent: ${error.message}`)
  }
  const { status } = answer
  if (status === 200) return read(answer)
  const { code, text } = complaintOf(answer)
  if (status === 400 && code === 'INVALID_ARGUMENT') return refusedAs(`invalid_argument: ${text}`)
  if (status === 401 && (code !== '' || answer.text.trim() === 'Unauthorized'))
    return refusedAs(`unauthorised: ${text}`)
  if (status === 403 && code !== '') return refusedAs(`permission_denied: ${text}`)
  if (status === 429 && code !== '') return refusedAs('rate_limited')
  return unknown(text)
}
