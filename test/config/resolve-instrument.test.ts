import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { CATALOGUE } from '../../lib/instrument/catalogue.ts'

const load = (overrides: unknown) => loadConfig({ overrides, origin: 'my.json' })
const refusal = (overrides: unknown): string => {
  try {
    load(overrides)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'not refused'
}

const SOL = {
  kind: 'perp',
  id: 'somewhere:SOL-PERP',
  venue: 'somewhere',
  venueSymbol: 'SOL-PERP',
  underlying: 'SOL',
  unit: 'SOL',
  quoteCurrency: 'USD',
  multiplier: '5',
  tickSize: '0.01',
  lotSize: '1',
  minQuantity: '1',
  maxQuantity: '1000',
  margin: { perNotional: { initial: { long: '0.3', short: '0.3' }, maintenance: '0.2' } },
  fees: { maker: '0', taker: '0.0005', perContract: '0' },
  calendar: 'always-open',
  fundingIntervalMs: 3_600_000,
}

describe('the instrument of a configuration', () => {
  it('with the symbol of bitcoin alone, a contract is a hundredth of a bitcoin and not a tenth of an ether', () => {
    const { instrument, market } = load({ market: { symbol: 'BIP-20DEC30-CDE' } })
    expect(instrument).toMatchObject({ underlying: 'BTC', multiplier: '0.01', tickSize: '5' })
    expect(market.symbol).toBe('BIP-20DEC30-CDE')
  })

  it.each(CATALOGUE.map((instrument) => [instrument.id, instrument] as const))(
    'is the same by its id, by its symbol and by its own facts: %s',
    (id, instrument) => {
      for (const overrides of [{ instrument: id }, { market: { symbol: instrument.venueSymbol } }, { instrument }])
        expect(load(overrides)).toMatchObject({ instrument, market: { symbol: instrument.venueSymbol } })
    },
  )

  it('given facts replace those of the catalogue, and a margin of the other kind replaces the whole margin', () => {
    expect(load({ instrument: { fees: { taker: '0.001' } } }).instrument.fees).toEqual({
      maker: '0',
      taker: '0.001',
      perContract: '0.15',
    })
    const margin = { perContract: { initial: '100', maintenance: '80' } }
    expect(load({ instrument: { margin } }).instrument.margin).toEqual(margin)
  })

  it('an instrument that the catalogue does not have is taken with all of its facts, and refused without one of them', () => {
    expect(load({ instrument: SOL }).instrument).toEqual(SOL)
    for (const fact of Object.keys(SOL).filter((key) => key !== 'venueSymbol' && key !== 'id')) {
      const { [fact as 'venue']: _, ...rest } = SOL
      expect(refusal({ instrument: rest })).toContain(`instrument.${fact}`)
    }
    expect(refusal({ instrument: { id: SOL.id, tickSize: '0.01' } })).toContain('every fact has to be given')
  })

  it.each<[unknown, string[]]>([
    [
      { market: { symbol: 'SOL-PERP' } },
      ['my.json: market.symbol = "SOL-PERP"', 'coinbase:ETP-20DEC30-CDE', 'instrument'],
    ],
    [{ instrument: 'SOL-PERP' }, ['instrument = "SOL-PERP"', 'coinbase:BIP-20DEC30-CDE']],
    [{ instrument: 7 }, ['instrument = 7']],
    [
      { instrument: 'coinbase:BIP-20DEC30-CDE', market: { symbol: 'ETP-20DEC30-CDE' } },
      ['market.symbol = "ETP-20DEC30-CDE"', 'coinbase:BIP-20DEC30-CDE', 'leave market.symbol out'],
    ],
    [{ instrument: { multiplier: '0' } }, ['instrument.multiplier = "0"', 'above zero']],
    [{ instrument: { tick: '1' } }, ['instrument.tick = "1"', 'unknown key']],
  ])('%j is refused, naming field, value and remedy', (overrides, parts) => {
    for (const part of parts) expect(refusal(overrides)).toContain(part)
  })
})
