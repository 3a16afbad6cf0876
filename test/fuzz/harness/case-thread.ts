import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type CaseResult, describeError, describeInput, inputOf, runCase } from './run-case.ts'
import { loadTargets } from './target.ts'

/** What this thread is asked for: the cases of one target with numbers in [from, to), each reported as it ends. */
export type CaseOrder = {
  folder: string | undefined
  name: string
  seed: number
  from: number
  to: number
  /**
   * One 32-bit count of the cases begun. The supervisor reads from it that this thread goes on, and where it stands.
   */
  begun: SharedArrayBuffer
}

/** Timers that a case has left behind get so many milliseconds to fail. */
const REST_MS = 20

const { folder, name, seed, from, to, begun } = workerData as CaseOrder
const target = (await loadTargets(folder)).find((candidate) => candidate.name === name)
if (target === undefined) throw new Error(`no fuzz target is called ${name}`)

const report = (result: CaseResult): void => parentPort?.postMessage(result)
const counter = new Int32Array(begun)
let number = from

// An error that nobody awaits belongs to the case during which it shows.
for (const event of ['unhandledRejection', 'uncaughtException'] as const)
  process.on(event, (error: unknown) => {
    const problem = `${event}: ${describeError(error)}`
    report({ number, label: event, ms: 0, problem, input: describeInput(inputOf(target, seed, number)) })
  })

for (; number < to; number += 1) {
  Atomics.add(counter, 0, 1)
  const result = await runCase(target, seed, number)
  // Node tells of unhandled rejections between two turns of its loop.
  await setImmediate()
  report(result)
}
number = to - 1
Atomics.add(counter, 0, 1)
await new Promise((resolve) => setTimeout(resolve, REST_MS))
