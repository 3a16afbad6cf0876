import { z } from 'zod'
import { jsonOf } from '../../core/parse-json.ts'
import type { WireAnswer, WireRequest } from './wire.ts'

/**
 * An error body, in any of the forms seen: `error` is a code such as INVALID_ARGUMENT, PERMISSION_DENIED or NOT_FOUND.
 */
const ErrorBody = z.looseObject({
  error: z.string().nullish().catch(null),
  error_details: z.string().nullish().catch(null),
  message: z.string().nullish().catch(null),
})

/** What an answer other than a good one says: its code, empty where the body has none, and a sentence for people. */
export type Complaint = { code: string; text: string }

/** The JSON of an answer, or undefined where it is none: errors may be plain text or a gateway's page. */
export const jsonIn = ({ text }: WireAnswer): unknown => jsonOf(text)

const MAX_TEXT = 200

export function complaintOf(answer: WireAnswer): Complaint {
  const body = ErrorBody.safeParse(jsonIn(answer))
  const { error, error_details: details, message } = body.success ? body.data : {}
  const words = [error, details, message].filter((part) => typeof part === 'string' && part !== '').join(': ')
  const text = (words === '' ? answer.text.trim() : words).replace(/\s+/g, ' ').slice(0, MAX_TEXT)
  return { code: error ?? '', text: `HTTP ${answer.status}${text === '' ? '' : `: ${text}`}${remedyOf(answer.status)}` }
}

function remedyOf(status: number): string {
  if (status === 401)
    return " (check that the API key exists and is enabled, that its secret belongs to it, and this machine's clock)"
  if (status === 403)
    return " (check the API key's permissions to view and trade, its portfolio and its allowed IP addresses)"
  return ''
}

/** `GET cfm/positions/{product_id}`, for messages. */
export const nameOf = ({ method, endpoint }: WireRequest): string => `${method} ${endpoint}`

/** What does not fit, in a few words. */
export const issuesOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'answer'}: ${issue.message}`)
    .join('; ')

export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, MAX_TEXT)
