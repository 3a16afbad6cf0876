import type { EpochMs } from '../core/time.ts'

/**
 * The instant a feed means, or null. RFC 822 and ISO 8601 and what is close to them; a time without a zone is
 * taken as UTC, never as this machine's.
 */
export function parseFeedDate(raw: string): EpochMs | null {
  const text = raw.trim()
  if (text === '' || text.length > 64) return null
  const instant = Date.parse(withZone(text))
  const isPlausible = instant >= Date.UTC(1990, 0) && instant < Date.UTC(2100, 0)
  return isPlausible ? instant : null
}

function withZone(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text
  const hasZone = /(?:[+-]\d{2}:?\d{2}|[a-z]{1,5})\s*(?:\([^)]*\))?$/i.test(text) && !/[ap]m$/i.test(text)
  if (hasZone) return text
  return /^\d{4}-\d{2}-\d{2}T/.test(text) ? `${text}Z` : `${text} UTC`
}
