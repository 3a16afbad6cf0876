import type { Capabilities } from '../../../schemas/venue.ts'

/** What Advanced Trade does for US perp-style futures, as far as it is known without an account. */
export const coinbaseCapabilities: Capabilities = {
  attachedExits: true,
  oneCancelsOther: true,
  reduceOnly: false,
  editsInPlace: false,
  listsFunding: false,
  listsTransfers: false,
  pushesChanges: false,
  refusesDuplicateIds: true,
  deadManSwitch: false,
  demoHost: false,
  wholePositionCalls: true,
}
