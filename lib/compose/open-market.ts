import type { Clock } from '../core/time.ts'
import { createMarket } from '../market/create-market.ts'
import type { OpenVenueReader } from '../market/exchange-reader.ts'
import { findLiveVenue } from '../venue/registry.ts'
import type { MarketConfig } from '../../schemas/strategy-config.ts'

/** The registry's venues read their prices by their own wire formats; null for every other exchange. */
export const openVenueReader: OpenVenueReader = (config) => findLiveVenue(config.exchange)?.openMarket(config) ?? null

/**
 * The market that a configuration names, with the registry's venues among the live ones. Rejects as `createMarket`
 * does.
 */
export const openMarket = (options: {
  config: MarketConfig
  clock: Clock
  wallClock?: Clock
}): ReturnType<typeof createMarket> => createMarket({ ...options, openVenueReader })
