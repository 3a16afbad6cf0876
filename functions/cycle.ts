import { randomUUID } from 'node:crypto'
import { createCycleHandler } from '../lib/compose/handlers.ts'
import { runtimeOf } from '../lib/compose/process-runtime.ts'

/** Invoked by the decision schedule, or by hand with `{"dryRun": true}`. */
export const handler = createCycleHandler(runtimeOf(process, { clock: () => Date.now(), newId: randomUUID }))
