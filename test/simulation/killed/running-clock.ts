import type { EpochMs } from '../../../lib/core/time.ts'
import type { Simulator } from '../simulator.ts'

/** A clock that goes with the real one while somebody runs, and stands or jumps in between. Never goes back. */
export class RunningClock {
  private readonly sim: Simulator
  private runningSince: number | null = null

  /** `sim` is kept at this clock's instant, for those who read the time there. */
  constructor(sim: Simulator) {
    this.sim = sim
  }

  now = (): EpochMs => {
    if (this.runningSince !== null) {
      const real = performance.now()
      this.sim.now += Math.max(0, Math.floor(real - this.runningSince))
      this.runningSince += Math.floor(real - this.runningSince)
    }
    return this.sim.now
  }

  run(): void {
    this.runningSince ??= performance.now()
  }

  stand(): void {
    this.now()
    this.runningSince = null
  }

  jumpTo(instant: EpochMs): void {
    this.sim.now = Math.max(this.now(), instant)
  }
}
