import { loadConfig } from '../../lib/config/load-config.ts'
import { dec } from '../../lib/core/decimal.ts'
import { MINUTE_MS, SECOND_MS, toIso } from '../../lib/core/time.ts'
import { limitsOf } from '../../lib/core/time-limits.ts'
import { commit, loadOrCreateState, retryOnConflict, settleOutbox } from '../../lib/execution/commit.ts'
import type { CyclePorts } from '../../lib/cycle/cycle-ports.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import { runEnforcement } from '../../lib/execution/run-enforcement.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore } from '../../lib/store/store.ts'
import type { Decision } from '../../schemas/decision.ts'
import { createFakeVenue, type FakeVenue } from '../support/coinbase/fake-venue.ts'
import type { Fault } from '../support/coinbase/faults.ts'
import { pathOfMinutes } from '../support/coinbase/prices.ts'
import { Chance } from './chance.ts'
import { Examiner } from './examiner.ts'
import { type CrashPoint, Life } from './life.ts'
import { createSimMarket, SYMBOL } from './market.ts'
import { Observer, type Violation } from './observer.ts'
import { createSimPorts, WarmBroker } from './ports.ts'
import { type Delivery, type Hand, NO_RATES, type Scenario, type SimDecision, START } from './scenario.ts'
import { Simulator } from './simulator.ts'
import { RISKING } from '../support/risking.ts'

export type SimReport = {
  name: string
  steps: number
  /** Points at which a process could have died. */
  crashPoints: number
  /** Of these, before the quiet at the end. */
  activeCrashPoints: number
  crashes: number
  entries: number
  trades: number
  passes: number
  cycles: number
  faults: ReadonlyMap<string, number>
  requests: ReadonlyMap<string, number>
  /** Longest time, in seconds, that something was held at the venue without a stop, while it could be reached. */
  longestNakedS: number
  violations: readonly Violation[]
}

export type RunOptions = {
  /** Points at which to die, counted over the whole life, instead of by chance. */
  crashAt?: ReadonlySet<number>
  trace?: (line: string) => void
  /** Replaces ports, to see whether it is noticed. */
  sabotage?: (ports: CyclePorts) => CyclePorts
}

/** As deployed: what Lambda lets enforcement run; a cycle has the hard deadline of its interval. */
const ENFORCE_TIMEOUT_MS = 50 * SECOND_MS

/** Chance that a process is not there any more for the next event. */
const COLD = 0.05

