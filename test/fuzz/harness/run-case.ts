import { inspect } from 'node:util'
import { createPrng } from '../../../lib/core/prng.ts'
import type { FuzzTarget } from './target.ts'

/**
 * What became of one case. A problem is an error that was thrown: of the program under test, or a law of the target.
 */
export type CaseResult = { number: number; label: string; ms: number; problem: string | null; input: string }

/** The input of a case: the run's seed, the target's name and the case's number give the same on every machine. */
export const inputOf = (target: FuzzTarget, seed: number, number: number): unknown =>
  target.make(createPrng('fuzz', seed, target.name, number).uniform)

/** Makes and runs one case. Never rejects. */
export async function runCase(target: FuzzTarget, seed: number, number: number): Promise<CaseResult> {
  let input: unknown
  let label = 'violation'
  let problem: string | null = null
  const start = performance.now()
  try {
    input = inputOf(target, seed, number)
    label = await target.run(input)
    if (typeof label !== 'string' || label === '') throw new Error('run gave no label')
  } catch (error) {
    problem = describeError(error)
  }
  return { number, label, ms: performance.now() - start, problem, input: problem === null ? '' : describeInput(input) }
}

export const describeError = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : inspect(error)

/** The input in one line, or its beginning. */
export const describeInput = (input: unknown): string =>
  inspect(input, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 600, maxArrayLength: 30 })
