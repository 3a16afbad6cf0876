/**
 * The strategies that exist by name. Each is a partial configuration over the schema's defaults, so what
 * is written here is exactly what makes it different.
 */
export const NAMED_STRATEGIES = {
  /** Coinbase's US ETH perp-style future: 0.1 ETH a contract. */
  'eth-perp': {},
  /** Coinbase's US BTC perp-style future: 0.01 BTC a contract. */
  'btc-perp': {
    market: { symbol: 'BIP-20DEC30-CDE', referenceSymbol: 'ETP-20DEC30-CDE' },
  },
} as const satisfies Record<string, Record<string, unknown>>

export type NamedStrategy = keyof typeof NAMED_STRATEGIES

export const DEFAULT_STRATEGY: NamedStrategy = 'eth-perp'
