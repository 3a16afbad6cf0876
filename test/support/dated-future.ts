import { DatedFuture } from '../../schemas/instrument.ts'
import { ETH } from './instruments.ts'

/**
 * The facts of ETH as a contract that ends: no entries from 20:00 of 2026-03-10 on, and to be closed by 22:00 of that
 * day.
 */
export const ENDING_ETH = (() => {
  const { id: _id, kind: _kind, ...facts } = ETH
  const { fundingIntervalMs: _interval, ...common } = { fundingIntervalMs: null, ...facts }
  return DatedFuture.parse({
    ...common,
    kind: 'future',
    id: `test:${ETH.venueSymbol}`,
    root: 'ETH',
    month: '2026-03',
    lastTrade: '2026-03-11T00:10:00Z',
    firstNotice: null,
    lastEntry: '2026-03-10T20:00:00Z',
  })
})()
