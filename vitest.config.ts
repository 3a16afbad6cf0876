import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, in this order: begun first, so that none of them is worked on alone at the end. */
const LONGEST = [
  'cli/live.test.ts',
  'replay/fast-and-plain.test.ts',
  'simulation/seeds-a.test.ts',
  'simulation/seeds-b.test.ts',
  'simulation/killed/killed.test.ts',
  'simulation/simulation.test.ts',
  'stack/deployed-handlers.test.ts',
  'guard/approved-longs.test.ts',
  'guard/approved-shorts.test.ts',
  'report/html/browser.test.ts',
  'cli/cli.test.ts',
  'stack/',
  'market/sim-source.test.ts',
  'failure-modes/',
  'cli/',
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = LONGEST.findIndex((name) => moduleId.includes(`/test/${name}`))
  return rank === -1 ? LONGEST.length : rank
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.moduleId < b.moduleId ? -1 : 1))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/async-context.ts'],
    // Far beyond what any test takes alone: the machine may be shared.
    testTimeout: 60_000,
    // Two more than there are cores: many files wait, for timers, sockets and processes of their own.
    maxWorkers: availableParallelism() + 2,
    // Loading the code anew for each of a hundred files took a quarter of the time. No file replaces modules or leaves
    // anything behind in its process: test/architecture sees to that.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
})
