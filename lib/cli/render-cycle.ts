import { dec, canonical } from '../core/decimal.ts'
import { dataProblems } from '../cycle/data-problems.ts'
import { moneyAtRisk, reportPosition } from '../ledger/position.ts'
import { positionOf } from '../ledger/accounting.ts'
import type { RecordLocation } from '../../schemas/cli.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import { isEntry } from '../../schemas/decision.ts'
import type { TimeframeView } from '../../schemas/snapshot.ts'
import { amount, section, signedPercent, table, wrap } from './format.ts'

/**
 * A cycle's record as a page for a person: what it saw, decided, judged, ordered, holds, and where it is written down.
 */
export function renderCycle(record: CycleRecord, location: RecordLocation): string {
  const { config } = record
  const head = `Hourhand  ${record.strategyId} · ${record.mode} · slot ${record.slot} · market ${marketName(config.market)} · decider ${config.decider.kind}`
  const blocks = [
    saw(record),
    decided(record),
    guarded(record),
    ordered(record),
    held(record),
    outcome(record),
    written(record, location),
  ]
  return `${head}\n\n${blocks.filter((block) => block !== null).join('\n\n')}\n`
}

const marketName = (market: CycleRecord['config']['market']): string =>
  market.source === 'sim'
    ? `sim seed ${market.seed}`
    : market.source === 'live'
      ? market.exchange
      : [market.source].flat().join(' and ')

function saw({ snapshot, prompt, promptTokens }: CycleRecord): string | null {
  if (snapshot === null) return null
  const { quote, views, funding, reference, news, account, position, performance } = snapshot
  const lines = [`${snapshot.symbol}  last ${quote.last}  bid ${quote.bid}  ask ${quote.ask}  as of ${snapshot.asOf}`]
  lines.push(...table([views.primary, views.fourHour, views.daily].map(viewRow)))
  const market = [
    funding === null ? 'funding unknown' : `funding ${signedPercent(funding.annualised)} a year`,
    reference === null
      ? 'no reference market'
      : `${reference.symbol} ${amount(reference.price)}${reference.change24h === null ? '' : ` (${signedPercent(reference.change24h)} in 24 h)`}`,
    `${news.headlines.length} headlines`,
  ]
  lines.push(market.join(' · '))
  const holding =
    position === null
      ? 'flat'
      : `${position.side} ${position.quantity} from ${position.entryPrice}, unrealised ${amount(position.unrealisedPnl)}`
  lines.push(
    `account: equity ${amount(account.equity)}, day ${signedPercent(account.dayReturn)}, drawdown ${(account.drawdown * 100).toFixed(2)} %, ${holding}; last ${performance.trades} trades${performance.winRate === null ? '' : `, ${(performance.winRate * 100).toFixed(0)} % won`}`,
  )
  for (const problem of dataProblems(snapshot)) lines.push(`! ${problem}`)
  if (prompt !== null)
    lines.push(
      `prompt: ${amount(promptTokens ?? 0, 0)} tokens, version ${prompt.version}, hash ${prompt.hash.slice(0, 12)}`,
    )
  return section('Saw', lines)
}

function viewRow({ timeframe, indicators, regime, barsUsed }: TimeframeView): string[] {
  const { rsi14, ema12, ema26, atr14, adx14 } = indicators
  const direction = regime.direction > 0 ? ' up' : regime.direction < 0 ? ' down' : ''
  return [
    timeframe,
    `${regime.label}${direction}`,
    `RSI ${reading(rsi14, 1)}`,
    `EMA12 ${reading(ema12)}`,
    `EMA26 ${reading(ema26)}`,
    `ATR ${reading(atr14)}`,
    `ADX ${reading(adx14, 1)}`,
    `${barsUsed} bars`,
  ]
}

const reading = (value: number | null, places = 2): string => (value === null ? 'warming up' : amount(value, places))

