import { dec, toNumber } from '../core/decimal.ts'
import { type EpochMs, fromIso, HOUR_MS, timeframeMs, toIso } from '../core/time.ts'
import { breachOf } from '../guard/limits.ts'
import { expiryExitDue } from '../instrument/expiry.ts'
import { positionOf, revalue, rollDay } from '../ledger/accounting.ts'
import type { LedgerEvent } from '../ledger/events.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Position, StrategyState } from '../../schemas/state.ts'
import type { ExitReason } from '../../schemas/trade.ts'
import { closePosition } from './close-position.ts'
import { commit, loadOrCreateState, requireForwardClock, retryOnConflict, settleOutbox } from './commit.ts'
import { portsFor } from './held-instrument.ts'
import { findHardExit } from './find-exit.ts'
import type { ExecutionPorts } from './ports.ts'
import { publish } from './publish.ts'
import { remind } from './remind.ts'
import type { Sync } from './ports.ts'
import { syncWithVenue } from './sync-with-venue.ts'

/**
 * What a pass did. `exit` is why the position was closed, by the venue's own exits or by the pass, or should have been.
 */
export type EnforcementResult = {
  at: string
  /** `unclosed`: it had to close and could not; the position is protected again and the next pass tries again. */
  outcome: 'idle' | 'watched' | 'closed' | 'unclosed'
  phase: StrategyState['phase']['kind']
  exit: ExitReason | null
  /** Bars looked at for touches. */
  barsSeen: number
  notes: string[]
  state: StrategyState
}

/**
 * The look-out mark is stored this often: a pass then never has more bars to read than that and its own delay, well
 * within one request.
 */
const WATCH_MARK_MS = 4 * HOUR_MS

/**
 * One enforcement pass: reconcile with the venue, then, if a position is open, see whether its stop was
 * touched on the bars since the last pass without the venue closing it, whether the price is beyond a target that the
 * venue does not fill, whether it has been held too long, whether its contract is about to end, or whether it has come
 * near liquidation, and close it if so. Account limits are checked on the marked equity and halt the strategy. A halted
 * strategy is enforced like any other. Doing it twice changes nothing.
 *
 * With `dryRun` nothing is sent or closed and the notes say what would have been.
 * Rejects when venue, market or store cannot be reached: the alarm is the caller's.
 */