/** Lives a scenario through and says what was seen. */
export async function runScenario(
  scenario: Scenario,
  { crashAt, trace = () => {}, sabotage = (ports) => ports }: RunOptions = {},
): Promise<SimReport> {
  const sim = new Simulator(START)
  const traced = (line: string): void => trace(`${toIso(sim.now).slice(11, 23)} ${line}`)
  const observer = new Observer(sim, traced)
  const items = createMemoryItems()
  const path = pathOfMinutes(scenario.bars)
  const config = loadConfig({
    overrides: {
      mode: 'live',
      interval: scenario.interval,
      sizing: RISKING,
      market: { source: 'live', symbol: SYMBOL, referenceSymbol: null },
      live: { attachBracket: scenario.venue.attachBracket, tradesPerSizeStep: scenario.venue.tradesPerSizeStep },
      guard: {
        minStopAtr: 0.01,
        maxStopAtr: 1_000,
        maxPriceMoveAtr: 1_000,
        minRewardToRisk: 0.01,
        maxEntriesPerDay: 100,
        maxEntrySlippageBps: 20,
        sessionBufferMinutes: 2,
        liquidationBuffer: 0,
        maxFundingAnnualised: 100,
        ...scenario.limits,
      },
    },
  })

  let current: { life: Life; chance: Chance } | null = null
  let isQuiet = false
  /** Misfortunes of an order at the venue: refusals, partial fills, orders that hide or fail later. */
  const quirks = (path_: string): Fault | null => {
    const isOrder = path_ === 'orders' || path_ === 'orders/close_position'
    if (isQuiet || current === null || !isOrder || !current.chance.happens(scenario.rates.refusal)) return null
    const { life, chance } = current
    life.isDisturbed = true
    const fault = chance.pick<Fault>([
      { kind: 'reject', reason: chance.pick(REASONS) },
      { kind: 'partial_fill', fraction: chance.between(0.1, 0.9) },
      { kind: 'invisible', ms: chance.whole(500, 45_000), byId: chance.happens(0.5) },
      { kind: 'late_failure', afterMs: chance.whole(10, 5_000) },
      { kind: 'wrong_echo', side: 'BUY' },
      { kind: 'other_bracket', stopFactor: chance.pick([0.95, 0.99, 1.01, 1.05]) },
      { kind: 'other_bracket', targetFactor: chance.pick([0.97, 1.03]) },
      { kind: 'other_bracket', sizeFactor: 0.5, roundsToTicks: chance.pick([1, 40]) },
    ])
    observer.fault(`order: ${fault.kind}`)
    examiner.disturbed()
    if (fault.kind === 'invisible') examiner.lagging(sim.now + fault.ms)
    return fault
  }
  const venue: FakeVenue = createFakeVenue({
    clock: () => sim.now,
    price: path,
    product: { minSize: scenario.venue.minSize },
    depth: scenario.venue.depth,
    fundingRate: () => scenario.venue.fundingRate,
    closures: scenario.closures,
    switches: scenario.switches,
    faults: (request) => (request.method === 'POST' ? quirks(request.path) : null),
  })
  const examiner = new Examiner({ sim, observer, venue, scenario })
  observer.examiner = examiner
  observer.venuePosition = () => venue.truth().position.contracts
  observer.venueDeposited = () => venue.truth().deposited
  const market = createSimMarket(scenario.bars, (instant) => path.at(instant))

  let points = 0
  let crashes = 0
  const counts = { passes: 0, cycles: 0 }
  const alive = new Set<Life>()
  /** The process of each function that waits for its next event. */
  const warm = new Map<Delivery['of'], WarmBroker>()

  const invoke = (delivery: Delivery, ordinal: number): void => {
    const name = `${delivery.of}#${ordinal}`
    const chance = new Chance('faults', scenario.name, ordinal)
    const rates = isQuiet ? NO_RATES : scenario.rates
    const mayDieAt = (point: CrashPoint): boolean => {
      const dies = crashAt === undefined ? chance.happens(rates.crash) : crashAt.has(point.ordinal)
      if (dies) {
        crashes += 1
        observer.fault(`crash ${point.edge} ${point.port}`)
        life.die()
        end()
      }
      return dies
    }
    const life = new Life(name, sim, () => points++, mayDieAt)
    // Events that overlap meet processes of their own, and so does a person.
    const process =
      (delivery.of === 'cycle' || delivery.of === 'enforce' ? warm.get(delivery.of) : undefined) ??
      new WarmBroker(config, sim)
    warm.delete(delivery.of)
    const end = (): void => {
      alive.delete(life)
      if (life.isAlive && !chance.happens(COLD)) warm.set(delivery.of, process)
      examiner.ended(life)
    }
    for (const other of alive) {
      other.overlaps()
      life.overlaps()
    }
    alive.add(life)
    examiner.begun(life)
    sim.after(delivery.of === 'cycle' ? limitsOf(config).hardDeadlineMs : ENFORCE_TIMEOUT_MS, () => {
      if (!alive.has(life)) return
      life.die()
      observer.fault('function timed out')
      end()
    })
    const ports = sabotage(
      createSimPorts({
        life,
        sim,
        config,
        items,
        market,
        chance,
        rates,
        observer,
        warm: process,
        venue: (request) => {
          current = { life, chance }
          const reply = venue.handle(request)
          current = null
          if (request.method === 'POST') examiner.look(true)
          if (reply.kind !== 'answer') throw new Error(`the venue's own faults are not used here: ${reply.kind}`)
          return { status: reply.status, text: reply.text }
        },
        decide: (slot) => {
          const decision = decisionAt(scenario.decisions.get(slot), path.at(sim.now))
          observer.decided(slot, decision)
          return decision
        },
        slownessAt: (at) =>
          scenario.slow !== null && at >= scenario.slow.from && at < scenario.slow.to ? scenario.slow.ms : 0,
        isModelGone: (at) => scenario.outage !== null && at >= scenario.outage.from && at < scenario.outage.to,
      }),
    )
    traced(`${name} begins, for ${toIso(delivery.scheduledFor)}`)
    const work = perform(delivery, ports, counts)
    work.then(
      (outcome) => {
        traced(`${name} ends: ${outcome}`)
        end()
        if (delivery.of === 'enforce' || delivery.of === 'cycle') examiner.passDone(life, outcome)
      },
      (error: unknown) => {
        traced(`${name} fails: ${String(error)}`)
        // A function that fails without having been wronged is a bug of ours.
        if (!life.isDisturbed && !life.isOverlapped && !EXPECTED_ERRORS.test(String(error)))
          observer.violation(
            0,
            `${name} failed: ${error instanceof Error ? error.stack?.slice(0, 600) : String(error)}`,
          )
        life.isDisturbed = true
        end()
      },
    )
  }

  scenario.deliveries.forEach((delivery, ordinal) => sim.at(delivery.at, () => invoke(delivery, ordinal)))
  for (const hand of scenario.hands)
    sim.at(hand.at, () =>
      act(hand, { venue, observer, examiner, sim, chance: new Chance('hand', scenario.name, hand.at) }),
    )
  const end = START + scenario.minutes * MINUTE_MS
  await sim.runUntil(end, () => examiner.look())
  isQuiet = true
  const activeCrashPoints = points
  for (let minute = 1; minute <= scenario.quietMinutes; minute++) {
    const at = end + minute * MINUTE_MS
    sim.at(at, () => invoke({ of: 'enforce', at, scheduledFor: at }, scenario.deliveries.length + minute))
  }
  await sim.runUntil(end + (scenario.quietMinutes + 1) * MINUTE_MS, () => examiner.look())
  const trades = await examiner.conclude(createStore(items, 'examiner', 'live'), config.id)
  return {
    name: scenario.name,
    steps: sim.steps,
    crashPoints: points,
    activeCrashPoints,
    crashes,
    entries: venue
      .truth()
      .orders.filter((order) => observer.intents.get(order.clientOrderId)?.leg === 'entry' && order.filled > 0).length,
    trades,
    passes: counts.passes,
    cycles: counts.cycles,
    faults: observer.faults,
    requests: observer.requests,
    longestNakedS: examiner.longestNakedMs / 1_000,
    violations: observer.violations,
  }
}