function decided({ decision: made }: CycleRecord): string | null {
  if (made === null) return null
  const { decision, failure, usage, model } = made
  const lines: string[] = []
  if (failure !== null) lines.push(`nothing: the decider failed (${failure.kind})`, ...wrap(failure.message))
  else if (isEntry(decision)) {
    lines.push(
      `${decision.action}  stop ${amount(decision.stopLossPrice, 4)}  target ${amount(decision.takeProfitPrice, 4)}  confidence ${decision.confidence}`,
    )
    lines.push(...wrap(decision.rationale), ...wrap(`wrong if: ${decision.invalidation}`))
  } else lines.push(decision.action, ...wrap(decision.rationale))
  if (usage.inputTokens > 0)
    lines.push(
      `${model ?? ''} ${usage.inputTokens} + ${usage.outputTokens} tokens${usage.costUsd === null ? '' : `, $${usage.costUsd.toFixed(4)}`}`,
    )
  return section('Decided', lines)
}

function guarded({ verdicts, decision }: CycleRecord): string | null {
  if (verdicts.length === 0) return null
  const failed = verdicts.filter((verdict) => !verdict.passed).length
  // Of a decider that failed there is nothing to judge but the account.
  if (decision !== null && decision.failure !== null && failed === 0)
    return section('Guard', ['nothing to judge; the account is within its limits'])
  const rows = verdicts.map((verdict) => [verdict.passed ? 'ok' : 'NO', verdict.rule, verdict.reason])
  return section('Guard', [`${verdicts.length - failed} of ${verdicts.length} rules pass`, ...table(rows)])
}

function ordered({ order, placement, fills, venueOrders }: CycleRecord): string | null {
  if (order === null) return null
  const placed =
    placement === null
      ? 'not sent'
      : placement.outcome === 'accepted'
        ? `accepted as ${placement.orderId}`
        : `${placement.outcome}: ${placement.reason}`
  const lines = [
    `${order.kind} ${order.side} ${order.quantity} contracts of ${order.symbol}${order.kind === 'entry' ? `, no worse than ${order.priceLimit}, leverage ${order.leverage}` : ''}`,
    `client id ${order.clientOrderId}, ${placed}`,
  ]
  for (const fill of fills)
    lines.push(
      `filled ${fill.side} ${fill.quantity} at ${fill.price}, fee ${amount(fill.fee, 4)}, slippage ${fill.slippage === null ? 'unknown' : amount(fill.slippage, 4)}`,
    )
  for (const resting of venueOrders)
    if (resting.kind === 'protect')
      lines.push(
        `resting ${resting.side} ${resting.quantity}: stop ${resting.bracket?.stopLossPrice}, target ${resting.bracket?.takeProfitPrice} (${resting.orderId}, ${resting.status})`,
      )
  return section('Order', lines)
}

function held({ phaseAfter, config }: CycleRecord): string | null {
  if (phaseAfter === null) return null
  const position = positionOf(phaseAfter)
  const report = reportPosition(position)
  if (position === null || report === null)
    return section('Position', [phaseAfter.kind === 'flat' ? 'flat, no working exits' : `none yet: ${phaseAfter.kind}`])
  const base = canonical(dec(position.quantity).times(position.multiplier))
  const lines = [
    `${report.side} ${report.quantity} contracts (${base} ${config.instrument.unit}) from ${report.entryPrice}, ${phaseAfter.kind}`,
  ]
  lines.push(
    position.protection.status === 'live'
      ? `protected: stop ${position.protection.bracket.stopLossPrice} and target ${position.protection.bracket.takeProfitPrice} for ${position.protection.quantity} live at the venue (${position.protection.orderId})`
      : `! NOT PROTECTED: ${position.protection.status}`,
  )
  const risk = moneyAtRisk(position)
  lines.push(
    `at risk ${risk === null ? 'unknown, no stop is known to rest' : amount(risk)}, liquidation at ${position.liquidationPrice ?? 'unknown'}`,
  )
  return section('Position', lines)
}

function outcome({ outcome: result, reason, reconciliation, timingsMs }: CycleRecord): string {
  const timings = Object.entries(timingsMs)
    .filter(([, ms]) => ms > 0)
    .map(([step, ms]) => `${step} ${ms} ms`)
  return section('Outcome', [
    `${result}: ${reason}`,
    ...reconciliation.map((note) => `- ${note}`),
    ...(timings.length > 0 ? [timings.join(', ')] : []),
  ])
}

function written({ cycleId }: CycleRecord, location: RecordLocation): string {
  if (location === null) return section('Record', ['none: a dry run writes nothing'])
  return section('Record', [
    `${location.store}, table ${location.table}, pk ${location.pk}, sk ${location.sk}`,
    `read it again with: npx hourhand explain ${cycleId}`,
  ])
}
