import { spawnSync } from 'node:child_process'
import { AREAS } from './areas.mjs'

// npm run mutation [-- guard|ledger|reconcile [--mutate FILE:FROM-TO]]
const [first, ...options] = process.argv.slice(2)
if (first !== undefined && !Object.hasOwn(AREAS, first))
  throw new Error(`no such area: ${first}; there are ${Object.keys(AREAS).join(', ')}`)

for (const name of first === undefined ? Object.keys(AREAS) : [first]) {
  const { status } = spawnSync('stryker', ['run', 'test/mutation/stryker.config.mjs', ...options], {
    stdio: 'inherit',
    env: { ...process.env, HOURHAND_MUTATION_AREA: name },
  })
  if (status !== 0) process.exitCode = 1
}