/** What a port's failure may become when it is passed on. */
const EXPECTED_ERRORS = /StateConflict|simulated/

const REASONS = [
  'INSUFFICIENT_FUND',
  'INVALID_FCM_TRADING_SESSION',
  'BRACKET_ORDER_NOT_SUPPORTED',
  'PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE',
  'UNKNOWN_FAILURE_REASON',
  'OPEN_BRACKET_ORDERS',
  'RATE_LIMIT_EXCEEDED',
] as const satisfies readonly [string, ...string[]]

async function perform(
  { of, scheduledFor }: Delivery,
  ports: CyclePorts,
  counts: { passes: number; cycles: number },
): Promise<string> {
  switch (of) {
    case 'cycle': {
      counts.cycles += 1
      const { outcome, reason } = await runCycle(ports, { scheduledFor, dryRun: false })
      return `${outcome}: ${reason}`
    }
    case 'enforce': {
      counts.passes += 1
      const { outcome, notes } = await runEnforcement(ports)
      return `${outcome} ${notes.join('; ')}`
    }
    case 'halt':
    case 'resume': {
      const at = toIso(ports.clock())
      const event =
        of === 'halt'
          ? ({ type: 'halted', at, halt: { at, by: 'operator', rule: null, reason: 'simulated' } } as const)
          : ({ type: 'resumed', at } as const)
      const state = await retryOnConflict(ports, async () => commit(ports, await loadOrCreateState(ports), [event]))
      await settleOutbox(ports, state, { own: true })
      if (of === 'halt') await ports.schedule.disable('simulated')
      else await ports.schedule.enable()
      return of
    }
    default:
      return of satisfies never
  }
}

