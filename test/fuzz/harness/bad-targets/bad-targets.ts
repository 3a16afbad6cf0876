import { inputOf } from '../run-case.ts'
import type { FuzzTarget } from '../target.ts'

/** The run's seed and the case in which each target below goes wrong. */
export const SEED = 3
export const BAD_CASE = 4

function goingWrong(name: string, goWrong: () => unknown): FuzzTarget {
  const target: FuzzTarget = {
    name,
    make: (random) => random(),
    async run(input) {
      if (input === inputOf(target, SEED, BAD_CASE)) await goWrong()
      return 'well'
    },
  }
  return target
}

/** Targets that go wrong in one case each, which the harness has to find and name. */
export const badTargets: readonly FuzzTarget[] = [
  goingWrong('throws', () => {
    throw new Error('a law is broken')
  }),
  goingWrong('rejects-unawaited', () => void Promise.reject(new Error('nobody awaits this'))),
  goingWrong('hangs', () => {
    for (;;);
  }),
  goingWrong('never-answers', () => new Promise(() => {})),
  goingWrong('ends-its-thread', () => process.exit(1)),
  goingWrong('is-well', () => {}),
]
