import { decisionTimeframeOf, durationWords, intervalMsOf } from '../../core/interval.ts'
import type { VenueInspection } from '../../venue/venue.ts'
import { askLiveBarriers, composeExecution, credentialsOf } from '../../compose/compose-ports.ts'
import { requireLiveVenue } from '../../compose/open-venue.ts'
import { hashOf } from '../../core/canonical-json.ts'
import { fromIso, SECOND_MS, timeframeMs, toIso } from '../../core/time.ts'
import type { ExecutionPorts } from '../../execution/ports.ts'
import { gatherVenueFacts } from '../../execution/gather-venue-facts.ts'
import { isAgreed } from '../../execution/reconcile/compare.ts'
import { reconcile } from '../../execution/reconcile/reconcile.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { createNewsSource } from '../../news/create-news-source.ts'
import { UnreadableItem } from '../../store/unreadable-item.ts'
import { DoctorReport } from '../../../schemas/cli.ts'
import type { VerifiedCredentials } from '../../../schemas/live-clearance.ts'
import { section, table } from '../format.ts'
import { headline, requireConfig, type Session } from '../session.ts'
import type { Answer } from './answer.ts'
import { checkDecider } from './check-decider.ts'
import { lookAtRecord } from './live.ts'

type Check = DoctorReport['checks'][number]

/**
 * `hourhand doctor`: whether a cycle could run here and now. Trades nothing. In live mode it also inspects the venue
 * with the key in use and, when all of that is well, stores that the credentials are verified, beside what the paper
 * record shows; that is all it ever writes. Exit 1 when anything is wrong; what live trading still lacks is told apart.
 */
export async function doctorCommand(session: Session): Promise<Answer> {
  requireConfig(session)
  const { config, world, market, target, storeName, table: tableName } = session
  const ports = await composeExecution({ ...world, dryRun: true })
  const now = world.clock()
  const timeframe = decisionTimeframeOf(config)
  const checks: Check[] = [
    good(
      'configuration',
      `strategy ${config.id}, ${config.mode}, every ${durationWords(intervalMsOf(config))}, hash ${hashOf(config).slice(0, 12)}`,
    ),
    await check('database', 'see that the table exists and that the credentials may read and write it', async () => {
      if (!session.isThere) return missingDatabase(session)
      const state = await ports.store.loadState(config.id)
      return `${storeName}, table ${tableName}: ${state === null ? 'no state yet' : `state version ${state.version}, ${state.phase.kind}${state.halt === null ? '' : ', HALTED'}`}`
    }),
    await check(
      'candles',
      'see that the source is reachable and has the symbol; a clock that is ahead also asks for bars that do not exist yet',
      async () => {
        const { candles, issues } = await market.candles({
          symbol: config.market.symbol,
          timeframe,
          asOf: now,
          limit: 50,
        })
        const newest = candles.at(-1)
        const expected = Math.floor(now / timeframeMs(timeframe)) * timeframeMs(timeframe) - timeframeMs(timeframe)
        if (newest === undefined) throw new Error(`${market.name} has no ${timeframe} bars of ${config.market.symbol}`)
        if (newest.time !== expected)
          throw new Error(`the newest closed ${timeframe} bar is of ${toIso(newest.time)}, expected ${toIso(expected)}`)
        return `${market.name}: ${candles.length} ${timeframe} bars of ${config.market.symbol}, newest ${toIso(newest.time)}, ${issues.length} issues`
      },
    ),
    await check('quote', 'see that the market is open and the source reachable', async () => {
      const quote = await ports.market.quote(config.market.symbol, now)
      const ageMs = now - fromIso(quote.at)
      if (Math.abs(ageMs) > 120 * SECOND_MS)
        throw new Error(`the quote is ${Math.round(ageMs / SECOND_MS)} s off this machine's clock`)
      return `bid ${quote.bid}, ask ${quote.ask}, mark ${quote.mark}`
    }),
    await check('venue', 'run `hourhand status` to see the difference, `hourhand enforce` to take it in', async () => {
      const state = await ports.store.loadState(config.id)
      const account = await ports.broker.account()
      if (state === null) return `${ports.broker.name}: cash ${account.cash}, nothing traded yet`
      const { notes } = reconcile(state, await gatherVenueFacts(ports, state))
      if (notes.length > 0) throw new Error(notes.join('; '))
      return `${ports.broker.name}: cash ${account.cash}, ledger and venue agree`
    }),
    await checkDecider(session),
    await check('news', 'remove or correct the feed in news.feeds; a dead feed costs only itself', async () => {
      if (config.news.feeds.length === 0) return 'no feeds configured'
      const { feeds, headlines } = await createNewsSource({ config: config.news }).headlines(now)
      const each = feeds.map(
        ({ source, items, problem }) => `${source}: ${items} items${problem === null ? '' : `, ${problem}`}`,
      )
      if (feeds.some(({ ok }) => !ok)) throw new Error(each.join('; '))
      const use =
        config.market.source === 'live'
          ? ''
          : '; cycles on this market do not read them, `cycle --dry-run --feeds` does'
      return `${feeds.length} feeds, ${headlines.length} headlines (${each.join('; ')})${use}`
    }),
  ]
  const usesAws = storeName === 'AWS'
  checks.push(
    good(
      'alarms',
      usesAws
        ? `table ${tableName} in AWS; alarms are the stack's`
        : 'none: this is a local run, nobody is told when it stops',
    ),
  )
  const live = config.mode === 'live' ? await examineLive(session, ports) : null
  checks.push(...(live?.checks ?? []))
  const report: DoctorReport = {
    target,
    ok: checks.every(({ ok }) => ok),
    checks,
    liveBarriers: live?.barriers ?? null,
  }
  const rows = checks.map(({ check: name, ok, detail }) => [ok ? 'ok' : 'NO', name, detail])
  const remedies = checks.flatMap(({ check: name, ok, remedy }) =>
    ok || remedy === null ? [] : [`${name}: ${remedy}`],
  )
  const text = [
    headline(target, `doctor at ${toIso(now)}`),
    '',
    ...table(rows),
    ...(remedies.length === 0 ? [] : ['', ...remedies]),
    ...(live === null
      ? []
      : [
          '',
          section(
            'Live',
            live.barriers.length === 0 ? ['earned'] : live.barriers.map((barrier) => `still missing: ${barrier}`),
          ),
        ]),
  ].join('\n')
  return { document: DoctorReport.parse(report), text: `${text}\n`, exitCode: report.ok ? 0 : 1 }
}

