/** What is mutated, and the tests that have to notice; tests of other layers only make a run longer. */
export const AREAS = {
  guard: { mutate: ['lib/guard/**/*.ts'], tests: ['test/guard/*.test.ts'] },
  ledger: { mutate: ['lib/ledger/**/*.ts'], tests: ['test/ledger/*.test.ts'] },
  reconcile: {
    mutate: ['lib/execution/reconcile/**/*.ts'],
    tests: ['test/execution/{reconcile*,infer-funding}.test.ts'],
  },
}

/** The area of this run, told by the script that starts it. */
export const area = () => AREAS[process.env.HOURHAND_MUTATION_AREA] ?? AREAS.guard
