import type { EpochMs } from '../core/time.ts'

/** One entry as the feed has it: raw title, link where it gives one, time where it gives a readable one. */
export type FeedItem = { readonly title: string; readonly link: string | null; readonly publishedAt: EpochMs | null }

export type ParsedFeed = {
  /** In the feed's order. */
  items: readonly FeedItem[]
  /** When the feed says that it was last made; null where it does not. */
  madeAt: EpochMs | null
  /** The first date that could not be read; null where there was none such. */
  unreadableDate: string | null
  /** What an owner should know of it, each in a few words. */
  remarks: readonly string[]
}

/** The address if the web has it, null otherwise. */
export const webAddress = (text: string): string | null => (/^https?:\/\//i.test(text.trim()) ? text.trim() : null)