/** A data directory is made by the first cycle; a table by its stack. */
function missingDatabase({ storeName, table: tableName, isEmbedded }: Session): string {
  if (!isEmbedded) throw new Error(`there is no table ${tableName} in ${storeName}`)
  return `${storeName}: nothing there yet; the first cycle makes it`
}

type LiveExamination = { checks: Check[]; barriers: string[] }

/** Inspects the venue, stores what was verified, and says what live trading still lacks. */
async function examineLive(session: Session, ports: ExecutionPorts): Promise<LiveExamination> {
  const { config, world } = session
  const { symbol } = config.market
  const access = await inspectAccess(session)
  if ('detail' in access)
    return {
      checks: [{ check: 'credentials', ok: false, ...access }],
      barriers: [`${access.detail}: ${access.remedy}`],
    }
  const { keyFingerprint, checks: found, portfolioUuid } = access
  const isOurs = await holdsOnlyOurs(ports, symbol)
  const checks = found.map(({ check: name, ok, detail, remedy }): Check => {
    const isWell = ok || (name === 'no position' && isOurs)
    return {
      check: name,
      ok: isWell,
      detail: ok === isWell ? detail : `${detail}, as in the ledger`,
      remedy: isWell || remedy === '' ? null : remedy,
    }
  })
  const isVerified = checks.every(({ ok }) => ok) && portfolioUuid !== null
  const verified: VerifiedCredentials | null = isVerified
    ? { verifiedAt: toIso(world.clock()), keyFingerprint, portfolioUuid, symbol }
    : null
  await lookAtRecord(session, { verified })
  return {
    checks: [good('credentials', `key ${keyFingerprint}`), ...checks],
    barriers: await askLiveBarriers(world, ports.store),
  }
}

/** What the venue shows to the key in use, or why nothing can be asked of it. */
async function inspectAccess({
  config,
  world,
}: Session): Promise<(VenueInspection & { keyFingerprint: string }) | { detail: string; remedy: string }> {
  let remedy = 'see what the message says'
  try {
    const venue = requireLiveVenue(config)
    remedy = venue.credentials.remedy
    const credentials = credentialsOf(world)
    const inspection = await venue.inspect({ config, credentials, clock: world.clock })
    return { ...inspection, keyFingerprint: venue.credentials.fingerprint(credentials()) }
  } catch (error) {
    return { detail: error instanceof Error ? error.message : String(error), remedy }
  }
}

/** A position that the ledger holds too is no stranger's. */
async function holdsOnlyOurs({ store, broker, config }: ExecutionPorts, symbol: string): Promise<boolean> {
  try {
    const [state, held] = await Promise.all([store.loadState(config.id), broker.position(symbol)])
    return state !== null && isAgreed(positionOf(state.phase), held)
  } catch {
    // The inspection says what cannot be read.
    return false
  }
}

const good = (name: string, detail: string): Check => ({ check: name, ok: true, detail, remedy: null })

async function check(name: string, remedy: string, work: () => Promise<string>): Promise<Check> {
  try {
    return good(name, await work())
  } catch (error) {
    if (error instanceof UnreadableItem) return { check: name, ok: false, detail: error.message, remedy: error.remedy }
    return { check: name, ok: false, detail: error instanceof Error ? error.message : String(error), remedy }
  }
}
