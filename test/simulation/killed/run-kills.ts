import { z } from 'zod'
import { canonical, dec } from '../../../lib/core/decimal.ts'
import { legOf } from '../../../lib/core/ids.ts'
import { floorTime, type EpochMs, MINUTE_MS, SECOND_MS, toIso } from '../../../lib/core/time.ts'
import { EnforcementReport, StatusReport } from '../../../schemas/cli.ts'
import type { Decision } from '../../../schemas/decision.ts'
import { Chance } from '../chance.ts'
import { Examiner } from '../examiner.ts'
import { Life } from '../life.ts'
import { Observer, type Violation } from '../observer.ts'
import { FAR_LIMITS, NO_RATES, type Scenario } from '../scenario.ts'
import { Simulator } from '../simulator.ts'
import { checkBooks } from './check-books.ts'
import { type Child, type Command, type Ended, type Fate, Habits, isOrder } from './child.ts'
import type { Answer, Passing } from './gate.ts'
import { restlessPath } from './price-path.ts'
import { RunningClock } from './running-clock.ts'
import type { Sabotage } from './sabotages.ts'
import { type Database, openStage, type Stage } from './stage.ts'

export type KillReport = {
  database: Database
  kills: number
  /** Processes begun; of these, `finished` came to their own end. */
  children: number
  finished: number
  /** Deaths by what was being asked at the time; `timer` is any moment. */
  deaths: ReadonlyMap<string, number>
  simulatedHours: number
  entries: number
  trades: number
  /** Kinds of incidents that were ever in the state. */
  incidents: readonly string[]
  /** What processes that nobody killed said when they failed. */
  failures: readonly string[]
  violations: readonly Violation[]
}

export type KillOptions = {
  kills: number
  seed: number
  database: Database
  /** Undisturbed passes of enforcement after the last kill, a minute apart. */
  calmPasses?: number
  sabotage?: Sabotage | null
  trace?: (line: string) => void
}

const START = Date.parse('2026-11-02T00:00:00Z')
const SLOT_MS = 30 * MINUTE_MS
/** As long as a run may become: kills come at three or four a slot. */
const DAYS = 12
/** After a cycle's lease has run out. */
const LEASE_MS = 241 * SECOND_MS

/**
 * Runs the command line as processes against a venue, a model and a database, on a clock that moves on, and kills
 * them until `kills` have died; then lets it run calm for some minutes, and holds what the ledger and the venue have
 * ended with against the invariants.
 */
export async function runKills({
  kills,
  seed,
  database,
  calmPasses = 8,
  sabotage = null,
  trace = () => {},
}: KillOptions): Promise<KillReport> {
  const run = new KillRun(seed, database, trace)
  try {
    return await run.toEnd({ kills, calmPasses, sabotage })
  } finally {
    await run.close()
  }
}

class KillRun {
  private readonly sim = new Simulator(START)
  private readonly clock = new RunningClock(this.sim)
  private readonly habits = new Habits()
  private readonly observer: Observer
  private readonly chance: Chance
  private readonly decisions: Chance
  private readonly seed: number
  private readonly database: Database
  private readonly trace: (line: string) => void
  private readonly deaths = new Map<string, number>()
  private readonly incidents = new Set<string>()
  private readonly failures: string[] = []
  private readonly living = new Map<Child, Life>()
  private kills = 0
  private children = 0
  private finished = 0
  private isCalm = false
  private stage: Stage | null = null
  private examiner: Examiner | null = null

  constructor(seed: number, database: Database, trace: (line: string) => void) {
    this.seed = seed
    this.database = database
    this.chance = new Chance('killed', database, seed)
    this.decisions = new Chance('killed decisions', seed)
    this.trace = (line) => trace(`${toIso(this.clock.now()).slice(5, 23)} ${line}`)
    this.observer = new Observer(this.sim, this.trace)
  }

