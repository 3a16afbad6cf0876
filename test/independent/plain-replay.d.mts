import type { Candle, FundingRate } from '../../schemas/market.ts'
import type { SlotLine } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'

/** Types for the tests alone: `plain-replay.mjs` itself knows nothing of the project. */
export type PlainBar = Pick<Candle, 'time' | 'open' | 'high' | 'low' | 'close'>
export type PlainTrade = Omit<Trade, 'id' | 'strategyId' | 'regime' | 'fillIds'>
export type PlainSlot = Pick<
  SlotLine,
  'slot' | 'outcome' | 'action' | 'confidence' | 'ask' | 'refusedBy' | 'equity' | 'cash' | 'inPosition'
>
export type PlainResult = {
  trades: PlainTrade[]
  slots: PlainSlot[]
  heldBars: number
  ambiguousBars: number
  halt: { at: string; rule: string } | null
  openPosition: { liquidationPrice: string } | null
}

export function plainReplay(request: {
  config: StrategyConfig
  candles: readonly PlainBar[]
  funding: readonly FundingRate[]
  from: number
  to: number
}): PlainResult
export function readCandles(file: string): PlainBar[]
export function readFunding(file: string): FundingRate[]
