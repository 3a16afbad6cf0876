import type { Redact } from './redact.ts'

/** How deep causes are followed. */
const MAX_DEPTH = 6

/**
 * The error as it may leave the process: name, message, stack and causes without secrets, and nothing else of it.
 * Whoever ends a function with an error has it logged, mailed and kept by others than us.
 */
export function redactError(error: unknown, redact: Redact, depth = 0): Error {
  if (!(error instanceof Error)) return new Error(redact(safely(() => String(error))))
  const cause = safely(() => error.cause)
  const clean = new Error(
    redact(safely(() => error.message)),
    cause === undefined || depth >= MAX_DEPTH ? {} : { cause: redactError(cause, redact, depth + 1) },
  )
  clean.name = redact(safely(() => error.name))
  clean.stack = redact(safely(() => error.stack ?? ''))
  return clean
}

function safely<T>(read: () => T): T | string {
  try {
    return read()
  } catch {
    return '[unreadable]'
  }
}
