import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'
import { area } from './areas.mjs'

/** Files that take longest, the longest last: a mutant that a quicker one finds never gets to them. */
const SLOW = ['infer-funding.test', 'reconcile.test', 'life.test']

const rankOf = ({ moduleId }) => SLOW.findIndex((name) => moduleId.includes(name))

class QuickFirst extends BaseSequencer {
  async sort(files) {
    return files.toSorted((a, b) => rankOf(a) - rankOf(b) || a.moduleId.localeCompare(b.moduleId))
  }
}

export default defineConfig({
  test: {
    include: area().tests,
    // They read sources as text, which are not themselves in a mutant; or judge random entries by the thousand.
    exclude: ['test/guard/{approv*,explain,judgement}.test.ts'],
    testTimeout: 30_000,
    sequence: { sequencer: QuickFirst },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
})
