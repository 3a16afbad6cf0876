import fc from 'fast-check'
import type { Money, Price, Quantity } from '../../lib/core/decimal.ts'
import { DAY_MS, type EpochMs, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import type { CurvePoint } from '../../lib/report/metrics/curve.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { Trade } from '../../schemas/trade.ts'

export const START: EpochMs = Date.parse('2026-01-01T00:00:00Z')
export const money = (value: string | number): Money => String(value) as Money

/** A round trip of one contract that made 10 before costs and 8.5 after them; whatever is given differs. */
export const tradeOf = (parts: Partial<Trade> = {}): Trade => ({
  id: 'trade-0',
  strategyId: 'eth-perp',
  side: 'long',
  quantity: '1' as Quantity,
  entryTime: '2026-01-01T09:30:00Z',
  entryPrice: '2000' as Price,
  exitTime: '2026-01-01T11:00:00Z',
  exitPrice: '2100' as Price,
  exitReason: 'take_profit',
  stopLossPrice: '1950' as Price,
  takeProfitPrice: '2100' as Price,
  gross: money('10'),
  fees: money('1'),
  funding: money('-0.5'),
  slippage: money('0.25'),
  pnl: money('8.5'),
  rMultiple: 1.7,
  regime: 'trend_up',
  fillIds: [],
  ...parts,
})

/** Equity at slots that follow each other from `from` on. */
export const equityOf = (
  values: readonly (number | string)[],
  stepMinutes: number,
  from: EpochMs = START,
  phase: EquityPoint['phase'] = 'flat',
): EquityPoint[] =>
  values.map((value, index) => ({
    at: toIso(from + index * stepMinutes * MINUTE_MS),
    equity: money(value),
    cash: money(value),
    markPrice: null,
    phase,
  }))

/** A curve with one point a day, the first at {@link START}. */
export const dailyCurve = (values: readonly number[]): CurvePoint[] =>
  values.map((value, index) => ({ at: START + index * DAY_MS, value }))

/** A curve that begins at 100 and has these returns, one a day. */
export function curveOfReturns(returns: readonly number[]): CurvePoint[] {
  let value = 100
  return dailyCurve([value, ...returns.map((change) => (value *= 1 + change))])
}

const cents = fc.integer({ min: -500_000, max: 500_000 }).map((units) => units / 100)
const amount = cents.map((value) => money(value === 0 ? 0 : value))
const REGIMES = [null, 'trend_up', 'range', 'breakout_down'] as const
const REASONS = ['stop_loss', 'take_profit', 'liquidation', 'time_limit', 'decision'] as const

/** Trades of all kinds. Their pnl is anything: what adds up is not asked of what counts them. */
export const someTrades = (minLength = 0, maxLength = 40): fc.Arbitrary<Trade[]> =>
  fc
    .array(
      fc.record({
        side: fc.constantFrom('long', 'short'),
        regime: fc.constantFrom(...REGIMES),
        exitReason: fc.constantFrom(...REASONS),
        entryMinute: fc.nat({ max: 60 * 24 * 30 }),
        heldMinutes: fc.nat({ max: 3_000 }),
        gross: amount,
        fees: amount,
        funding: amount,
        slippage: amount,
        pnl: amount,
        rMultiple: fc.option(
          fc.integer({ min: -300, max: 900 }).map((hundredths) => hundredths / 100),
          { nil: null },
        ),
      }),
      { minLength, maxLength },
    )
    .map((kinds) =>
      kinds.map(({ entryMinute, heldMinutes, ...parts }, index) =>
        tradeOf({
          ...parts,
          id: `trade-${index}`,
          entryTime: toIso(START + entryMinute * MINUTE_MS),
          exitTime: toIso(START + (entryMinute + heldMinutes) * MINUTE_MS),
        }),
      ),
    )

/** Returns of a day, in hundredths of a percent between -20 % and 20 %. */
export const someReturns = (minLength: number, maxLength = 80): fc.Arbitrary<number[]> =>
  fc.array(
    fc.integer({ min: -2_000, max: 2_000 }).map((units) => units / 10_000),
    { minLength, maxLength },
  )
