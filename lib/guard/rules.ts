import type { Rule } from './rule.ts'
import {
  cooldown,
  entriesPerDay,
  freshData,
  fundingCost,
  liveMode,
  noOpenIncident,
  noOpenPosition,
  noPendingIntent,
  noReversal,
  priceMoved,
  sessionOpen,
  tradingHours,
} from './rules/conditions.ts'
import { contractExpiry } from './rules/contract.ts'
import {
  confidence,
  leverage,
  liveSize,
  minimumSize,
  notionalCap,
  rewardToRisk,
  riskPerTrade,
  stopBeforeLiquidation,
  stopDistance,
  stopSide,
} from './rules/entry.ts'
import { dailyLossRule, drawdownRule, killSwitch } from './rules/standing.ts'

/** Every guard rule, in the order they are shown. All are evaluated, always; the order decides nothing. */
export const RULES: readonly Rule[] = [
  killSwitch,
  dailyLossRule,
  drawdownRule,
  freshData,
  sessionOpen,
  contractExpiry,
  noOpenPosition,
  noReversal,
  noPendingIntent,
  noOpenIncident,
  stopSide,
  stopDistance,
  stopBeforeLiquidation,
  rewardToRisk,
  confidence,
  riskPerTrade,
  leverage,
  notionalCap,
  minimumSize,
  priceMoved,
  cooldown,
  entriesPerDay,
  tradingHours,
  fundingCost,
  liveMode,
  liveSize,
]
