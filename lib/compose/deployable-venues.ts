import { LIVE_VENUES } from '../venue/registry.ts'
import type { DeployableVenue } from '../../schemas/venue.ts'

/** The registry's venues as a stack has to know them, which imports no code that runs. */
export const deployableVenues = (): DeployableVenue[] =>
  LIVE_VENUES.map(({ id, title, credentials, ccxtClass }) => ({
    id,
    title,
    ccxtClass,
    credentialVariables: credentials.parts.map(({ variable }) => variable),
  }))
