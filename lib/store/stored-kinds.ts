import type { z } from 'zod'
import { CycleRecord } from '../../schemas/cycle-record.ts'
import { DeploymentItem } from '../../schemas/deployment-item.ts'
import { EquityPoint } from '../../schemas/equity.ts'
import { LiveClearance } from '../../schemas/live-clearance.ts'
import { Fill, FundingPayment, OrderRecord, Transfer } from '../../schemas/order.ts'
import { PaperBook } from '../../schemas/paper-book.ts'
import { StrategyState } from '../../schemas/state.ts'
import { Trade } from '../../schemas/trade.ts'

/** How items of one kind are read and written. */
export type Kind<T> = {
  name: StoredKind
  schema: z.ZodType<T>
  /** Whether the value itself has the version fields; else the store adds and removes them. */
  isVersioned: boolean
  /**
   * Paths to the members that decide what is traded: a field in them that this release does not know keeps it from
   * acting. Elsewhere such a field is kept and written back.
   */
  exact: readonly string[]
}

const kindOf = <Name extends string, T>(
  name: Name,
  schema: z.ZodType<T>,
  { isVersioned = false, exact = [] }: Partial<Pick<Kind<T>, 'isVersioned' | 'exact'>> = {},
) => ({ name, schema, isVersioned, exact })

/** Every kind of item there is. */
export const KINDS = {
  state: kindOf('state', StrategyState, { isVersioned: true, exact: ['phase'] }),
  paper_book: kindOf('paper_book', PaperBook, { isVersioned: true, exact: ['position', 'orders'] }),
  cycle: kindOf('cycle', CycleRecord, {
    isVersioned: true,
    exact: ['decision', 'guardFacts.phase', 'order', 'placement', 'phaseAfter'],
  }),
  clearance: kindOf('clearance', LiveClearance, {
    isVersioned: true,
    exact: ['credentials', 'paper', 'figures', 'waivers'],
  }),
  deployment: kindOf('deployment', DeploymentItem),
  trade: kindOf('trade', Trade),
  order: kindOf('order', OrderRecord),
  fill: kindOf('fill', Fill),
  funding: kindOf('funding', FundingPayment),
  transfer: kindOf('transfer', Transfer),
  equity: kindOf('equity', EquityPoint),
} as const

export type StoredKind = keyof typeof KINDS