  async toEnd({
    kills,
    calmPasses,
    sabotage,
  }: {
    kills: number
    calmPasses: number
    sabotage: Sabotage | null
  }): Promise<KillReport> {
    const price = restlessPath(this.seed, START, DAYS * 24 * 60)
    const stage = await openStage({
      database: this.database,
      sabotage,
      clock: this.clock,
      price,
      decide: () => {
        const now = this.clock.now()
        const decision = this.decide(price.at(now))
        this.observer.decided(floorTime(now, SLOT_MS), decision)
        return decision
      },
      watch: {
        passing: (passing) => this.passing(passing),
        answered: (passing, answer) => this.answered(passing, answer),
      },
    })
    this.stage = stage
    const { venue, config } = stage
    this.observer.venuePosition = () => venue.truth().position.contracts
    this.examiner = new Examiner({ sim: this.sim, observer: this.observer, venue, scenario: nothingElse })

    const last = START + (DAYS - 1) * 24 * 60 * MINUTE_MS
    for (
      let slot = START + SLOT_MS;
      this.kills < kills && slot < last;
      slot = Math.max(slot + SLOT_MS, this.nextSlot())
    )
      await this.liveSlot(slot, kills)
    const endedAt = this.clock.now()
    await this.beCalm(calmPasses)
    const trades = await stage.withStore(async (store) => {
      // Nobody has seen the states come and go; the examiner looks at the last.
      if (this.database === 'own') this.observer.state = await store.loadState(config.id)
      const closed = (await this.examiner?.conclude(store, config.id)) ?? 0
      for (const { invariant, text } of await checkBooks({
        store,
        config,
        truth: venue.truth(),
        from: START,
        to: this.clock.now(),
      }))
        this.observer.violation(invariant, text)
      return closed
    })
    await this.checkStatus()
    return {
      database: this.database,
      kills: this.kills,
      children: this.children,
      finished: this.finished,
      deaths: this.deaths,
      simulatedHours: (endedAt - START) / (60 * MINUTE_MS),
      entries: venue
        .truth()
        .orders.filter(({ clientOrderId, filled }) => filled > 0 && legOf(config.id, clientOrderId) === 'entry').length,
      trades,
      incidents: [...this.incidents],
      failures: this.failures,
      violations: this.observer.violations,
    }
  }

  private nextSlot(): EpochMs {
    return Math.ceil(this.clock.now() / SLOT_MS) * SLOT_MS
  }

  async close(): Promise<void> {
    await this.stage?.close()
  }

  /** One slot: its cycle, repeated as a schedule repeats what has failed, and enforcement beside and after it. */
  private async liveSlot(slot: EpochMs, kills: number): Promise<void> {
    const { chance } = this
    this.clock.jumpTo(slot + chance.whole(0, 2_000))
    for (let attempt = 0; attempt < 3; attempt++) {
      const beside = chance.happens(0.15)
      const [cycle] = await Promise.all([this.invoke('cycle', 0.8), ...(beside ? [this.invoke('enforce', 0.5)] : [])])
      if (!cycle.isKilled || this.kills >= kills) break
      this.clock.jumpTo(this.clock.now() + chance.whole(500, 20_000))
      const next = chance.pick<Command | 'nothing'>(['enforce', 'enforce', 'cycle', 'nothing'])
      if (next !== 'nothing') await this.invoke(next, 0.6)
      if (chance.happens(0.15) || this.kills >= kills) break
      this.clock.jumpTo(this.clock.now() + LEASE_MS)
    }
    const passes = chance.whole(1, 3)
    for (
      let pass = 0;
      pass < passes && this.kills < kills && this.clock.now() < slot + SLOT_MS - 3 * MINUTE_MS;
      pass++
    ) {
      this.clock.jumpTo(this.clock.now() + chance.whole(20, 300) * SECOND_MS)
      await this.invoke('enforce', 0.65)
    }
  }

