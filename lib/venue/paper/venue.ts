import { PaperConfig } from '../../../schemas/strategy-config.ts'
import { uuidAsItIs } from '../client-order-id.ts'
import type { PaperVenue } from '../venue.ts'
import { createPaperBroker } from './paper-broker.ts'
import { paperCapabilities } from './capabilities.ts'

/** Orders played over the prices of a market, with a paper account kept in the store. */
export const paper: PaperVenue = {
  kind: 'paper',
  id: 'paper',
  title: 'Paper',
  capabilities: paperCapabilities,
  settings: PaperConfig,
  clientOrderId: uuidAsItIs,
  credentials: null,
  openBroker: createPaperBroker,
}
