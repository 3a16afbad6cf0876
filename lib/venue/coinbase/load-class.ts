import { type ExchangeClass, loadExchange } from '../../market/load-exchange.ts'

/**
 * The ccxt class of this venue, from its own file (0.4 s instead of 0.8 s for the whole package). That file is not
 * among ccxt's exports, so it is named by its relative path; a bundler follows that path and takes in this one class.
 */
export async function loadCoinbaseClass(): Promise<ExchangeClass> {
  try {
    const module = await import('../../../node_modules/ccxt/js/src/coinbase.js')
    return module.default as unknown as ExchangeClass
  } catch (error) {
    // Installed elsewhere, as in a workspace: the whole package has the class too.
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    return loadExchange('coinbase')
  }
}
