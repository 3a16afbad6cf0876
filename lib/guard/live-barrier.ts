import { DAY_MS, type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import type { LiveClearance, PaperRecord } from '../../schemas/live-clearance.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { strategyHashOf } from './strategy-hash.ts'

/** What is asked before real money may be used; in the order in which a person gets there. */
export const LIVE_GATES = ['credentials', 'strategy', 'paper_days', 'paper_trades', 'paper_incidents'] as const
export type LiveGateName = (typeof LIVE_GATES)[number]

/** One gate and where it stands; `remedy` is null where nothing has to be done. */
export type LiveGate = { gate: LiveGateName; passed: boolean; detail: string; remedy: string | null }

export type LiveQuestion = {
  config: StrategyConfig
  /** Null when nothing was ever stored. */
  clearance: LiveClearance | null
  /** Of the key in use; null when there is none. */
  keyFingerprint: string | null
  now: EpochMs
}

/** Verified credentials count for this long: permissions and portfolios change. */
export const CREDENTIALS_LIFE_MS = 30 * DAY_MS
/** Clocks of two machines may differ by this much. */
const CLOCK_TOLERANCE_MS = 2 * MINUTE_MS

const passed = (gate: LiveGateName, detail: string): LiveGate => ({ gate, passed: true, detail, remedy: null })
const barred = (gate: LiveGateName, detail: string, remedy: string): LiveGate => ({
  gate,
  passed: false,
  detail,
  remedy,
})

/** Every gate before live entries, whether open or not. Pure. */
export function liveGates({ config, clearance, keyFingerprint, now }: LiveQuestion): LiveGate[] {
  const { live } = config
  const credentials = credentialsGate(clearance?.credentials ?? null, {
    symbol: config.market.symbol,
    keyFingerprint,
    now,
  })
  const paper = clearance?.paper ?? null
  if (paper === null) {
    const missing = (gate: LiveGateName) => barred(gate, 'no paper record has been looked at', 'run hourhand live')
    return [credentials, ...LIVE_GATES.slice(1).map(missing)]
  }
  // What another strategy did says nothing of this one.
  const isSame = paper.configHash === strategyHashOf(config)
  const days = isSame ? paper.days : 0
  const trades = isSame ? paper.trades : 0
  return [
    credentials,
    isSame
      ? passed('strategy', 'the paper record is of these settings')
      : barred(
          'strategy',
          'decider, guard, sizing, exits, symbol or interval have changed since the paper record',
          'run hourhand live to look at the record again; a changed strategy starts a new one on paper',
        ),
    days >= live.minPaperDays
      ? passed('paper_days', `${days} of ${live.minPaperDays} days with cycles on live prices`)
      : barred(
          'paper_days',
          `${days} of ${live.minPaperDays} days with cycles on live prices`,
          daysRemedy(config, days),
        ),
    tradesGate(trades, live.minPaperTrades, isSame ? (clearance?.override ?? null) : null, paper),
    paper.unresolvedIncidents === 0
      ? passed('paper_incidents', 'no unresolved incident on paper')
      : barred(
          'paper_incidents',
          `${paper.unresolvedIncidents} unresolved ${paper.unresolvedIncidents === 1 ? 'incident' : 'incidents'} on paper`,
          'look at hourhand status in paper mode, then hourhand resume, then hourhand live',
        ),
  ]
}

/** Every reason why live trading is not earned, each with its remedy; empty when it is. */
export const liveBarriers = (question: LiveQuestion): string[] =>
  liveGates(question).flatMap(({ passed: isOpen, detail, remedy }) =>
    isOpen ? [] : [`${detail}${remedy === null ? '' : `: ${remedy}`}`],
  )

function credentialsGate(
  verified: LiveClearance['credentials'],
  { symbol, keyFingerprint, now }: { symbol: string; keyFingerprint: string | null; now: EpochMs },
): LiveGate {
  const remedy = 'run hourhand doctor in live mode'
  if (verified === null) return barred('credentials', 'no credentials have been verified', remedy)
  if (keyFingerprint === null)
    return barred(
      'credentials',
      `key ${verified.keyFingerprint} was verified, and no key is set here`,
      'set COINBASE_API_KEY and COINBASE_API_SECRET',
    )
  if (verified.keyFingerprint !== keyFingerprint)
    return barred(
      'credentials',
      `key ${verified.keyFingerprint} was verified, the key in use is ${keyFingerprint}`,
      remedy,
    )
  if (verified.symbol !== symbol)
    return barred('credentials', `the credentials were verified for ${verified.symbol}, not for ${symbol}`, remedy)
  const ageMs = now - fromIso(verified.verifiedAt)
  if (ageMs > CREDENTIALS_LIFE_MS)
    return barred(
      'credentials',
      `the credentials were verified ${Math.floor(ageMs / DAY_MS)} days ago, more than ${CREDENTIALS_LIFE_MS / DAY_MS}`,
      remedy,
    )
  if (ageMs < -CLOCK_TOLERANCE_MS)
    return barred(
      'credentials',
      `the credentials were verified at ${verified.verifiedAt}, which lies ahead of this clock`,
      `correct the clock, then ${remedy}`,
    )
  return passed(
    'credentials',
    `key ${keyFingerprint}, portfolio ${verified.portfolioUuid}, verified at ${verified.verifiedAt} for ${symbol}`,
  )
}

function daysRemedy({ live, retentionDays }: StrategyConfig, days: number): string {
  const missing = live.minPaperDays - days
  const more = `${missing} more ${missing === 1 ? 'day' : 'days'} in paper mode with market.source = live, then hourhand live`
  return retentionDays < live.minPaperDays
    ? `retentionDays = ${retentionDays} forgets cycles before they count: set it to ${live.minPaperDays} or more; ${more}`
    : more
}

/** The count of trades is the one thing that a person may waive, for the record that was there when it was waived. */
function tradesGate(trades: number, limit: number, override: LiveClearance['override'], paper: PaperRecord): LiveGate {
  const count = `${trades} of ${limit} closed paper trades`
  if (trades >= limit) return passed('paper_trades', count)
  const remedy = `${limit - trades} more ${limit - trades === 1 ? 'trade' : 'trades'}, or hourhand live --override REASON`
  if (override === null) return barred('paper_trades', count, remedy)
  const said = `overridden by ${override.by} at ${override.at}: ${override.reason}`
  const isOfThisRecord = paper.firstSlot !== null && fromIso(override.at) >= fromIso(paper.firstSlot)
  return isOfThisRecord
    ? passed('paper_trades', `${count}, ${said}`)
    : barred('paper_trades', `${count}; ${said}, before this record began`, remedy)
}
