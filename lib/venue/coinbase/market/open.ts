import { tameTransport } from '../../../market/exchange-call.ts'
import type { ExchangeReader } from '../../../market/exchange-reader.ts'
import type { MarketConfig } from '../../../../schemas/strategy-config.ts'
import { loadCoinbaseClass } from '../load-class.ts'
import { createCoinbaseReader } from './reader.ts'

/** The reader of public prices, over a ccxt instance of its own that retries nothing. */
export async function openCoinbaseReader({
  baseUrl,
  timeoutMs,
}: Pick<MarketConfig, 'baseUrl' | 'timeoutMs'>): Promise<ExchangeReader> {
  const ExchangeClass = await loadCoinbaseClass()
  const exchange = new ExchangeClass({ timeout: timeoutMs, enableRateLimit: true })
  tameTransport(exchange, baseUrl)
  return createCoinbaseReader(exchange, timeoutMs)
}
