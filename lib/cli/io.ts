import type { Clock } from '../core/time.ts'
import type { Sleep } from '../execution/ports.ts'

/** The process as the command line sees it; given by `bin/hourhand.ts`, or by a test. */
export type Io = {
  /** Results; with `--json` exactly one document. */
  stdout: (text: string) => void
  /** Logs and errors. */
  stderr: (text: string) => void
  env: Readonly<Record<string, string | undefined>>
  /** Credentials that were read elsewhere than in `env`: from here on they are in nothing that is said. */
  keepOut?: (secrets: readonly string[]) => void
  clock: Clock
  /** A name never given before, for each command. */
  newId: () => string
  sleep: Sleep
  /** Whether a person reads stderr: then progress is shown there. */
  isInteractive?: boolean
  /** Threads that work may be spread over; one if not given. */
  cores?: number
}
