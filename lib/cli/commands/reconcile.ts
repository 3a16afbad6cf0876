import { composeExecution } from '../../compose/compose-ports.ts'
import { toIso } from '../../core/time.ts'
import { loadStoredState, requireForwardClock, retryOnConflict, settleOutbox } from '../../execution/commit.ts'
import { syncWithVenue } from '../../execution/sync-with-venue.ts'
import { gatherVenueFacts } from '../../execution/gather-venue-facts.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { reportPosition } from '../../ledger/position.ts'
import { ReconcileReport } from '../../../schemas/cli.ts'
import { compareVenue, comparisonRows, differencesIn } from '../compare-venue.ts'
import { section, table } from '../format.ts'
import { NothingFound } from '../choose-stored.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'

/**
 * `hourhand reconcile`: takes in what the venue says and puts right what is wrong there, now instead of at the next
 * pass. Exit 1 when ledger and venue still differ afterwards: a difference is believed once it has stayed half a
 * minute. With `--dry-run` nothing is sent or written, and the notes say what would be.
 */
export async function reconcileCommand(session: Session): Promise<Answer> {
  requireConfig(session)
  const { world, config, target } = session
  const ports = await composeExecution(world)
  await requireForwardClock(ports)
  const { before, synced } = await retryOnConflict(ports, async () => {
    const loaded = await loadStoredState(ports)
    if (loaded === null)
      throw new NothingFound(
        `${config.mode} ${config.id} has no state yet: there is nothing to reconcile, and nothing was made`,
      )
    const found = compareVenue(loaded, await gatherVenueFacts(ports, loaded))
    return { before: found, synced: await syncWithVenue(ports, loaded, { act: !world.dryRun }) }
  })
  const state = world.dryRun ? synced.state : await settleOutbox(ports, synced.state, { own: true })
  const after = compareVenue(state, synced.facts)
  const report: ReconcileReport = {
    target,
    strategyId: config.id,
    mode: config.mode,
    at: toIso(world.clock()),
    phase: state.phase.kind,
    halt: state.halt,
    position: reportPosition(positionOf(state.phase)),
    notes: synced.notes,
    differencesBefore: differencesIn(before),
    differencesAfter: differencesIn(after),
    incidents: state.incidents,
    suspicions: state.suspicions,
  }
  const differences = (title: string, rows: ReconcileReport['differencesBefore']): string =>
    section(title, rows.length === 0 ? ['none'] : table(comparisonRows(ports.broker.name, rows)))
  const text = [
    headline(target, `reconciled at ${report.at}${world.dryRun ? ' (dry run)' : ''}`),
    '',
    differences('Before', report.differencesBefore),
    section('Done', report.notes.length === 0 ? ['nothing to do'] : report.notes.map((note) => `- ${note}`)),
    differences('After', report.differencesAfter),
    ...(state.incidents.length === 0
      ? []
      : [
          section(
            'Incidents',
            state.incidents.map((incident) => `${incident.at} ${incident.kind}: ${incident.detail}`),
          ),
        ]),
    ...(state.suspicions.length === 0
      ? []
      : [
          section('Watched', [
            ...state.suspicions.map(({ at, kind, detail }) => `${kind} since ${at}: ${detail}`),
            'run it again in half a minute: a difference that stays is acted on',
          ]),
        ]),
  ].join('\n')
  return {
    document: ReconcileReport.parse(report),
    text: `${text}\n`,
    exitCode: report.differencesAfter.length === 0 ? 0 : 1,
  }
}
