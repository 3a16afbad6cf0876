import { composeCycle } from '../../compose/compose-ports.ts'
import { apiKeyIn } from '../../compose/parse-environment.ts'
import { UsageError } from '../../core/invariant.ts'
import { VERSION } from '../../core/version.ts'
import { reportPosition } from '../../ledger/position.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { runCycle } from '../../cycle/run-cycle.ts'
import { cycleKey, partitionOf } from '../../store/store.ts'
import { UnreadableItem } from '../../store/unreadable-item.ts'
import { CycleReport, type RecordLocation } from '../../../schemas/cli.ts'
import type { CycleRecord } from '../../../schemas/cycle-record.ts'

import { renderCycle } from '../render-cycle.ts'
import { requireConfig, type Session } from '../session.ts'
import { writeDown } from '../write-down.ts'
import type { Answer } from './answer.ts'

/** `hourhand cycle`: one decision cycle, now or at `--at`. Fails (exit 1) when the outcome is `failed`. */
export async function cycleCommand(session: Session): Promise<Answer> {
  requireConfig(session)
  const { world, config, environment } = session
  if (world.readsFeeds === true && !world.dryRun && config.market.source !== 'live')
    throw new UsageError(
      `--feeds with market.source ${config.market.source}: headlines of today say nothing about that market; add --dry-run, which trades and stores nothing`,
    )
  const { kind } = config.decider
  const apiKey = kind === 'openai' || kind === 'anthropic' ? apiKeyIn(environment, kind) : undefined
  const ports = await composeCycle(world, { codeVersion: VERSION, apiKey })
  // What only a person can put right is said before a slot is taken.
  await ports.broker.account()
  await writeDown(session, ports)
  const ran = await runCycle(ports, { scheduledFor: world.clock(), dryRun: world.dryRun })
  // A slot that was done before tells its own story; what is held may have moved on since.
  const state = await ports.store.loadState(config.id).catch((error: unknown) => {
    // The cycle has failed for that, and says so.
    if (error instanceof UnreadableItem) return null
    throw error
  })
  const record: CycleRecord = world.dryRun || state === null ? ran : { ...ran, phaseAfter: state.phase }
  const location = locate(session, record)
  return {
    document: CycleReport.parse(reportCycle(record, location)),
    text: renderCycle(record, location),
    exitCode: record.outcome === 'failed' ? 1 : 0,
  }
}

/** Where the record lies; null when none was written. */
export function locate(
  { world, storeName, table }: Session,
  { strategyId, slot, mode }: Pick<CycleRecord, 'strategyId' | 'slot' | 'mode'>,
): RecordLocation {
  return world.dryRun ? null : { store: storeName, table, pk: partitionOf(mode, strategyId), sk: cycleKey(slot) }
}

/** The stable JSON form of a cycle. */
export function reportCycle(record: CycleRecord, location: RecordLocation): CycleReport {
  const failure = record.decision?.failure ?? null
  return {
    cycleId: record.cycleId,
    slot: record.slot,
    mode: record.mode,
    decider: record.decision?.decider ?? record.config.decider.kind,
    outcome: record.outcome ?? 'failed',
    reason: record.reason ?? '',
    decision: failure === null ? (record.decision?.decision ?? null) : null,
    failure,
    verdicts: record.verdicts,
    order: record.order,
    position: reportPosition(record.phaseAfter === null ? null : positionOf(record.phaseAfter)),
    record: location,
  }
}
