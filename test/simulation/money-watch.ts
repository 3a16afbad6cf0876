import { dec } from '../../lib/core/decimal.ts'
import { MINUTE_MS, SECOND_MS } from '../../lib/core/time.ts'
import type { VenueTruth } from '../support/coinbase/fake-venue.ts'
import type { Observer } from './observer.ts'
import type { Scenario } from './scenario.ts'

/** For so long a loss may be on its way to the ledger: fills are listed late. */
const NEWS_MS = 60 * SECOND_MS
/** Dollars beyond a limit from which on it counts as reached: prices are read at several instants. */
const BEYOND = 1
/** Dollars from which on a trade has lost whatever funding is still to be told. */
const CLEAR_LOSS = '-1'

/**
 * Reckons losses from the venue's own money, and holds entries and halts against them. Nothing is held against a life
 * in which somebody moves money or positions by hand, or resumes: what the limits count from is another then.
 */
export class MoneyWatch {
  private readonly observer: Observer
  private readonly limits: Scenario['limits']
  private openedWith: string | null = null
  private breachedSince: number | null = null
  private flatCash: string | null = null
  private wasHeld = false
  private lostAt: number | null = null
  private isExcused = false

  constructor(observer: Observer, limits: Scenario['limits']) {
    this.observer = observer
    this.limits = limits
  }

  handed(): void {
    this.isExcused = true
  }

  private get isOff(): boolean {
    return this.isExcused || this.observer.hasResumed
  }

  look({ at, equity, cash, position, fills }: VenueTruth): void {
    if (this.observer.state === null) return
    this.openedWith ??= equity
    const limit = Math.min(this.limits.maxDailyLoss, this.limits.maxDrawdown)
    const isReached = dec(this.openedWith).minus(equity).gte(dec(this.openedWith).times(limit).plus(BEYOND))
    this.breachedSince = !isReached ? null : (this.breachedSince ?? at)
    const isHeld = position.contracts !== 0
    if (!isHeld && this.wasHeld && this.flatCash !== null)
      this.lostAt = dec(cash).minus(this.flatCash).lt(CLEAR_LOSS) ? (fills.at(-1)?.at ?? at) : null
    if (!isHeld) this.flatCash = cash
    this.wasHeld = isHeld
  }

  entryMeant(now: number): void {
    if (this.isOff) return
    if (this.breachedSince !== null && now - this.breachedSince > NEWS_MS)
      this.observer.violation(
        12,
        `an entry was meant ${this.secondsSince(this.breachedSince, now)} after an account limit was reached: ${JSON.stringify(this.limits)}`,
      )
    const waited = this.lostAt === null ? Infinity : now - this.lostAt
    if (waited > NEWS_MS && waited < this.limits.cooldownMinutesAfterLoss * MINUTE_MS)
      this.observer.violation(
        13,
        `an entry was meant ${Math.round(waited / SECOND_MS)} s after a loss, ${this.limits.cooldownMinutesAfterLoss} min have to pass`,
      )
  }

  /**
   * A pass that marks what is held, or a cycle that judges, has ended in order: what was breached before it began has
   * halted.
   */
  passDone(startedAt: number, outcome: string, now: number): void {
    if (this.isOff || this.breachedSince === null || this.observer.state === null) return
    const { halt, phase } = this.observer.state
    const isMarked = outcome.startsWith('watched') && phase.kind === 'open'
    const isJudged = /^(?:held|refused|entered)/.test(outcome) && startedAt - this.breachedSince > NEWS_MS
    if (halt === null && this.breachedSince <= startedAt && (isMarked || isJudged))
      this.observer.violation(
        12,
        `an account limit was reached ${this.secondsSince(this.breachedSince, now)} ago and nothing has halted: ${outcome.slice(0, 200)}`,
      )
  }

  private secondsSince(instant: number, now: number): string {
    return `${Math.round((now - instant) / SECOND_MS)} s`
  }
}
