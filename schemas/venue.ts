import { z } from 'zod'

/** What a venue can do. The program asks here before it relies on any of it. */
export const Capabilities = z.strictObject({
  /** Takes a stop and a target together with the entry. */
  attachedExits: z.boolean(),
  /** Rests a stop and a target of which one cancels the other. */
  oneCancelsOther: z.boolean(),
  /** Takes orders that can only reduce a position. */
  reduceOnly: z.boolean(),
  /** Changes the prices of a resting order without a moment in which none rests. */
  editsInPlace: z.boolean(),
  /** Lists every funding settlement. False: funding moves cash unlisted, and is inferred from it. */
  listsFunding: z.boolean(),
  /** Lists deposits and withdrawals. */
  listsTransfers: z.boolean(),
  /** Tells of changes by itself. */
  pushesChanges: z.boolean(),
  /** Makes no second order of one client id. */
  refusesDuplicateIds: z.boolean(),
  /** Cancels what rests when it hears nothing for a while. */
  deadManSwitch: z.boolean(),
  /** Has an address for trying things without money that behaves like the real one. */
  demoHost: z.boolean(),
  /** Closes a whole position by a call of its own. */
  wholePositionCalls: z.boolean(),
})
export type Capabilities = z.infer<typeof Capabilities>

/** A venue as a deployment has to know it: who it is, and which variables name the parameters of its credentials. */
export type DeployableVenue = {
  readonly id: string
  readonly title: string
  readonly credentialVariables: readonly string[]
  /** The ccxt class that has to be deployed for it; null for none. */
  readonly ccxtClass: string | null
}
