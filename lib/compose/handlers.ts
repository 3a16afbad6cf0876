import { runCycle } from '../cycle/run-cycle.ts'
import { runEnforcement } from '../execution/run-enforcement.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import { composeCycle, composeExecution } from './compose-ports.ts'
import { createHandler, type Runtime } from './lambda.ts'

/** What an invocation answers; the whole story is in the record and the log. */
export type CycleAnswer = Pick<CycleRecord, 'cycleId' | 'slot' | 'outcome' | 'reason'>
export type EnforcementAnswer = { at: string; outcome: string; phase: string; exit: string | null; notes: string[] }

/**
 * The decision cycle's handler. A cycle that ends `failed` is recorded, and then fails the function, so that its alarm
 * rings; but for a decider that failed: nothing of ours is broken, and its streak has an alarm of its own.
 */
export const createCycleHandler = (runtime: Runtime) =>
  createHandler(
    runtime,
    { asksModel: true },
    async ({ world, apiKey, codeVersion, scheduledFor }): Promise<CycleAnswer> => {
      const ports = await composeCycle(world, { codeVersion, apiKey })
      const { cycleId, slot, outcome, reason, failedIn } = await runCycle(ports, { scheduledFor, dryRun: world.dryRun })
      if (outcome === 'failed' && failedIn !== 'decide') throw new Error(`cycle ${cycleId} failed: ${reason}`)
      return { cycleId, slot, outcome, reason }
    },
  )

/** Enforcement's handler. A close that did not go through fails the function, so that its alarm rings. */
export const createEnforcementHandler = (runtime: Runtime) =>
  createHandler(runtime, { asksModel: false }, async ({ world }): Promise<EnforcementAnswer> => {
    const { at, outcome, phase, exit, notes } = await runEnforcement(await composeExecution(world), {
      dryRun: world.dryRun,
    })
    if (outcome === 'unclosed')
      throw new Error(`the position should be closed (${exit}) and is still ${phase}: ${notes.join('; ')}`)
    return { at, outcome, phase, exit, notes }
  })
