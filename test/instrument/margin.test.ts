import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dec, type Money } from '../../lib/core/decimal.ts'
import { directionOf, liquidationPrice } from '../../lib/core/margin.ts'
import { initialMarginRate, liquidationPriceOf } from '../../lib/instrument/margin.ts'
import { changed, ETH } from '../support/instruments.ts'

const perContract = (initial: number, maintenance: number) =>
  changed(ETH, {
    multiplier: '50' as never,
    margin: { perContract: { initial: String(initial) as Money, maintenance: String(maintenance) as Money } },
  })

const sides = fc.constantFrom('long' as const, 'short' as const)

describe('margin', () => {
  it('a share of the notional is the same at every price, an amount a contract is not', () => {
    expect(initialMarginRate(ETH, 'long', dec(2000)).toFixed()).toBe('0.25')
    expect(initialMarginRate(ETH, 'short', dec(1)).toFixed()).toBe('0.31')
    // 12,500 dollars for 50 x 5,000.
    expect(initialMarginRate(perContract(12_500, 11_000), 'long', dec(5_000)).toFixed()).toBe('0.05')
  })

  it('with an amount a contract, margin and unrealised loss at the liquidation price leave the maintenance margin', () => {
    fc.assert(
      fc.property(
        sides,
        fc.integer({ min: 100, max: 9_000 }),
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (side, entry, leverage, fifths) => {
          const set = (entry * 50) / leverage
          const instrument = perContract(set, (set * fifths) / 5)
          const level = liquidationPriceOf(instrument, side, dec(entry), dec(leverage))
          if (level === null || level.lte(0)) return
          const left = dec(set).plus(level.minus(entry).times(directionOf(side)).times(50))
          expect(
            left
              .minus((set * fifths) / 5)
              .abs()
              .lt('0.000001'),
          ).toBe(true)
        },
      ),
      { seed: 11, numRuns: 500 },
    )
  })

  it('with a share of the notional it is the formula of isolated margin', () => {
    fc.assert(
      fc.property(
        sides,
        fc.integer({ min: 1, max: 90_000 }),
        fc.integer({ min: 1, max: 20 }),
        (side, entry, leverage) => {
          expect(liquidationPriceOf(ETH, side, dec(entry), dec(leverage))?.toFixed()).toBe(
            liquidationPrice(side, dec(entry), dec(leverage), dec('0.05')).toFixed(),
          )
        },
      ),
      { seed: 12, numRuns: 300 },
    )
  })

  it('is null where nothing is left to hold a position with', () => {
    expect(liquidationPriceOf(ETH, 'long', dec(100), dec(0))).toBeNull()
    expect(liquidationPriceOf(changed(ETH, { maintenanceMarginRate: '1' }), 'long', dec(100), dec(2))).toBeNull()
  })
})
