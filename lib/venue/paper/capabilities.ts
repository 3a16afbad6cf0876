import type { Capabilities } from '../../../schemas/venue.ts'

/** What the paper venue does. Whether exits go with the entry is a setting: `paper.attachedBrackets`. */
export const paperCapabilities: Capabilities = {
  attachedExits: true,
  oneCancelsOther: true,
  reduceOnly: true,
  editsInPlace: false,
  listsFunding: true,
  listsTransfers: true,
  pushesChanges: false,
  refusesDuplicateIds: true,
  deadManSwitch: false,
  demoHost: false,
  wholePositionCalls: false,
}
