import { randomUUID } from 'node:crypto'
import { createEnforcementHandler } from '../lib/compose/handlers.ts'
import { runtimeOf } from '../lib/compose/process-runtime.ts'

/** Invoked every minute. */
export const handler = createEnforcementHandler(runtimeOf(process, { clock: () => Date.now(), newId: randomUUID }))
