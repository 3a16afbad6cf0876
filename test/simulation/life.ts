import type { EpochMs } from '../../lib/core/time.ts'
import type { Simulator } from './simulator.ts'

/** Where an invocation may die: before a port is called, or after its effect. */
export type CrashPoint = { invocation: string; port: string; edge: 'before' | 'after'; ordinal: number }

/** A promise of its own each time: one for all would remember everybody who ever waited for it. */
const never = (): Promise<never> => new Promise<never>(() => {})

/**
 * One invocation's process. Every call of a port passes here on its way out and back; a process that is dead passes
 * nothing any more: its code waits for ever, as if it had stopped in the middle of a line. What it had sent is on its
 * way.
 */
export class Life {
  readonly name: string
  isAlive = true
  /** Something went wrong in it on purpose: what it leaves undone is not its fault. */
  isDisturbed = false
  /** Another invocation was at work at the same time. */
  isOverlapped = false
  private readonly mayDieAt: (point: CrashPoint) => boolean
  private readonly onPoint: () => number
  private readonly sim: Simulator

  constructor(name: string, sim: Simulator, onPoint: () => number, mayDieAt: (point: CrashPoint) => boolean) {
    this.name = name
    this.sim = sim
    this.onPoint = onPoint
    this.mayDieAt = mayDieAt
  }

  die(): void {
    this.isAlive = false
    this.isDisturbed = true
  }

  overlaps(): void {
    this.isOverlapped = true
  }

  private async pass(port: string, edge: CrashPoint['edge']): Promise<void> {
    if (!this.isAlive) return never()
    const ordinal = this.onPoint()
    if (!this.mayDieAt({ invocation: this.name, port, edge, ordinal })) return
    this.die()
    return never()
  }

  /**
   * A call over the network: the request travels, takes effect, the answer travels back. Throwing `effect` is an answer
   * too. The effect happens even if the caller has died meanwhile. `onSend` happens as the request leaves.
   */
  async call<T>(
    port: string,
    { outMs, backMs }: { outMs: number; backMs: number },
    effect: () => T | Promise<T>,
    onSend: () => void = () => {},
  ): Promise<T> {
    await this.pass(port, 'before')
    onSend()
    const answer = await new Promise<() => T>((resolve) => {
      this.sim.after(outMs, () => {
        const back = (give: () => T) => this.sim.after(backMs, () => resolve(give))
        Promise.resolve()
          .then(effect)
          .then(
            (value) => back(() => value),
            (error: unknown) =>
              back(() => {
                throw error
              }),
          )
      })
    })
    await this.pass(port, 'after')
    return answer()
  }

  async sleep(ms: number): Promise<void> {
    if (!this.isAlive) return never()
    await this.sim.sleep(ms)
    if (!this.isAlive) return never()
  }

  now(): EpochMs {
    return this.sim.now
  }
}
