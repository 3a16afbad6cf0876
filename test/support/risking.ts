/** Risks one per cent of equity from the first trade on: without a record of trades it would be a quarter of that. */
export const RISKING = { minRisk: 0.01 } as const
