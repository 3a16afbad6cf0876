import type { EpochMs } from '../core/time.ts'
import type { FeedItem } from './parsed-feed.ts'
import type { Undated } from './select-headlines.ts'

/**
 * How old items without a date are taken to be, so that a feed that forgot its dates does not bring last year's
 * headlines: feeds are in order of time, so an item is as old as the older of its two nearest neighbours that have a
 * date not after `asOf`. Where no item has one, it is as old as the feed itself says it is (`madeAt`), or its server;
 * where nobody says anything, its age is unknown. Items with a date have none of this.
 */
export function placeUndated(
  items: readonly FeedItem[],
  { madeAt, asOf }: { madeAt: EpochMs | null; asOf: EpochMs },
): (Undated | undefined)[] {
  const before = neighbours(items, asOf)
  const after = neighbours(items.toReversed(), asOf).toReversed()
  return items.map(({ publishedAt }, position) => {
    if (publishedAt !== null) return undefined
    const around = [before[position], after[position]].filter((instant) => instant !== undefined && instant !== null)
    return { position, asOldAs: around.length === 0 ? madeAt : Math.min(...around) }
  })
}

/** For each item the date of the nearest one before it that has one. */
function neighbours(items: readonly FeedItem[], asOf: EpochMs): (EpochMs | null)[] {
  let nearest: EpochMs | null = null
  return items.map(({ publishedAt }) => {
    if (publishedAt !== null && publishedAt <= asOf) nearest = publishedAt
    return nearest
  })
}
