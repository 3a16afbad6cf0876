import { AsyncLocalStorage } from 'node:async_hooks'
import { afterAll } from 'vitest'

/**
 * Before Node 24 a process that has used an AsyncLocalStorage pays for it at every promise ever after. Test files share
 * their processes, and those that go through history make promises by the million: so each file ends what it began.
 */
const begun = new Set<AsyncLocalStorage<unknown>>()
const { run } = AsyncLocalStorage.prototype

AsyncLocalStorage.prototype.run = function (this: AsyncLocalStorage<unknown>, ...rest: Parameters<typeof run>) {
  begun.add(this)
  return Reflect.apply(run, this, rest)
} as typeof run

afterAll(() => {
  AsyncLocalStorage.prototype.run = run
  for (const storage of begun) storage.disable()
  begun.clear()
})
