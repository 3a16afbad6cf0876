/** A broken invariant: a bug or corrupt state, never an expected outcome. It is thrown, logged and alarmed. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws {@link InvariantError} with `message` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/**
 * A mistake the person at the keyboard can mend: bad option, bad configuration, missing credential.
 * The command line prints it without a stack and exits with code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
