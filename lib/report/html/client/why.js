/** Why a number of the metrics can be missing; what a dash says. */
export const why = /** @type {const} */ ({
  trades: 'no trades were closed',
  returns: 'too few returns, or returns that do not vary',
  losses: 'no losing trade',
  winners: 'no winning trade with a stop',
  losers: 'no losing trade with a stop',
  stops: 'no trades with a known stop',
  drawdown: 'equity never fell',
  trials: 'one trial only',
  interval: 'too few observations to resample',
  price: 'the model has no price in the configuration',
})