function decisionAt(plan: SimDecision | undefined, last: number): Decision {
  if (plan === undefined || plan.action === 'hold') return { action: 'hold', rationale: 'nothing to do' }
  if (plan.action === 'close') return { action: 'close', rationale: 'enough' }
  const direction = plan.action === 'open_long' ? 1 : -1
  const off = (percent: number): number => Math.round(last * (1 + (direction * percent) / 100) * 2) / 2
  return {
    action: plan.action,
    stopLossPrice: off(-plan.stopPercent),
    takeProfitPrice: off(plan.targetPercent),
    confidence: 0.8,
    invalidation: 'simulated',
    rationale: 'simulated',
  }
}

/** Contracts that somebody adds to ours for a while. */
const ADDED = 3

/** What somebody does at the venue; nothing where it does not apply. */
function act(
  { does }: Hand,
  {
    venue,
    observer,
    examiner,
    sim,
    chance,
  }: { venue: FakeVenue; observer: Observer; examiner: Examiner; sim: Simulator; chance: Chance },
): void {
  const { position, orders } = venue.truth()
  const held = Math.abs(position.contracts)
  const exits = orders.filter((order) => order.isLive && order.bracket !== null)
  const note = (): void => {
    observer.fault(`hand: ${does}`)
    examiner.handed(does)
  }
  switch (does) {
    case 'close':
      if (held === 0 || !venue.truth().isOpen) return
      note()
      venue.hand.close()
      return
    case 'reduce':
      if (held < 2 || !venue.truth().isOpen) return
      note()
      venue.hand.reduce(Math.ceil(held / 2))
      return
    case 'cancel_exits':
      if (exits.length === 0) return
      note()
      for (const { orderId } of exits) venue.hand.cancelOrder(orderId)
      return
    case 'deposit':
      note()
      venue.hand.deposit('250')
      return
    case 'withdraw':
      note()
      venue.hand.deposit('-120.5')
      return
    case 'place_bracket': {
      if (held === 0) return
      note()
      const last = Number(dec(venue.truth().lastPrice))
      const direction = Math.sign(position.contracts)
      const tick = (price: number): string => String(Math.round(price * 2) / 2)
      venue.hand.placeBracket({
        side: direction > 0 ? 'SELL' : 'BUY',
        contracts: held,
        limitPrice: tick(last * (1 + direction * 0.03)),
        stopPrice: tick(last * (1 - direction * 0.03)),
      })
      return
    }
    case 'open':
      // And closes it again before long.
      if (
        held !== 0 ||
        orders.some((order) => order.isLive) ||
        !venue.truth().isOpen ||
        observer.state?.phase.kind !== 'flat'
      )
        return
      note()
      venue.hand.openPosition('BUY', 3)
      sim.after(4 * MINUTE_MS, () => {
        if (venue.truth().position.contracts > 0) venue.hand.close()
        examiner.handed('close')
      })
      return
    case 'add': {
      if (held === 0 || !venue.truth().isOpen) return
      note()
      const side = position.contracts > 0 ? 'BUY' : 'SELL'
      venue.hand.openPosition(side, ADDED)
      const takeAway = (): void => {
        const {
          isOpen,
          position: { contracts },
        } = venue.truth()
        if (!isOpen) return sim.after(MINUTE_MS, takeAway)
        // Ours may have been closed meanwhile; theirs goes in any case.
        if (contracts !== 0 && contracts > 0 === (side === 'BUY'))
          venue.hand.close(Math.min(ADDED, Math.abs(contracts)))
        examiner.handed('take away')
      }
      sim.after(chance.whole(5_000, 4 * MINUTE_MS), takeAway)
      return
    }
    case 'liquidate':
      if (held === 0) return
      note()
      venue.hand.liquidate()
      return
    default:
      does satisfies never
  }
}
