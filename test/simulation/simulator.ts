import type { EpochMs } from '../../lib/core/time.ts'

type Event = { at: EpochMs; order: number; run: () => void }

/**
 * Discrete events on a simulated clock. Everything that waits, waits here; between two events all promises that can
 * go on do. The same events give the same history.
 */
export class Simulator {
  now: EpochMs
  /** Events run so far. */
  steps = 0
  private readonly queue: Event[] = []
  private scheduled = 0

  constructor(start: EpochMs) {
    this.now = start
  }

  at(instant: EpochMs, run: () => void): void {
    const event = { at: Math.max(instant, this.now), order: this.scheduled, run }
    this.scheduled += 1
    let index = this.queue.length
    while (index > 0 && isAfter(this.queue[index - 1], event)) index -= 1
    this.queue.splice(index, 0, event)
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Runs events up to the instant; `afterEach` looks at the world after every one. */
  async runUntil(end: EpochMs, afterEach: () => void): Promise<void> {
    for (let next = this.queue[0]; next !== undefined && next.at <= end; next = this.queue[0]) {
      this.queue.shift()
      this.now = next.at
      next.run()
      // All microtasks run before the next macrotask: whoever can go on has gone on.
      await new Promise((resolve) => setImmediate(resolve))
      this.steps += 1
      afterEach()
    }
    this.now = Math.max(this.now, end)
  }
}

const isAfter = (one: Event | undefined, two: Event): boolean =>
  one !== undefined && (one.at > two.at || (one.at === two.at && one.order > two.order))
