import type { Broker } from '../venue/broker.ts'
import type { Credentials } from '../venue/coinbase/credentials.ts'
import type { Transport } from '../venue/coinbase/wire.ts'
import { deferBroker } from '../venue/defer-broker.ts'
import { UsageError } from '../core/invariant.ts'
import type { Clock } from '../core/time.ts'
import type { Sleep } from '../execution/ports.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Where private calls go; null is the venue's own address. */
export const venueUrlOf = ({ live, market }: Pick<StrategyConfig, 'live' | 'market'>): string | null =>
  live.baseUrl ?? market.baseUrl

/** Throws {@link UsageError} where real money would be traded on prices that are not the venue's own. */
export function requireLiveVenue({ market }: Pick<StrategyConfig, 'market'>): void {
  if (market.source !== 'live')
    throw new UsageError(
      `market.source = ${market.source}: live mode trades on the venue's own prices; set market.source to "live", or mode to "paper"`,
    )
  if (market.exchange !== 'coinbase')
    throw new UsageError(
      `market.exchange = ${market.exchange}: live mode trades at Coinbase only; set market.exchange to "coinbase", or mode to "paper"`,
    )
}

type Access = { config: StrategyConfig; credentials: () => Credentials; clock: Clock }

/** The way to the venue. Rejects with {@link UsageError} when the credentials are missing or cannot work. */
export async function openTransport({ config, credentials, clock }: Access): Promise<Transport> {
  requireLiveVenue(config)
  const { createCcxtTransport } = await import('../venue/coinbase/transport.ts')
  return createCcxtTransport({ ...credentials(), baseUrl: venueUrlOf(config), clock })
}

/**
 * The broker of live mode, opened by the first question asked of it: what needs no venue, a halt above all, does not
 * wait for credentials, and paper trading does not load its code. Throws as {@link requireLiveVenue} does.
 */
export function openVenue({
  config,
  credentials,
  clock,
  sleep,
  telemetry,
}: Access & { sleep: Sleep; telemetry: Telemetry }): Broker {
  requireLiveVenue(config)
  return deferBroker({ name: 'coinbase', listsFunding: false }, async () => {
    const { createCoinbaseBroker } = await import('../venue/coinbase/coinbase-broker.ts')
    return createCoinbaseBroker({
      transport: await openTransport({ config, credentials, clock }),
      config,
      clock,
      sleep,
      telemetry,
    })
  })
}
