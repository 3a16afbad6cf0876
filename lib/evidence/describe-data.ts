import { createHash } from 'node:crypto'
import { canonicalJson, sha256 } from '../core/canonical-json.ts'
import type { CandleHistory } from '../market/candle-history.ts'
import type { DatedHeadline } from '../news/file-news-source.ts'
import type { FundingRate } from '../../schemas/market.ts'
import type { ReplayData } from '../../schemas/replay.ts'

/**
 * SHA-256 of a history's bars: timeframe, then time, open, high, low, close, volume of each as little-endian doubles,
 * NaN for an unknown volume. The same bars have the same hash whatever file they came from.
 */
export function hashCandles({ baseTimeframe, bars }: CandleHistory): string {
  const hash = createHash('sha256').update(baseTimeframe)
  const CHUNK = 4_096
  for (let start = 0; start < bars.length; start += CHUNK) {
    const part = bars.slice(start, start + CHUNK)
    const view = new DataView(new ArrayBuffer(part.length * 48))
    part.forEach(({ time, open, high, low, close, volume }, index) => {
      ;[time, open, high, low, close, volume].forEach((value, column) =>
        view.setFloat64(index * 48 + column * 8, value ?? Number.NaN, true),
      )
    })
    hash.update(new Uint8Array(view.buffer))
  }
  return hash.digest('hex')
}

/** SHA-256 of settled rates; null for none. */
export const hashFunding = (rates: readonly FundingRate[]): string | null =>
  rates.length === 0 ? null : sha256(rates.map(({ time, rate }) => `${time} ${rate}`).join('\n'))

/** SHA-256 of headlines with their times; null for none. */
export const hashNews = (headlines: readonly DatedHeadline[]): string | null =>
  headlines.length === 0 ? null : sha256(canonicalJson(headlines))

/** All of a run's data in one hash: what tells one history from another. */
export const dataHashOf = ({
  candlesHash,
  fundingHash,
  referenceHash,
  newsHash,
}: Pick<ReplayData, 'candlesHash' | 'fundingHash' | 'referenceHash' | 'newsHash'>): string =>
  sha256(canonicalJson([candlesHash, fundingHash, referenceHash, newsHash]))
