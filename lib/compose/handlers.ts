import { runCycle } from '../cycle/run-cycle.ts'
import { runEnforcement } from '../cycle/run-enforcement.ts'
import { readSecureParameter } from '../telemetry/secrets.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { Environment } from '../../schemas/environment.ts'
import { composeCycle, composeExecution } from './compose-ports.ts'
import { createHandler, type Runtime } from './lambda.ts'

/** What an invocation answers; the whole story is in the record and the log. */
export type CycleAnswer = Pick<CycleRecord, 'cycleId' | 'slot' | 'outcome' | 'reason'>
export type EnforcementAnswer = { at: string; outcome: string; phase: string; exit: string | null; notes: string[] }

/** The decision cycle's handler. A cycle that ends `failed` is recorded, and then fails the function, so that its alarm rings. */
export const createCycleHandler = (runtime: Runtime) =>
  createHandler(runtime, async ({ world, environment, codeVersion, scheduledFor }): Promise<CycleAnswer> => {
    const ports = await composeCycle(world, { codeVersion, readApiKey: (kind) => readKey(environment, kind) })
    const { cycleId, slot, outcome, reason } = await runCycle(ports, { scheduledFor, dryRun: world.dryRun })
    if (outcome === 'failed') throw new Error(`cycle ${cycleId} failed: ${reason}`)
    return { cycleId, slot, outcome, reason }
  })

/** Enforcement's handler. */
export const createEnforcementHandler = (runtime: Runtime) =>
  createHandler(runtime, async ({ world }): Promise<EnforcementAnswer> => {
    const { at, outcome, phase, exit, notes } = await runEnforcement(await composeExecution(world), { dryRun: world.dryRun })
    return { at, outcome, phase, exit, notes }
  })

/** A deployment keeps keys in SSM and gives their names; elsewhere they may be in the environment themselves. */
async function readKey(environment: Environment, kind: 'openai' | 'anthropic'): Promise<string | undefined> {
  const isOpenAi = kind === 'openai'
  const parameter = isOpenAi ? environment.OPENAI_API_KEY_PARAMETER : environment.ANTHROPIC_API_KEY_PARAMETER
  if (parameter !== undefined) return readSecureParameter({ name: parameter })
  return isOpenAi ? environment.OPENAI_API_KEY : environment.ANTHROPIC_API_KEY
}
