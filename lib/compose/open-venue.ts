import type { Broker } from '../venue/broker.ts'
import { deferBroker } from '../venue/defer-broker.ts'
import { findLiveVenue, LIVE_VENUES } from '../venue/registry.ts'
import type { LiveBrokerOptions, LiveVenue } from '../venue/venue.ts'
import { UsageError } from '../core/invariant.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Where private calls go; null is the venue's own address. */
export const venueUrlOf = ({ live, market }: Pick<StrategyConfig, 'live' | 'market'>): string | null =>
  live.baseUrl ?? market.baseUrl

/** What a person does to give credentials for live trading under a configuration; empty where no venue trades it. */
export const credentialsRemedyOf = ({ market }: Pick<StrategyConfig, 'market'>): string =>
  findLiveVenue(market.exchange)?.credentials.remedy ?? 'name a venue that live mode trades at in market.exchange'

/**
 * The venue that live mode trades at. Throws {@link UsageError} where real money would be traded on prices that are not
 * the venue's own, or at an exchange that the registry has no venue for.
 */
export function requireLiveVenue({ market }: Pick<StrategyConfig, 'market'>): LiveVenue {
  if (market.source !== 'live')
    throw new UsageError(
      `market.source = ${market.source}: live mode trades on the venue's own prices; set market.source to "live", or mode to "paper"`,
    )
  const venue = findLiveVenue(market.exchange)
  if (venue !== null) return venue
  const titles = LIVE_VENUES.map(({ title }) => title).join(', ')
  const ids = LIVE_VENUES.map(({ id }) => `"${id}"`).join(' or ')
  throw new UsageError(
    `market.exchange = ${market.exchange}: live mode trades at ${titles} only; set market.exchange to ${ids}, or mode to "paper"`,
  )
}

/**
 * The broker of live mode, opened by the first question asked of it: what needs no venue, a halt above all, does not
 * wait for credentials, and paper trading does not load its code. Throws as {@link requireLiveVenue} does.
 */
export function openVenue(options: LiveBrokerOptions): Broker {
  const venue = requireLiveVenue(options.config)
  return deferBroker({ name: venue.id, capabilities: venue.capabilities }, () => venue.openBroker(options))
}
