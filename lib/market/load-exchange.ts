import type { Exchange } from 'ccxt'
import { UsageError } from '../core/invariant.ts'

export type ExchangeOptions = Readonly<Record<string, unknown>>
/** A ccxt exchange class. Implicit methods such as `v3PublicGetBrokerageTime` are there by name, untyped. */
export type ExchangeClass = new (options?: ExchangeOptions) => Exchange

/**
 * The ccxt class of an exchange, imported only now. Throws {@link UsageError} for an id that ccxt does not have.
 *
 * The whole package is loaded for it. Bundle with `ccxt` marked external: then these exchanges are left out and asking
 * for one is a {@link UsageError}.
 */
export async function loadExchange(id: string): Promise<ExchangeClass> {
  const classes = (await importWhole(id)) as unknown as Readonly<Record<string, unknown>>
  const found = Object.hasOwn(classes, id) ? classes[id] : undefined
  if (typeof found !== 'function')
    throw new UsageError(
      `market.exchange: ccxt has no exchange ${JSON.stringify(id)}; use an id of its list, such as kraken or binanceusdm`,
    )
  return found as ExchangeClass
}

async function importWhole(id: string): Promise<typeof import('ccxt').default> {
  try {
    return (await import('ccxt')).default
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new UsageError(
      `market.exchange: ${id} needs the whole ccxt package, which this build leaves out; run from a checkout, or choose an exchange that this build has`,
      { cause },
    )
  }
}