  private async beCalm(passes: number): Promise<void> {
    this.isCalm = true
    for (let pass = 0; pass < passes; pass++) {
      this.clock.jumpTo(this.clock.now() + MINUTE_MS)
      await this.invoke('enforce', 0)
    }
    // And a last decision, to see that it goes on.
    this.clock.jumpTo(this.nextSlot() + SECOND_MS)
    const { code, stderr } = await this.invoke('cycle', 0)
    if (code !== 0) this.observer.violation(0, `the last cycle failed: ${stderr.slice(-400)}`)
  }

  private async invoke(command: Command, pKill: number): Promise<Ended> {
    const { stage, examiner, chance, clock } = this
    if (stage === null || examiner === null) throw new Error('nothing is set up')
    const fate: Fate = pKill === 0 ? { kind: 'spared' } : this.habits.draw(command, chance, pKill)
    this.children += 1
    const name = `${command}#${this.children}`
    const life = new Life(
      name,
      this.sim,
      () => 0,
      () => false,
    )
    for (const other of this.living.values()) {
      other.overlaps()
      life.overlaps()
    }
    const at = clock.now()
    this.trace(`${name} begins${describeFate(fate)}`)
    const child = await stage.spawn([command], { at, fate })
    this.living.set(child, life)
    examiner.begun(life)
    const ended = await child.ended
    this.living.delete(child)
    if (this.living.size === 0) {
      // Whatever it sent last has its way now: time does not jump over it.
      await new Promise((resolve) => {
        setTimeout(resolve, 25)
      })
      clock.stand()
    }
    this.note(name, command, ended, fate, life)
    return ended
  }

  private note(name: string, command: Command, ended: Ended, fate: Fate, life: Life): void {
    const { examiner } = this
    this.trace(
      `${name} ${ended.isKilled ? 'is killed' : `ends with ${ended.code}`} after ${ended.ms.toFixed(0)} ms, ${ended.requests} requests, ${ended.writes} writes`,
    )
    if (ended.isKilled) {
      this.kills += 1
      life.die()
      const how = fate.kind === 'spared' ? 'nobody' : fate.kind === 'timer' ? 'timer' : `${fate.kind}, ${fate.edge.at}`
      this.deaths.set(`${command}: ${how}`, (this.deaths.get(`${command}: ${how}`) ?? 0) + 1)
      if (this.database === 'outside') examiner?.ended(life)
      return
    }
    this.finished += 1
    this.habits.learn(command, ended)
    if (ended.code !== 0) {
      const said = `${ended.stdout.slice(0, 4_000)}${ended.stderr}`.replaceAll(/\s+/g, ' ')
      this.failures.push(`${name}: exit ${ended.code}: ${reasonIn(said)}`)
      this.trace(`${name} failed: ${ended.stderr.slice(-2_000)} ${ended.stdout.slice(0, 1_000)}`)
      if (command === 'enforce' && !life.isOverlapped)
        this.observer.violation(0, `${name} failed, and nothing was wrong: ${said.slice(-400)}`)
    } else if (command === 'cycle') this.trace(`${name}: ${reasonIn(ended.stdout.replaceAll(/\s+/g, ' '))}`)
    if (this.database === 'own') return
    examiner?.ended(life)
    if (command === 'enforce') examiner?.passDone(life, EnforcementReport.parse(JSON.parse(ended.stdout)).outcome)
  }

