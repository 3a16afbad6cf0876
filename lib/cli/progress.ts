import type { Io } from './io.ts'

/** Milliseconds between two lines of progress. */
const PACE_MS = 100

/**
 * One line on stderr that is written over as work goes on, for a person at a terminal; nothing at all otherwise.
 * The last call of `show` may be left standing: `clear` wipes it.
 */
export function createProgress(io: Pick<Io, 'stderr' | 'clock' | 'isInteractive'>): {
  show: (text: string) => void
  clear: () => void
} {
  if (io.isInteractive !== true) return { show() {}, clear() {} }
  let shownAt = Number.NEGATIVE_INFINITY
  let isShown = false
  return {
    show(text) {
      const now = io.clock()
      if (now - shownAt < PACE_MS) return
      shownAt = now
      isShown = true
      io.stderr(`\r\u001b[K${text}`)
    },
    clear() {
      if (isShown) io.stderr('\r\u001b[K')
      isShown = false
    },
  }
}
