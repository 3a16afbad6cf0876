import { z } from 'zod'
import { composeExecution, credentialsOf, openStoreOf } from '../../compose/compose-ports.ts'
import { keyFingerprintOf, readVenueCredentials } from '../../compose/venue-credentials.ts'
import { hashOf } from '../../core/canonical-json.ts'
import { UsageError } from '../../core/invariant.ts'
import { toIso } from '../../core/time.ts'
import { publish } from '../../cycle/publish.ts'
import { evaluatePaperRecord, keepProven } from '../../cycle/evaluate-paper-record.ts'
import { liveGates } from '../../guard/live-barrier.ts'
import type { Store } from '../../store/store.ts'
import { emptyClearance, updateClearance } from '../../store/update-clearance.ts'
import { LiveReport } from '../../../schemas/cli.ts'
import { type LiveClearance, PAPER_COUNTING, type VerifiedCredentials } from '../../../schemas/live-clearance.ts'
import { section, table } from '../format.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

export const LiveOptions = z.object({
  override: z.string().min(1).max(400).optional(),
  by: z.string().min(1).max(80).default('operator'),
})
export type LiveOptions = z.infer<typeof LiveOptions>

/**
 * `hourhand live`: looks at the paper record, stores what it finds and shows every gate before real money. With
 * `override` a person says that fewer paper trades are enough; that is told as an alarming event, then recorded. Trades
 * nothing. Exit 1 while live trading is not earned.
 */
export async function liveCommand(session: Session, { override, by }: LiveOptions): Promise<Answer> {
  requireConfig(session)
  const { world, config, target } = session
  const now = world.clock()
  const found = await lookAtRecord(session, null)
  const clearance = override === undefined ? found : await recordOverride(session, found, { by, reason: override })
  const gates = liveGates({ config, clearance, keyFingerprint: await fingerprintIn(session), now })
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
    ...(override === undefined ? [] : [section('Override', [`recorded by ${by}: ${override}`])]),
  ].join('\n')
  return { document: LiveReport.parse(report), text: `${text}\n`, exitCode: isEarned ? 0 : 1 }
}

/** The clearance is kept with the paper life, whichever mode asks. A dry run has none: looking writes nothing but it. */
const paperStore = ({ world }: Session): Store => openStoreOf({ ...world, dryRun: false }, 'paper')

/** Evaluates the paper record and stores it, with credentials where some have just been verified; where there is nothing, nothing is stored. */
export async function lookAtRecord(session: Session, verified: VerifiedCredentials | null): Promise<LiveClearance> {
  const store = paperStore(session)
  const paper = await evaluatePaperRecord(store, session.config, session.world.clock())
  const isNothing = paper.cycles === 0 && verified === null && (await store.loadClearance(session.config.id)) === null
  if (isNothing) return { ...emptyClearance(session.config.id), paper }
  return updateClearance(store, session.config.id, (before) => ({
    ...before,
    paper: keepProven(before.paperCounting === PAPER_COUNTING ? before.paper : null, paper),
    paperCounting: PAPER_COUNTING,
    credentials: verified ?? before.credentials,
  }))
}

async function recordOverride(
  session: Session,
  { paper }: LiveClearance,
  { by, reason }: { by: string; reason: string },
): Promise<LiveClearance> {
  const { world, config } = session
  if (paper === null || paper.cycles === 0)
    throw new UsageError(
      `--override ${JSON.stringify(reason)}: there is no paper record yet to judge; run the strategy in paper mode on live prices first`,
    )
  const override = { at: toIso(world.clock()), by, reason }
  // Told before it counts: an override that is in force has been heard of.
  const ports = await composeExecution(world)
  await publish(ports, `${config.id}-overridden-${hashOf(override).slice(0, 12)}`, {
    type: 'overridden',
    subject: config.id,
    detail: { by, reason, paperTrades: paper.trades, paperDays: paper.days, required: config.live.minPaperTrades },
  })
  return updateClearance(paperStore(session), config.id, (before) => ({ ...before, override }))
}

/** Of the key that live mode would use here; null when there is none. */
async function fingerprintIn({ world, config, environment }: Session): Promise<string | null> {
  try {
    const { apiKey } = config.mode === 'live' ? credentialsOf(world)() : await readVenueCredentials(environment)
    return keyFingerprintOf(apiKey)
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}