  private passing(passing: Passing): void {
    // Without a look into the database nothing is known of what was meant.
    if (this.database === 'own') return
    this.clock.now()
    if (isOrder(passing)) {
      const path = passing.path.replace(/^.*\/brokerage\//, '')
      const body: Record<string, unknown> = JSON.parse(passing.body.toString('utf8'))
      this.observer.sent({ method: 'POST', path, endpoint: path, variables: {}, query: {}, body, isSigned: true })
    }
    this.examiner?.look()
  }

  private answered({ target, headers, body }: Passing, { status }: Answer): void {
    if (target !== 'database' || status !== 200 || !String(headers['x-amz-target']).endsWith('PutItem')) return
    this.clock.now()
    const { Item: item } = PutItem.parse(JSON.parse(body.toString('utf8')))
    if (item.sk.S !== 'STATE') return
    this.observer.stored({
      pk: item.pk.S,
      sk: item.sk.S,
      version: Number(item.version?.N ?? 0),
      body: item.body.S,
      writer: item.writer.S,
      expiresAt: null,
    })
    for (const { kind, detail } of this.observer.state?.incidents ?? []) this.incidents.add(`${kind}: ${detail}`)
  }

  private decide(last: number): Decision {
    const { decisions: chance, stage } = this
    const held = stage?.venue.truth().position.contracts ?? 0
    const [stop, target] = [chance.between(0.15, 1), chance.between(0.15, 1)]
    const side = chance.pick<'open_long' | 'open_short'>(['open_long', 'open_short'])
    const what = chance.between(0, 1)
    if (this.isCalm) return { action: 'hold', rationale: 'calm' }
    if (held !== 0) return what < 0.6 ? { action: 'close', rationale: 'enough' } : { action: 'hold', rationale: 'wait' }
    if (what < 0.08) return { action: 'hold', rationale: 'nothing to do' }
    const direction = side === 'open_long' ? 1 : -1
    const off = (percent: number): number => Math.round(last * (1 + (direction * percent) / 100) * 2) / 2
    return {
      action: side,
      stopLossPrice: off(-stop),
      takeProfitPrice: off(target),
      confidence: 0.8,
      invalidation: 'beyond the stop',
      rationale: 'drawn',
    }
  }

  /** The command line's own word on whether both agree. */
  private async checkStatus(): Promise<void> {
    const child = await this.stage?.spawn(['status'], { at: this.clock.now(), fate: { kind: 'spared' } })
    if (child === undefined) return
    const { code, stdout, stderr } = await child.ended
    if (code !== 0) return this.observer.violation(4, `status ends with ${code}: ${stderr.slice(-400)}`)
    const report = StatusReport.parse(JSON.parse(stdout))
    const differences = report.comparison.filter(({ agrees }) => !agrees)
    if (differences.length > 0) this.observer.violation(4, `status: ${JSON.stringify(differences)}`)
    if (report.pending !== null) this.observer.violation(5, `status: ${report.pending.order.kind} still under way`)
    for (const { kind, detail } of report.incidents) this.incidents.add(`${kind}: ${detail}`)
    this.trace(
      `status: ${report.phase}, cash ${canonical(dec(report.accounting.cash))}, ${report.comparison.length} lines agree`,
    )
  }
}

const Text = z.object({ S: z.string() })
const PutItem = z.object({
  Item: z.object({ pk: Text, sk: Text, version: z.object({ N: z.string() }).optional(), body: Text, writer: Text }),
})

function describeFate(fate: Fate): string {
  switch (fate.kind) {
    case 'spared':
      return ''
    case 'timer':
      return `, to die after ${fate.ms.toFixed(0)} ms`
    default:
      return `, to die with ${fate.kind} ${fate.ordinal}, ${fate.edge.at}`
  }
}

/** A reason in a JSON document or a log line, for people. */
const reasonIn = (text: string): string =>
  /"(?:outcome|reason|error|message)": ?".{0,300}/.exec(text)?.[0] ?? text.slice(-300)

/** The deterministic simulation's misfortunes, none of which happen here. */
const nothingElse: Scenario = {
  name: 'killed',
  interval: '30m',
  minutes: 0,
  quietMinutes: 0,
  bars: [],
  deliveries: [],
  hands: [],
  decisions: new Map(),
  rates: NO_RATES,
  limits: FAR_LIMITS,
  slow: null,
  outage: null,
  closures: [],
  switches: {},
  venue: {
    minSize: 1,
    depth: Number.POSITIVE_INFINITY,
    fundingRate: '0.00002',
    attachBracket: true,
    tradesPerSizeStep: 4,
  },
}
