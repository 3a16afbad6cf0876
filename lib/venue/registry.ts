import { coinbase } from './coinbase/venue.ts'
import { paper } from './paper/venue.ts'
import type { LiveVenue, Venue } from './venue.ts'

/**
 * Every venue. A line here and a folder are all that a venue takes; what stands here is its description, the code that
 * talks to it is imported when it is opened.
 */
export const VENUES: readonly Venue[] = [paper, coinbase]

export const LIVE_VENUES: readonly LiveVenue[] = VENUES.filter((venue) => venue.kind === 'live')

export { paper as PAPER_VENUE }

/** The venue with real money of this id; null where there is none. */
export const findLiveVenue = (id: string): LiveVenue | null => LIVE_VENUES.find((venue) => venue.id === id) ?? null
