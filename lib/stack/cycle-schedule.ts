import { HOUR_MS, MINUTE_MS } from '../core/time.ts'

/** Fields of a cron expression at EventBridge, in UTC; what is left out is every one. */
export type CronFields = { readonly minute: string; readonly hour?: string }

/**
 * When EventBridge has to wake the decision function so that each call falls on a slot. Slots are the multiples of the
 * interval since 1970, so that a cron expression meets them where the interval divides an hour, or is a number of whole
 * hours that divides a day. Null for any other interval: a schedule cannot keep it.
 */
export function cronOf(intervalMs: number): CronFields | null {
  if (intervalMs < MINUTE_MS || intervalMs % MINUTE_MS !== 0) return null
  const minutes = intervalMs / MINUTE_MS
  if (minutes < 60) return 60 % minutes === 0 ? { minute: `0/${minutes}` } : null
  const hours = intervalMs / HOUR_MS
  if (!Number.isInteger(hours) || 24 % hours !== 0) return null
  if (hours === 1) return { minute: '0' }
  return { minute: '0', hour: hours === 24 ? '0' : `0/${hours}` }
}
