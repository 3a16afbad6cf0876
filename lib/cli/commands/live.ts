import { z } from 'zod'
import { composeExecution, credentialsOf, openStoreOf } from '../../compose/compose-ports.ts'
import { credentialsRemedyOf } from '../../compose/open-venue.ts'
import { readVenueCredentials } from '../../compose/venue-credentials.ts'
import { hashOf } from '../../core/canonical-json.ts'
import { UsageError } from '../../core/invariant.ts'
import { toIso } from '../../core/time.ts'
import { publish } from '../../execution/publish.ts'
import { evaluatePaperRecord, keepProven } from '../../cycle/evaluate-paper-record.ts'
import { figuresOfPaper, figuresOfReplay } from '../../evidence/record-figures.ts'
import { readStored } from '../../evidence/report-data.ts'
import { liveGates } from '../../guard/live-barrier.ts'
import type { Store } from '../../store/store.ts'
import { emptyClearance, updateClearance } from '../../store/update-clearance.ts'
import { findLiveVenue } from '../../venue/registry.ts'
import { LiveReport } from '../../../schemas/cli.ts'
import {
  type ClearanceWaiver,
  type LiveClearance,
  PAPER_COUNTING,
  type RecordFigures,
  type VerifiedCredentials,
  WAIVABLE_GATES,
  WaivableGate,
} from '../../../schemas/live-clearance.ts'
import { section, table } from '../format.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

export const LiveOptions = z.object({
  override: z.string().min(1).max(400).optional(),
  gate: WaivableGate.optional(),
  replay: z.string().min(1).optional(),
  by: z.string().min(1).max(80).default('operator'),
})
export type LiveOptions = z.infer<typeof LiveOptions>

/**
 * `hourhand live`: looks at the paper record, stores what it finds and shows every gate before real money. `replay` takes
 * the figures of a stored replay of the same settings beside those of the paper record. With `override` a person waives
 * one gate by its name; an alarming event says so, then it is recorded. Trades nothing. Exit 1 while live trading is
 * not earned.
 */
export async function liveCommand(session: Session, { override, gate, replay, by }: LiveOptions): Promise<Answer> {
  requireConfig(session)
  const { world, config, target } = session
  const now = world.clock()
  if ((override === undefined) !== (gate === undefined))
    throw new UsageError(
      `options: --override and --gate belong together: hourhand live --override REASON --by NAME --gate ${WAIVABLE_GATES.join('|')}`,
    )
  const replayed = replay === undefined ? null : figuresOfReplay(replay, readStored(replay), config, now)
  const found = await lookAtRecord(session, { replayed })
  const clearance =
    override === undefined || gate === undefined
      ? found
      : await recordOverride(session, found, { gate, by, reason: override })
  const gates = liveGates({
    config,
    clearance,
    keyFingerprint: await fingerprintIn(session),
    credentialsRemedy: credentialsRemedyOf(config),
    now,
  })
  const isEarned = gates.every(({ passed }) => passed)
  const report: LiveReport = {
    target,
    strategyId: config.id,
    mode: config.mode,
    at: toIso(now),
    isEarned,
    gates,
    clearance,
  }
  const rows = gates.map(({ gate, passed, detail }) => [passed ? 'ok' : 'NO', gate, detail])
  const remedies = gates.flatMap(({ gate, remedy }) => (remedy === null ? [] : [`${gate}: ${remedy}`]))
  const next =
    config.mode === 'live' ? 'live entries are allowed; the guard judges each' : 'set mode to "live" to use it'
  const text = [
    headline(target, `gates before real money at ${report.at}`),
    '',
    section('Gates', table(rows)),
    section('Live', [isEarned ? `earned: ${next}` : 'not earned']),
    ...(remedies.length === 0 ? [] : [section('To do', remedies)]),
    ...(override === undefined ? [] : [section('Override', [`${gate}, recorded by ${by}: ${override}`])]),
  ].join('\n')
  return { document: LiveReport.parse(report), text: `${text}\n`, exitCode: isEarned ? 0 : 1 }
}

/**
 * The clearance is kept with the paper life, whichever mode asks. A dry run has none: looking writes nothing but it.
 */
const paperStore = ({ world }: Session): Store => openStoreOf({ ...world, dryRun: false }, 'paper')

/**
 * Evaluates the paper record and stores it, with what else has just been found; where there is nothing, nothing is
 * stored.
 */
export async function lookAtRecord(
  session: Session,
  { verified = null, replayed = null }: { verified?: VerifiedCredentials | null; replayed?: RecordFigures | null } = {},
): Promise<LiveClearance> {
  const { config, world } = session
  const store = paperStore(session)
  const now = world.clock()
  const [paper, shown] = await Promise.all([
    evaluatePaperRecord(store, config, now),
    figuresOfPaper(store, config, now),
  ])
  const found = [shown, replayed].filter((figures) => figures !== null)
  const isNothing =
    paper.cycles === 0 && verified === null && replayed === null && (await store.loadClearance(config.id)) === null
  if (isNothing) return { ...emptyClearance(config.id), paper }
  return updateClearance(store, config.id, (before) => ({
    ...before,
    paper: keepProven(before.paperCounting === PAPER_COUNTING ? before.paper : null, paper),
    paperCounting: PAPER_COUNTING,
    figures: [...before.figures.filter(({ source }) => !found.some((one) => one.source === source)), ...found],
    credentials: verified ?? before.credentials,
  }))
}

async function recordOverride(
  session: Session,
  { paper }: LiveClearance,
  { gate, by, reason }: Pick<ClearanceWaiver, 'gate' | 'by' | 'reason'>,
): Promise<LiveClearance> {
  const { world, config } = session
  if (paper === null || paper.cycles === 0)
    throw new UsageError(
      `--override ${JSON.stringify(reason)}: there is no paper record yet to judge; run the strategy in paper mode on live prices first`,
    )
  const waiver: ClearanceWaiver = { gate, at: toIso(world.clock()), by, reason }
  // Told before it counts: an override that is in force has been heard of.
  const ports = await composeExecution(world)
  await publish(ports, `${config.id}-overridden-${hashOf(waiver).slice(0, 12)}`, {
    type: 'overridden',
    subject: config.id,
    detail: {
      gate,
      by,
      reason,
      paperTrades: paper.trades,
      paperDays: paper.days,
      required: config.live.minPaperTrades,
    },
  })
  return updateClearance(paperStore(session), config.id, (before) => ({
    ...before,
    waivers: [...before.waivers.filter((one) => one.gate !== gate), waiver],
  }))
}

/** Of the key that live mode would use here; null when there is none. */
async function fingerprintIn({ world, config, environment }: Session): Promise<string | null> {
  try {
    const venue = findLiveVenue(config.market.exchange)
    if (venue === null) return null
    const given = config.mode === 'live' ? credentialsOf(world)() : await readVenueCredentials(venue, environment)
    return venue.credentials.fingerprint(given)
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}
