import { FillReason } from '../../schemas/order.ts'
import { Trade } from '../../schemas/trade.ts'
import { isSecretField, type Redact } from './redact.ts'

/**
 * Members of stored and told documents that are words, ours or others': only they are searched for secrets. What
 * decides or identifies (sides, prices, ids, symbols) is never changed, even where a secret should be equal to it.
 */
const WORDS: ReadonlySet<string> = new Set([
  'reason',
  'reasons',
  'raw',
  'problem',
  'message',
  'rationale',
  'invalidation',
  'note',
  'notes',
  'detail',
  'error',
  'reconciliation',
  'why',
  'cause',
])

/** Reasons that are names of ours and decide: of a fill, of an exit. */
const isName = (text: string): boolean =>
  FillReason.safeParse(text).success || Trade.shape.exitReason.safeParse(text).success

/**
 * A document without secrets in its words and in fields for credentials; whatever has none is returned itself, and
 * symbols stay on what is copied.
 */
export function redactWords<T>(value: T, redact: Redact, isWords = false): T {
  if (typeof value === 'string') return (isWords && !isName(value) ? redact(value) : value) as T
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const members: unknown[] = value
    const clean = members.map((member) => redactWords(member, redact, isWords))
    return (clean.some((member, index) => member !== members[index]) ? clean : value) as T
  }
  let clean: Record<string, unknown> | null = null
  for (const [key, member] of Object.entries(value)) {
    const after =
      isSecretField(key) && typeof member === 'string' && member !== ''
        ? '[redacted]'
        : redactWords<unknown>(member, redact, isWords || WORDS.has(key))
    if (after === member) continue
    clean ??= { ...(value as Record<string, unknown>) }
    clean[key] = after
  }
  return (clean ?? value) as T
}
