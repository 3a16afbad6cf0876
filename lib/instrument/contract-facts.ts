import type { Instrument } from '../../schemas/instrument.ts'

/** What of an instrument changes which trades are made; what it costs and asks as margin does not belong to it. */
export function contractOf(instrument: Instrument): Record<string, unknown> {
  const { id, multiplier, tickSize, lotSize, minQuantity, maxQuantity, calendar } = instrument
  const kind =
    instrument.kind === 'perp'
      ? { fundingIntervalMs: instrument.fundingIntervalMs }
      : { month: instrument.month, lastEntry: instrument.lastEntry }
  return { id, multiplier, tickSize, lotSize, minQuantity, maxQuantity, calendar, ...kind }
}

/** An instrument in a few words, for people: `0.1 ETH a contract, in steps of 0.5 USD`. */
export const describeContract = ({ multiplier, unit, tickSize, quoteCurrency }: Instrument): string =>
  `${multiplier} ${unit} a contract, in steps of ${tickSize} ${quoteCurrency}`
