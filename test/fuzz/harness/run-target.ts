import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { CaseOrder } from './case-thread.ts'
import type { CaseResult } from './run-case.ts'

export type TargetOrder = {
  /** Folder of the targets; by default test/fuzz. */
  folder?: string | undefined
  name: string
  seed: number
  from: number
  to: number
  secondsPerCase: number
}

export type Violation = { name: string; seed: number; number: number; problem: string; input: string }

/** What became of the cases of one target. */
export type Tally = {
  name: string
  cases: number
  outcomes: Record<string, number>
  slowest: { number: number; ms: number }
  violations: Violation[]
}

/** A thread has so long to load the program before its first case, and to end after its last. */
const LOAD_MS = 60_000
const LOOK_EVERY_MS = 20
/** Memory of one thread: a case that eats more ends the thread and is named. */
const HEAP_MB = 1_500
/** Labels beyond these are counted together: a label is a kind, not a value. */
const MAX_LABELS = 40

/**
 * Runs the cases of one target in a thread, watched from this one. A case that hangs or kills the thread is named, and
 * a new thread goes on with the next. A case above the limit is tried once more, alone, and is a violation only if it
 * is slow again: on a busy machine any case can be late once.
 */
export async function runTarget(order: TargetOrder): Promise<Tally> {
  const { name, seed, to, secondsPerCase } = order
  const tally: Tally = { name, cases: 0, outcomes: {}, slowest: { number: 0, ms: 0 }, violations: [] }
  const suspects = new Set<number>()
  const violate = (number: number, problem: string, input = ''): void =>
    void tally.violations.push({ name, seed, number, problem, input })
  const count = (result: CaseResult): void => {
    if (result.problem !== null) violate(result.number, result.problem, result.input)
    if (UNAWAITED.has(result.label)) return
    countOutcome(tally, result.label)
    if (result.ms > tally.slowest.ms) tally.slowest = { number: result.number, ms: Math.round(result.ms) }
    if (result.ms > secondsPerCase * 1_000) suspects.add(result.number)
  }
  for (let next = order.from; next < to;) {
    const end = await watch({ ...order, from: next }, count)
    if (end === null) break
    countOutcome(tally, end.problem)
    suspects.add(end.number)
    next = end.number + 1
  }
  for (const number of suspects) {
    let ms = 0
    const alone = { ...order, from: number, to: number + 1 }
    const end = await watch(alone, (result) => (ms = Math.max(ms, result.ms)))
    if (end !== null) violate(number, end.problem)
    else if (ms > secondsPerCase * 1_000) violate(number, `took ${Math.round(ms)} ms`)
  }
  return tally
}

/** Labels under which a thread reports errors that nobody awaited; beside a case's own. */
const UNAWAITED = new Set(['unhandledRejection', 'uncaughtException'])

function countOutcome(tally: Tally, label: string): void {
  tally.cases += 1
  const isKnown = Object.hasOwn(tally.outcomes, label) || Object.keys(tally.outcomes).length < MAX_LABELS
  const kind = isKnown ? label : 'other'
  tally.outcomes[kind] = (tally.outcomes[kind] ?? 0) + 1
}

/** Runs cases until all are done (null), or one hangs or ends the thread. Rejects when the thread cannot begin. */
async function watch(
  { folder, name, seed, from, to, secondsPerCase }: TargetOrder,
  count: (result: CaseResult) => void,
): Promise<{ number: number; problem: string } | null> {
  const begun = new SharedArrayBuffer(4)
  const counter = new Int32Array(begun)
  const order: CaseOrder = { folder, name, seed, from, to, begun }
  const worker = new Worker(new URL('./case-thread.mjs', import.meta.url), {
    workerData: order,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  let death: string | null = null
  const isOver = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.on('message', count)
  worker.on('error', (error) => (death = error.message))

  let [seen, seenAt, isHung] = [0, performance.now(), false]
  while (!isHung && (await Promise.race([isOver.then(() => false), delay(LOOK_EVERY_MS, true)]))) {
    const now = performance.now()
    const cases = Atomics.load(counter, 0)
    if (cases !== seen) [seen, seenAt] = [cases, now]
    const isAtWork = seen > 0 && seen <= to - from
    isHung = now - seenAt > (isAtWork ? secondsPerCase * 2_000 : LOAD_MS)
  }
  await worker.terminate()
  const cases = Atomics.load(counter, 0)
  if (cases > to - from) return null
  if (cases === 0) throw new Error(`fuzz target ${name} could not begin: ${death ?? 'no sign of life'}`)
  const problem = isHung ? `hung for more than ${secondsPerCase} s` : `ended its thread: ${death ?? 'no error'}`
  return { number: from + cases - 1, problem }
}
