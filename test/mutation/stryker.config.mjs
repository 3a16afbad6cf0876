import { area } from './areas.mjs'

/**
 * Mutation testing of what must not be wrong: guard, ledger, reconciliation. `npm run mutation`, or a part of it:
 * `npm run mutation -- guard --mutate lib/guard/judge.ts:20-40`. Below 90 % it fails.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  mutate: area().mutate,
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.mjs', related: false },
  coverageAnalysis: 'perTest',
  plugins: ['@stryker-mutator/vitest-runner', './test/mutation/stryker-plugin.mjs'],
  ignorers: ['unobservable'],
  // TypeScript 7 has no JavaScript API to read its configuration with, and nothing in it has to be rewritten.
  tsconfigFile: 'none.json',
  concurrency: 1,
  timeoutMS: 10_000,
  tempDirName: '.hourhand/mutation-sandbox',
  ignorePatterns: ['cdk.out', '.hourhand'],
  reporters: ['clear-text', 'progress-append-only', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `.hourhand/mutation/${process.env.HOURHAND_MUTATION_AREA ?? 'guard'}.json` },
  thresholds: { high: 98, low: 95, break: 90 },
  warnings: { slow: false },
}
