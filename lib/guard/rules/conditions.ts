import { dec, type Decimal, toNumber } from '../../core/decimal.ts'
import { directionOf } from '../../core/margin.ts'
import { fromIso, HOUR_MS, MINUTE_MS } from '../../core/time.ts'
import { limitsOf } from '../../core/time-limits.ts'
import { positionOf } from '../../ledger/accounting.ts'
import type { Quote } from '../../../schemas/market.ts'
import { type ConditionRule, type EntryRule, finding, percent, tidy } from '../rule.ts'

export const freshData: ConditionRule = {
  name: 'fresh_data',
  applies: 'entry',
  purpose: 'nothing is opened on stale, missing or gappy bars, or on a quote that is old or crossed',
  limit: (config) =>
    `no issue in the bars, bid not above ask, quote at most ${limitsOf(config).quoteAgeMs / 1_000} s old`,
  check: ({ config, snapshot, facts }) => {
    const { quoteAgeMs } = limitsOf(config)
    const ageMs = fromIso(facts.now) - fromIso(facts.quote.at)
    const problems = snapshot.issues.map((issue) => `${issue.kind}: ${issue.detail}`)
    if (ageMs > quoteAgeMs) problems.push(`quote is ${Math.round(ageMs / 1_000)} s old`)
    // Clocks differ a little; when by more, the age of the quote is unknown.
    if (ageMs < -quoteAgeMs) problems.push(`quote is ${Math.round(-ageMs / 1_000)} s in the future`)
    if (dec(facts.quote.bid).gt(facts.quote.ask))
      problems.push(`bid ${facts.quote.bid} is above ask ${facts.quote.ask}`)
    return finding(
      problems.length === 0,
      0,
      problems.length,
      'bars are complete and the quote is fresh',
      problems.join('; '),
    )
  },
}

export const sessionOpen: ConditionRule = {
  name: 'session_open',
  applies: 'entry',
  purpose: 'nothing is opened while the venue is closed or about to close',
  limit: (config) => `open, and not within ${config.guard.sessionBufferMinutes} min of a close`,
  check: ({ config, facts }) => {
    const { isOpen, nextClose, reason } = facts.session
    const leftMs = nextClose === null ? null : fromIso(nextClose) - fromIso(facts.now)
    // A close that has passed is over: whether the session is open now, the venue says itself.
    const isClear = leftMs === null || leftMs < 0 || leftMs > config.guard.sessionBufferMinutes * MINUTE_MS
    const minutesLeft = leftMs === null ? null : tidy(leftMs / MINUTE_MS)
    return finding(
      isOpen && isClear,
      config.guard.sessionBufferMinutes,
      minutesLeft,
      'the session is open',
      isOpen ? `the session closes in ${minutesLeft} min` : `nothing trades at the venue now: ${reason}`,
    )
  },
}

export const noOpenPosition: ConditionRule = {
  name: 'no_open_position',
  applies: 'entry',
  purpose: 'one position at a time; never added to',
  limit: () => 'flat',
  check: ({ facts }) => {
    const held = positionOf(facts.phase)
    return finding(
      held === null,
      'flat',
      held === null ? 'flat' : `${held.side} ${held.quantity}`,
      'no position is open',
      `a ${held?.side} of ${held?.quantity} is already open`,
    )
  },
}

export const noReversal: EntryRule = {
  name: 'no_reversal',
  applies: 'entry',
  purpose: 'a reversal is two decisions: close, then open',
  limit: () => 'no position on the other side',
  check: ({ facts }, plan) => {
    const held = positionOf(facts.phase)
    const reverses = held !== null && held.side !== plan.side
    return finding(
      !reverses,
      'same side or flat',
      held?.side ?? 'flat',
      'it reverses nothing',
      `it would turn a ${held?.side} into a ${plan.side} in one step`,
    )
  },
}

export const noPendingIntent: ConditionRule = {
  name: 'no_pending_intent',
  applies: 'entry',
  purpose: 'while an order of ours is unresolved nothing new is opened',
  limit: () => 'no entry or close under way',
  check: ({ facts: { phase } }) => {
    const isPending = phase.kind === 'opening' || phase.kind === 'closing'
    return finding(
      !isPending,
      'none',
      isPending ? phase.kind : 'none',
      'no order is unresolved',
      `an order is unresolved: the strategy is ${phase.kind}`,
    )
  },
}

export const noOpenIncident: ConditionRule = {
  name: 'no_open_incident',
  applies: 'entry',
  purpose: 'while something at the venue is unexplained nothing is added to it',
  limit: () => 'every incident resolved by a person',
  check: ({ facts: { openIncidents } }) =>
    finding(
      openIncidents === 0,
      0,
      openIncidents,
      'no incident is unresolved',
      `${openIncidents} unresolved ${openIncidents === 1 ? 'incident' : 'incidents'}: look at hourhand status, then hourhand resume`,
    ),
}

