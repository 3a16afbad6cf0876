import { createPrng, type Prng } from '../../lib/core/prng.ts'

/** Choices drawn from one named stream of a seed. */
export class Chance {
  private readonly prng: Prng

  constructor(...parts: readonly (string | number)[]) {
    this.prng = createPrng(...parts)
  }

  /**
   * True with probability `p`. Draws even when the answer is certain: one draw more or less would change all that
   * follows.
   */
  happens(p: number): boolean {
    return this.prng.uniform() < p
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + this.prng.uniform() * (to - from)
  }

  /** Whole number in [from, to]. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.prng.uniform() * (to - from + 1))
  }

  normal(): number {
    return this.prng.normal()
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.prng.uniform() * choices.length)] ?? choices[0]
  }
}
