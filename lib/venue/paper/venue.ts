import { PaperConfig } from '../../../schemas/strategy-config.ts'
import { uuidAsItIs } from '../client-order-id.ts'
import type { PaperVenue } from '../venue.ts'
import { createPaperBroker } from './paper-broker.ts'

/** Orders played over the prices of a market, with a paper account kept in the store. */
export const paper: PaperVenue = {
  kind: 'paper',
  id: 'paper',
  title: 'Paper',
  capabilities: {
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
  },
  settings: PaperConfig,
  clientOrderId: uuidAsItIs,
  credentials: null,
  openBroker: createPaperBroker,
}
