import { VENUES } from '../../lib/venue/registry.ts'
import { CASES, type Case, whyNot } from './cases.ts'
import type { HarnessFactory } from './harness.ts'

/** The fake of every venue of the registry: what the module of its name in `venues` exports as `harness`. */
export const HARNESSES: readonly HarnessFactory[] = await Promise.all(
  VENUES.map(async ({ id }) => ((await import(`./venues/${id}.ts`)) as { harness: HarnessFactory }).harness),
)

export type Outcome =
  { kind: 'passed' } | { kind: 'not applicable'; reason: string } | { kind: 'failed'; reason: string }
export type CaseResult = { case: Case; outcome: Outcome }

/** Runs one case on a venue of its own. Never rejects. */
export async function runCase(one: Case, venue: HarnessFactory): Promise<CaseResult> {
  const reason = whyNot(one, venue)
  if (reason !== null) return { case: one, outcome: { kind: 'not applicable', reason } }
  try {
    await one.run(await venue.open())
    return { case: one, outcome: { kind: 'passed' } }
  } catch (error) {
    return {
      case: one,
      outcome: { kind: 'failed', reason: error instanceof Error ? error.message : String(error) },
    }
  }
}

/** Runs every case on one venue, in the order of their numbers. */
export async function runCases(venue: HarnessFactory, only?: string): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of CASES) if (only === undefined || one.id === only) results.push(await runCase(one, venue))
  return results
}

/** Throws where a venue of the registry has no harness. */
export function harnessOf(id: string): HarnessFactory {
  const found = HARNESSES.find(({ venue }) => venue === id)
  if (found === undefined)
    throw new Error(
      `${id} has no harness in test/venue-conformance; the registry has ${VENUES.map((v) => v.id).join()}`,
    )
  return found
}
