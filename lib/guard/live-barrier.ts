import { DAY_MS, type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import type {
  ClearanceWaiver,
  LiveClearance,
  PaperRecord,
  RecordFigures,
  WaivableGate,
} from '../../schemas/live-clearance.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { strategyHashOf } from './strategy-hash.ts'

/** What is asked before real money may be used; in the order in which a person gets there. */
export const LIVE_GATES = [
  'credentials',
  'strategy',
  'paper_days',
  'paper_trades',
  'paper_incidents',
  'record_sharpe',
  'record_drawdown',
  'record_trades',
] as const
export type LiveGateName = (typeof LIVE_GATES)[number]

/** One gate and where it stands; `remedy` is null where nothing has to be done. */
export type LiveGate = { gate: LiveGateName; passed: boolean; detail: string; remedy: string | null }

export type LiveQuestion = {
  config: StrategyConfig
  /** Null when nothing was ever stored. */
  clearance: LiveClearance | null
  /** Of the key in use; null when there is none. */
  keyFingerprint: string | null
  /** How a person gives the venue's credentials. */
  credentialsRemedy: string
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
export function liveGates({ config, clearance, keyFingerprint, credentialsRemedy, now }: LiveQuestion): LiveGate[] {
  const { live } = config
  const credentials = credentialsGate(clearance?.credentials ?? null, {
    symbol: config.market.symbol,
    keyFingerprint,
    credentialsRemedy,
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
  const waivers = isSame ? waiversOf(clearance?.waivers ?? [], paper) : new Map<WaivableGate, Waiver>()
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
    tradesGate(trades, live.minPaperTrades, waivers.get('paper_trades') ?? null),
    paper.unresolvedIncidents === 0
      ? passed('paper_incidents', 'no unresolved incident on paper')
      : barred(
          'paper_incidents',
          `${paper.unresolvedIncidents} unresolved ${paper.unresolvedIncidents === 1 ? 'incident' : 'incidents'} on paper`,
          'look at hourhand status in paper mode, then hourhand resume, then hourhand live',
        ),
    ...recordGates(config, clearance?.figures ?? [], waivers),
  ]
}

/** Every reason why live trading is not earned, each once and with its remedy; empty when it is. */
export const liveBarriers = (question: LiveQuestion): string[] => [
  ...new Set(
    liveGates(question).flatMap(({ passed: isOpen, detail, remedy }) =>
      isOpen ? [] : [`${detail}${remedy === null ? '' : `: ${remedy}`}`],
    ),
  ),
]

function credentialsGate(
  verified: LiveClearance['credentials'],
  {
    symbol,
    keyFingerprint,
    credentialsRemedy,
    now,
  }: Pick<LiveQuestion, 'keyFingerprint' | 'credentialsRemedy' | 'now'> & { symbol: string },
): LiveGate {
  const remedy = 'run hourhand doctor in live mode'
  if (verified === null) return barred('credentials', 'no credentials have been verified', remedy)
  if (keyFingerprint === null)
    return barred(
      'credentials',
      `key ${verified.keyFingerprint} was verified, and no key is set here`,
      credentialsRemedy,
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

type Waiver = ClearanceWaiver & { isOfThisRecord: boolean }

/** What has been waived, with whether that was said of the paper record that is there now. The last word counts. */
const waiversOf = (waivers: readonly ClearanceWaiver[], { firstSlot }: PaperRecord): Map<WaivableGate, Waiver> =>
  new Map(
    waivers.map((waiver) => [
      waiver.gate,
      { ...waiver, isOfThisRecord: firstSlot !== null && fromIso(waiver.at) >= fromIso(firstSlot) },
    ]),
  )

const wayToWaive = (gate: WaivableGate): string => `hourhand live --override REASON --gate ${gate}`

/** A gate that is shut, or open because a person said so of this very record. */
function waivable(gate: WaivableGate, found: string, remedy: string, waiver: Waiver | null): LiveGate {
  if (waiver === null) return barred(gate, found, remedy)
  const said = `overridden by ${waiver.by} at ${waiver.at}: ${waiver.reason}`
  return waiver.isOfThisRecord
    ? passed(gate, `${found}, ${said}`)
    : barred(gate, `${found}; ${said}, before this record began`, remedy)
}

/** The number of closed paper trades. */
function tradesGate(trades: number, limit: number, waiver: Waiver | null): LiveGate {
  const count = `${trades} of ${limit} closed paper trades`
  if (trades >= limit) return passed('paper_trades', count)
  const remedy = `${limit - trades} more ${limit - trades === 1 ? 'trade' : 'trades'}, or ${wayToWaive('paper_trades')}`
  return waivable('paper_trades', count, remedy, waiver)
}

/** What a record of the same settings has to show; `gates` of the configuration only tightens it. */
export function recordLimitsOf({ gates }: Pick<StrategyConfig, 'gates'>): RecordLimits {
  return {
    minSharpe: Math.max(RECORD_FLOORS.minSharpe, gates.minSharpe),
    maxDrawdown: Math.min(RECORD_FLOORS.maxDrawdown, gates.maxDrawdown),
    minTrades: Math.max(RECORD_FLOORS.minTrades, gates.minTrades),
  }
}

export type RecordLimits = { minSharpe: number; maxDrawdown: number; minTrades: number }

/** Each is strict: a Sharpe ratio above, a drawdown below, more trades than. */
export const RECORD_FLOORS: RecordLimits = { minSharpe: 1, maxDrawdown: 0.2, minTrades: 50 }

/** The gates of a result that a record has to pass, by the names they have here. */
const RECORD_GATES = { sharpe: 'record_sharpe', max_drawdown: 'record_drawdown', trades: 'record_trades' } as const
type RecordGateName = keyof typeof RECORD_GATES

/**
 * Whether one record of the same settings passes its gates: the paper record or a replay, whichever passes more of
 * them. They are not mixed. Too little evidence is no pass, nor is a verdict by looser limits than those of now.
 */
function recordGates(
  config: StrategyConfig,
  figures: readonly RecordFigures[],
  waivers: ReadonlyMap<WaivableGate, Waiver>,
): LiveGate[] {
  const configHash = strategyHashOf(config)
  const limits = recordLimitsOf(config)
  const judged = figures
    .filter((record) => record.configHash === configHash)
    .map((record) =>
      (Object.keys(RECORD_GATES) as RecordGateName[]).map((name) => judgeRecord(record, name, limits, waivers)),
    )
  const count = (gates: readonly LiveGate[]): number => gates.filter((gate) => gate.passed).length
  const best = judged.toSorted((a, b) => count(b) - count(a))[0]
  if (best !== undefined) return best
  const remedy = 'run hourhand live, or hourhand live --replay DIR with a replay of these settings'
  return Object.values(RECORD_GATES).map((gate) =>
    waivable(
      gate,
      'no figures of a record with these settings',
      `${remedy}, or ${wayToWaive(gate)}`,
      waivers.get(gate) ?? null,
    ),
  )
}

function judgeRecord(
  { source, name: record, gates }: RecordFigures,
  name: RecordGateName,
  limits: RecordLimits,
  waivers: ReadonlyMap<WaivableGate, Waiver>,
): LiveGate {
  const gate = RECORD_GATES[name]
  const found = gates.find((candidate) => candidate.gate === name)
  const isStrict = found !== undefined && isAsStrict(name, found.limit, limits)
  const of = `${source} record ${record}`
  if (found?.result === 'pass' && isStrict) return passed(gate, `${found.reason} (${of})`)
  const detail = found === undefined ? `${of} says nothing of it` : `${found.reason} (${of})`
  const remedy = isStrict ? 'more of a record that passes it' : 'the limit was tightened since: run hourhand live again'
  return waivable(gate, detail, `${remedy}, or ${wayToWaive(gate)}`, waivers.get(gate) ?? null)
}

/** Whether a verdict by `limit` answers what is asked now. */
function isAsStrict(name: RecordGateName, limit: number, { minSharpe, maxDrawdown, minTrades }: RecordLimits): boolean {
  switch (name) {
    case 'sharpe':
      return limit >= minSharpe
    case 'max_drawdown':
      return limit <= maxDrawdown
    case 'trades':
      return limit >= minTrades
    default:
      return name satisfies never
  }
}