export async function runEnforcement(
  ports: ExecutionPorts,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<EnforcementResult> {
  await requireForwardClock(ports)
  const { result, loaded } = await retryOnConflict(ports, () => pass(ports, dryRun))
  if (dryRun) return result
  return { ...result, state: await settleOutbox(ports, result.state, { own: result.state.version !== loaded.version }) }
}

async function pass(
  ports: ExecutionPorts,
  dryRun: boolean,
): Promise<{ result: EnforcementResult; loaded: StrategyState }> {
  const loaded = await loadOrCreateState(ports)
  return { loaded, result: await watch(ports, loaded, dryRun) }
}

async function watch(given: ExecutionPorts, before: StrategyState, dryRun: boolean): Promise<EnforcementResult> {
  const ports = portsFor(given, before)
  const { clock, config } = ports
  const now = clock()
  const at = toIso(now)
  const { sync = syncWithVenue } = ports
  const synced = await sync(ports, before, { act: !dryRun })
  const unguarded = dryRun ? null : unguardedPositionIn(synced)
  const state =
    unguarded === null
      ? synced.state
      : await remind(ports, synced.state, 'unguarded_position', {
          type: 'naked',
          subject: config.id,
          detail: { reason: unguarded },
        })
  const notes = unguarded === null ? synced.notes : [...synced.notes, unguarded]
  const ended =
    before.phase.kind === 'open' || before.phase.kind === 'closing'
      ? tradeEnded(before.phase.position.tradeId, state)
      : null
  if (state.phase.kind !== 'open')
    return {
      at,
      outcome: ended === null ? 'idle' : 'closed',
      phase: state.phase.kind,
      exit: ended,
      barsSeen: 0,
      notes,
      state,
    }

  const { position } = state.phase
  const [bars, quote] = await Promise.all([
    barsToWatch(ports, state, position, now),
    ports.market.quote(config.market.symbol, now),
  ])
  const marked = await markAndLimit(ports, state, quote.mark, at, bars)
  // On cross margin it moves with everything else in the account: the venue's word of now counts.
  const liquidationPrice = synced.facts.position?.liquidationPrice ?? position.liquidationPrice
  const exit = findHardExit({
    position: { ...position, liquidationPrice },
    bars,
    barMs: timeframeMs(ports.market.baseTimeframe),
    mark: toNumber(quote.mark),
    now,
    exits: config.exits,
    expiryDue: expiryExitDue(state.instrument),
  })
  const result = { at, phase: marked.phase.kind, exit, barsSeen: bars.length }
  if (exit === null) return { ...result, outcome: 'watched', notes, state: marked }
  if (dryRun)
    return {
      ...result,
      outcome: 'watched',
      notes: [...notes, `would close the position at market: ${exit}`],
      state: marked,
    }
  const { session } = synced.facts
  if (!session.isOpen) {
    const note = describePending(exit, session.reason)
    ports.telemetry.log('warn', 'a close is pending', { tradeId: position.tradeId, exit, why: session.reason })
    const told = await remind(ports, marked, `pending_close ${position.tradeId}`, {
      type: 'failed',
      subject: position.tradeId,
      detail: { reason: note },
    })
    return { ...result, outcome: 'unclosed', notes: [...notes, note], state: told }
  }
  const closed = await closePosition(ports, marked, exit)
  const after = await sync(ports, closed, { act: true })
  const isClosed = positionOf(after.state.phase)?.tradeId !== position.tradeId
  if (!isClosed)
    await publish(ports, `${position.tradeId}-unclosed-${at}`, {
      type: 'failed',
      subject: position.tradeId,
      detail: { reason: `the position should be closed (${exit}) and is still ${after.state.phase.kind}` },
    })
  const note = isClosed ? `closed at market: ${exit}` : `NOT closed, though it should be: ${exit}`
  return {
    ...result,
    outcome: isClosed ? 'closed' : 'unclosed',
    phase: after.state.phase.kind,
    notes: [...notes, note, ...after.notes],
    state: after.state,
  }
}

const describePending = (exit: ExitReason, why: string): string =>
  `${exit} is due, but nothing trades at the venue now (${why}): the close stays pending until it trades again; stop and target stay in place`

/**
 * The venue holds a position beyond the ledger's, and that is more than a suspicion: nobody guards it. Null where it
 * does not.
 */
function unguardedPositionIn({ state, facts: { position, isSettled } }: Sync): string | null {
  const isKnown =
    state.incidents.some(({ kind }) => kind === 'foreign_position') &&
    (state.phase.kind === 'flat' || state.phase.kind === 'open')
  if (!isKnown || !isSettled || position === null) return null
  const held = positionOf(state.phase)
  if (held !== null && held.side === position.side && dec(held.quantity).gte(position.quantity)) return null
  return `the venue holds a ${position.side} of ${position.quantity} that is not ours to close: nobody guards it`
}

/** Why the trade ended, if it did. */
const tradeEnded = (tradeId: string, { memory }: StrategyState): ExitReason | null =>
  (memory.trades.find((trade) => trade.id === tradeId)?.exitReason as ExitReason | undefined) ?? null

/** Closed base bars since the last look-out mark, from the first that opens at or after the entry. */
async function barsToWatch(
  { market, config }: ExecutionPorts,
  state: StrategyState,
  position: Position,
  now: EpochMs,
): Promise<readonly Candle[]> {
  const barMs = timeframeMs(market.baseTimeframe)
  const opened = fromIso(position.openedAt)
  const from = Math.max(opened, state.watchedUntil === null ? 0 : fromIso(state.watchedUntil))
  if (now < from + barMs) return []
  const series = await market.candles({
    symbol: config.market.symbol,
    timeframe: market.baseTimeframe,
    asOf: now,
    limit: Math.ceil((now - from) / barMs) + 1,
  })
  return series.candles.filter((bar) => bar.time >= from)
}

/** Marks the books when a limit is breached or the look-out mark is old; otherwise nothing is worth a write. */
async function markAndLimit(
  ports: ExecutionPorts,
  state: StrategyState,
  mark: NonNullable<StrategyState['accounting']['markPrice']>,
  at: string,
  bars: readonly Candle[],
): Promise<StrategyState> {
  const { config, market, schedule } = ports
  const books = revalue(rollDay(state.accounting, at, state.instrument.calendar), positionOf(state.phase), mark, at)
  const breach = state.halt === null ? breachOf(books, config) : null
  const events: LedgerEvent[] = []
  const lastBar = bars.at(-1)
  const watchedUntil = lastBar === undefined ? null : lastBar.time + timeframeMs(market.baseTimeframe)
  const position = positionOf(state.phase)
  const isMarkOld = watchedUntil !== null && position !== null && watchedUntil >= nextWatchMark(state, position)
  if (breach !== null || isMarkOld) events.push({ type: 'marked', at, markPrice: mark })
  if (isMarkOld) events.push({ type: 'watched', at, until: toIso(watchedUntil) })
  if (breach !== null)
    events.push({ type: 'halted', at, halt: { at, by: 'guard', rule: breach.rule, reason: breach.reason } })
  const next = await commit(ports, state, events)
  if (breach !== null) await schedule.disable(breach.reason)
  return next
}

/** When the look-out mark is to be stored anew: bars watched up to then or later. */
export const nextWatchMark = ({ watchedUntil }: StrategyState, { openedAt }: Position): EpochMs =>
  Math.max(fromIso(openedAt), watchedUntil === null ? 0 : fromIso(watchedUntil)) + WATCH_MARK_MS
