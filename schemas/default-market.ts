/** The market that a configuration means where it names none: the one of the first named strategy. */
export const DEFAULT_MARKET = {
  exchange: 'coinbase',
  symbol: 'ETP-20DEC30-CDE',
  referenceSymbol: 'BIP-20DEC30-CDE',
} as const
