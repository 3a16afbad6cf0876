import { canonicalJson } from '../core/canonical-json.ts'
import { fromIso, HOUR_MS, toIso } from '../core/time.ts'
import type { Emission } from '../ledger/transition.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { commit } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'

/** Something that lasts is told again after this long, and at once when it changes. */
export const REMIND_MS = 4 * HOUR_MS

/**
 * Tells the owner of something that lasts and that every pass finds again: the first time, when it changes, and every
 * four hours. The state remembers what was told, so that no two passes and no two processes tell it twice. `key` names
 * the thing.
 */
export async function remind(
  ports: ExecutionPorts,
  state: StrategyState,
  key: string,
  emission: Emission,
): Promise<StrategyState> {
  const now = ports.clock()
  const detail = canonicalJson(emission.detail)
  const known = state.reminders.find((reminder) => reminder.key === key)
  if (known !== undefined && known.detail === detail && now - fromIso(known.at) < REMIND_MS) {
    // The alarm goes by the metric, and rings as long as the thing lasts.
    ports.telemetry.metric(emission.type, 1, 'Count')
    return state
  }
  return commit(ports, state, [{ type: 'reminded', at: toIso(now), key, detail, emission }])
}
