import { LiveConfig } from '../../../schemas/strategy-config.ts'
import { uuidAsItIs } from '../client-order-id.ts'
import type { LiveBrokerOptions, LiveVenue } from '../venue.ts'
import { coinbaseCredentials, keyOf } from './credentials.ts'
import { coinbaseCapabilities } from './capabilities.ts'
import type { Transport } from './wire.ts'

/** US perp-style futures at Coinbase, through Advanced Trade. */
export const coinbase: LiveVenue = {
  kind: 'live',
  id: 'coinbase',
  title: 'Coinbase',
  capabilities: coinbaseCapabilities,
  settings: LiveConfig,
  clientOrderId: uuidAsItIs,
  credentials: coinbaseCredentials,
  ccxtClass: 'coinbase',
  async openMarket(config) {
    const { openCoinbaseReader } = await import('./market/open.ts')
    return openCoinbaseReader(config)
  },
  async openBroker(options) {
    const { createCoinbaseBroker } = await import('./coinbase-broker.ts')
    return createCoinbaseBroker({ ...options, transport: await openTransport(options) })
  },
  async inspect(options) {
    const { inspectVenue } = await import('./inspect.ts')
    const { config, clock } = options
    return inspectVenue({ transport: await openTransport(options), symbol: config.market.symbol, config, clock })
  },
}

async function openTransport({
  config,
  credentials,
  clock,
}: Pick<LiveBrokerOptions, 'config' | 'credentials' | 'clock'>): Promise<Transport> {
  const { createCcxtTransport } = await import('./transport.ts')
  return createCcxtTransport({ ...keyOf(credentials()), baseUrl: config.live.baseUrl ?? config.market.baseUrl, clock })
}
