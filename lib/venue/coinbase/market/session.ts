import { z } from 'zod'
import type { EpochMs } from '../../../core/time.ts'
import type { TradingState } from '../../../market/exchange-reader.ts'
import { flag, maybeTime, text } from './fields.ts'

/** What a product's answer says about trading in it, on the public endpoint and on the signed one. */
export const coinbaseTradingFields = {
  product_venue: text,
  /** `online` for spot products; always empty for futures. */
  status: text,
  is_disabled: flag,
  trading_disabled: flag,
  cancel_only: flag,
  limit_only: flag,
  post_only: flag,
  auction_mode: flag,
  view_only: flag,
  fcm_trading_session_details: z
    .looseObject({
      is_session_open: flag,
      session_state: text,
      closed_reason: text,
      close_time: maybeTime,
      maintenance: z.looseObject({ start_time: maybeTime, end_time: maybeTime }).nullish(),
    })
    .nullish(),
}

/** The same of a future. */
export const coinbaseContractFields = { contract_expiry: maybeTime, twenty_four_by_seven: flag }

const TradingAnswer = z.looseObject({
  ...coinbaseTradingFields,
  future_product_details: z.looseObject(coinbaseContractFields).nullish(),
})
export type CoinbaseTradingAnswer = z.infer<typeof TradingAnswer>

/**
 * Modes in which the orders that are sent here do not fill: entries and closes go at market, and a stop does too once
 * it is met. In `limit_only`, `post_only` and `auction_mode` they would be refused or wait.
 */
const BLOCKS = [
  'is_disabled',
  'trading_disabled',
  'cancel_only',
  'limit_only',
  'post_only',
  'auction_mode',
  'view_only',
] as const

/**
 * Open only when everything says so. A future cleared by the FCM has sessions, and without one known it is closed;
 * other products have none. The reason for the last close stays set while open.
 */
export function coinbaseTradingState(answer: CoinbaseTradingAnswer, now: EpochMs): TradingState {
  const { fcm_trading_session_details: session, future_product_details: details } = answer
  const { start_time: start = null, end_time: end = null } = session?.maintenance ?? {}
  const isInMaintenance = start !== null && start <= now && (end === null || now < end)
  const blocks: string[] = BLOCKS.filter((name) => answer[name])
  if (!['', 'online'].includes(answer.status.toLowerCase())) blocks.push(`status ${answer.status.toLowerCase()}`)
  if (session === null || session === undefined) {
    if (answer.product_venue === 'FCM') blocks.push('no session known')
  } else {
    if (!session.is_session_open)
      blocks.push(
        `session closed${session.closed_reason === '' ? '' : `: ${lastWord(session.closed_reason, 'CLOSED_REASON_')}`}`,
      )
    if (session.session_state !== 'FCM_TRADING_SESSION_STATE_OPEN')
      blocks.push(`session state ${lastWord(session.session_state, 'STATE_') || 'unknown'}`)
  }
  if (isInMaintenance) blocks.push('maintenance')
  const expiry = details?.contract_expiry ?? null
  if (expiry !== null && expiry <= now) blocks.push('the contract has expired')
  // A product that trades around the clock has a close time too: the daily boundary, which nothing stops at.
  const closes = [start, expiry, details?.twenty_four_by_seven === true ? null : (session?.close_time ?? null)]
  const ahead = closes.filter((close) => close !== null).filter((close) => close > now)
  return { blocks, nextClose: ahead.length === 0 ? null : Math.min(...ahead) }
}

const lastWord = (name: string, after: string): string =>
  name.slice(name.indexOf(after) + (name.includes(after) ? after.length : 1)).toLowerCase()
