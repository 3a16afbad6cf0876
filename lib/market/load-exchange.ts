import type { Exchange } from 'ccxt'
import { UsageError } from '../core/invariant.ts'

export type ExchangeOptions = Readonly<Record<string, unknown>>
/** A ccxt exchange class. Implicit methods such as `v3PublicGetBrokerageTime` are there by name, untyped. */
export type ExchangeClass = new (options?: ExchangeOptions) => Exchange

/**
 * The ccxt class of an exchange, imported only now. Throws {@link UsageError} for an id that ccxt does not have.
 *
 * `coinbase` comes from its own file (0.4 s instead of 0.8 s for the whole package). That file is not among ccxt's
 * exports, so it is named by its relative path; a bundler follows that path and takes in this one class. Bundle with
 * `ccxt` itself marked external: then the other exchanges are left out and asking for one is a {@link UsageError}.
 */
export async function loadExchange(id: string): Promise<ExchangeClass> {
  if (id === 'coinbase') return loadCoinbase()
  const classes = (await importWhole(id)) as unknown as Readonly<Record<string, unknown>>
  const found = Object.hasOwn(classes, id) ? classes[id] : undefined
  if (typeof found !== 'function')
    throw new UsageError(
      `market.exchange: ccxt has no exchange ${JSON.stringify(id)}; use an id of its list, such as coinbase or kraken`,
    )
  return found as ExchangeClass
}

async function loadCoinbase(): Promise<ExchangeClass> {
  try {
    const module = await import('../../node_modules/ccxt/js/src/coinbase.js')
    return module.default as unknown as ExchangeClass
  } catch (error) {
    // Installed elsewhere, as in a workspace: the whole package has the class too.
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    return (await importWhole('coinbase')).coinbase as unknown as ExchangeClass
  }
}

async function importWhole(id: string): Promise<typeof import('ccxt').default> {
  try {
    return (await import('ccxt')).default
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new UsageError(
      `market.exchange: ${id} needs the whole ccxt package, which this build leaves out; use coinbase here or run from a checkout`,
      { cause },
    )
  }
}
