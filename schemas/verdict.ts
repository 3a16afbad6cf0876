import { z } from 'zod'

/** Every guard rule, by name; `lib/guard/rules` has one function for each. */
export const GUARD_RULES = [
  'kill_switch',
  'daily_loss',
  'drawdown',
  'fresh_data',
  'session_open',
  'contract_expiry',
  'no_open_position',
  'no_reversal',
  'no_pending_intent',
  'no_open_incident',
  'stop_side',
  'stop_distance',
  'stop_before_liquidation',
  'reward_to_risk',
  'confidence',
  'risk_per_trade',
  'leverage',
  'notional_cap',
  'minimum_size',
  'price_moved',
  'cooldown',
  'entries_per_day',
  'trading_hours',
  'funding_cost',
  'live_mode',
  'live_size',
] as const

export const GuardRuleName = z.enum(GUARD_RULES)
export type GuardRuleName = z.infer<typeof GuardRuleName>

/**
 * What one rule says. `limit` and `actual` are in the rule's own unit, which `reason` names.
 * A rule that does not concern this decision passes and says so.
 */
export const Verdict = z.strictObject({
  rule: GuardRuleName,
  passed: z.boolean(),
  limit: z.union([z.string(), z.number(), z.null()]),
  actual: z.union([z.string(), z.number(), z.null()]),
  reason: z.string(),
})
export type Verdict = z.infer<typeof Verdict>