export const priceMoved: ConditionRule = {
  name: 'price_moved',
  applies: 'entry',
  purpose: 'a decision made on an old price is not carried out on a new one',
  limit: (config) => `moved at most ${config.guard.maxPriceMoveAtr} ATR since the snapshot`,
  check: ({ config, snapshot, facts }) => {
    const atr = snapshot.views.primary.indicators.atr14
    const limit = config.guard.maxPriceMoveAtr
    if (atr === null || atr <= 0) return finding(false, limit, null, '', 'ATR is unknown, so the move cannot be judged')
    const distance = mid(facts.quote).minus(mid(snapshot.quote)).abs()
    const moved = tidy(toNumber(distance) / atr)
    return finding(
      distance.lte(dec(atr).times(limit)),
      limit,
      moved,
      `the price has moved ${moved} ATR since the snapshot`,
      `the price has moved ${moved} ATR since the snapshot`,
    )
  },
}

const mid = (quote: Quote): Decimal => dec(quote.bid).plus(quote.ask).times('0.5')

export const cooldown: ConditionRule = {
  name: 'cooldown',
  applies: 'entry',
  purpose: 'after a loss, a liquidation or a close by hand the strategy waits',
  limit: (config) => `${config.guard.cooldownMinutesAfterLoss} min after a loss`,
  check: ({ config, facts: { accounting, now } }) => {
    const { lastTradeLost, lastTradeClosedAt } = accounting
    const limit = config.guard.cooldownMinutesAfterLoss
    if (!lastTradeLost || lastTradeClosedAt === null)
      return finding(true, limit, null, 'the last trade was no loss', '')
    const waitedMs = fromIso(now) - fromIso(lastTradeClosedAt)
    const waited = tidy(waitedMs / MINUTE_MS)
    return finding(
      waitedMs >= limit * MINUTE_MS,
      limit,
      waited,
      `${waited} min have passed since the last loss`,
      `only ${waited} of ${limit} min have passed since the last loss at ${lastTradeClosedAt}`,
    )
  },
}

export const entriesPerDay: ConditionRule = {
  name: 'entries_per_day',
  applies: 'entry',
  purpose: 'overtrading is paid for in fees',
  limit: (config) => `${config.guard.maxEntriesPerDay} entries a UTC day`,
  check: ({ config, facts: { accounting } }) => {
    const limit = config.guard.maxEntriesPerDay
    const done = accounting.entriesToday
    return finding(done < limit, limit, done, `${done} entries so far today`, `${done} entries today already`)
  },
}

export const tradingHours: ConditionRule = {
  name: 'trading_hours',
  applies: 'entry',
  purpose: 'entries only at hours and on days the owner chose',
  limit: ({ guard }) =>
    `${guard.tradingHoursUtc.from}-${guard.tradingHoursUtc.to} h UTC on weekdays ${guard.tradingDaysUtc.join(',')}`,
  check: ({ config, facts }) => {
    const { from, to } = config.guard.tradingHoursUtc
    const now = new Date(fromIso(facts.now))
    const hour = (fromIso(facts.now) % (24 * HOUR_MS)) / HOUR_MS
    // 22 to 6 wraps midnight; 9 to 9 goes all the way round.
    const inHours = from < to ? hour >= from && hour < to : hour >= from || hour < to
    const inDays = config.guard.tradingDaysUtc.includes(now.getUTCDay())
    return finding(
      inHours && inDays,
      `${from}-${to} h`,
      tidy(hour),
      'within trading hours',
      inDays ? `hour ${tidy(hour)} UTC is outside ${from}-${to}` : `weekday ${now.getUTCDay()} is not a trading day`,
    )
  },
}

export const fundingCost: EntryRule = {
  name: 'funding_cost',
  applies: 'entry',
  purpose: 'a position is not opened where holding it costs too much',
  limit: (config) => `at most ${percent(config.guard.maxFundingAnnualised)} a year`,
  check: ({ config, snapshot }, plan) => {
    const limit = config.guard.maxFundingAnnualised
    if (snapshot.funding === null) return finding(true, limit, null, 'no funding is known for this market', '')
    const cost = snapshot.funding.annualised * directionOf(plan.side)
    const paid = tidy(cost)
    return finding(
      cost <= limit,
      limit,
      paid,
      `a ${plan.side} pays ${percent(paid)} a year`,
      `a ${plan.side} would pay ${percent(paid)} a year`,
    )
  },
}

export const liveMode: ConditionRule = {
  name: 'live_mode',
  applies: 'entry',
  purpose: 'real money only with verified credentials and after a paper record that earned it',
  limit: ({ live }) =>
    `paper, or live with credentials verified, ${live.minPaperDays} days and ${live.minPaperTrades} trades on paper, no incident, a record that passes its gates`,
  check: ({ config, facts: { liveBarriers } }) => {
    if (config.mode === 'paper') return finding(true, 0, null, 'paper mode', '')
    return finding(
      liveBarriers.length === 0,
      0,
      liveBarriers.length,
      'live mode is earned',
      `live mode is not earned: ${liveBarriers.join('; ')}`,
    )
  },
}
