/** The code broken in one place: exact text of a file and what replaces it everywhere there. */
export type Sabotage = { name: string; edits: readonly { file: string; find: string; replace: string }[] }

/** What the simulation has to notice. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'the wire carries another id than the intent',
    edits: [
      {
        file: 'lib/venue/coinbase/endpoints/create-order.ts',
        find: 'client_order_id: order.clientOrderId,',
        replace:
          'client_order_id: order.clientOrderId.replace(/^.{8}/, () => String(Math.floor(1e7 + Math.random() * 8e7))),',
      },
    ],
  },
  {
    name: 'client ids are random',
    edits: [
      {
        file: 'lib/core/ids.ts',
        find: 'return uuidOf(`hourhand|${strategyId}|${toIso(slot)}|${leg}|${attempt}`',
        replace: 'return uuidOf(`${Math.random()}`',
      },
    ],
  },
  {
    name: 'the order is sent before its intent is stored',
    edits: [
      {
        file: 'lib/execution/enter-position.ts',
        find: '  const intended = await commit(',
        replace: '  const early = await ports.broker.place(order, deadline)\n  const intended = await commit(',
      },
      {
        file: 'lib/execution/enter-position.ts',
        find: 'const placement = await sendOrder(ports, order, deadline)',
        replace: 'const placement = early',
      },
    ],
  },
  {
    name: 'the state is written without its version',
    edits: [
      {
        file: 'lib/store/store.ts',
        find: "await put(item, isNew ? 'absent' : { version: state.version })",
        replace: "await put(item, 'none')",
      },
    ],
  },
  {
    name: 'unknown is taken for rejected',
    edits: [
      {
        file: 'lib/execution/enter-position.ts',
        find: "[{ type: 'entry_acknowledged', at, status: 'unknown', orderId: null }]",
        replace: "[{ type: 'entry_ended', at, end: 'rejected', reason: placement.reason }]",
      },
    ],
  },
  {
    name: 'protection is not checked',
    edits: [{ file: 'lib/execution/reconcile/reconcile.ts', find: '  checkExits(draft)\n', replace: '' }],
  },
  {
    name: 'the cycle decides without reconciling',
    edits: [
      {
        file: 'lib/cycle/run-cycle.ts',
        find: 'let state = await this.reconcile(await loadOrCreateState(ports))',
        replace: 'let state = await loadOrCreateState(ports)',
      },
      {
        file: 'lib/cycle/run-cycle.ts',
        find: 'state = await this.reconcile(await loadOrCreateState(ports))\n    }',
        replace: 'state = await loadOrCreateState(ports)\n    }',
      },
    ],
  },
  {
    name: 'a deadline is not looked at',
    edits: [
      {
        file: 'lib/venue/coinbase/coinbase-broker.ts',
        find: 'async place(order, deadline): Promise<Placement> {',
        replace: 'async place(order, real): Promise<Placement> {\n      const deadline = real + 9e9',
      },
      { file: 'lib/execution/send-order.ts', find: 'clock() > deadline', replace: 'false' },
    ],
  },
  {
    name: 'a stop may be larger than the position',
    edits: [
      {
        file: 'lib/execution/reconcile/check-exits.ts',
        find: 'remainingOf(order).eq(size)',
        replace: 'remainingOf(order).gte(size)',
      },
    ],
  },
  {
    name: 'stray exits are left',
    edits: [{ file: 'lib/execution/reconcile/reconcile.ts', find: '  sweepStrayOrders(draft)\n', replace: '' }],
  },
  {
    name: 'exits are not cancelled before a close',
    edits: [
      {
        file: 'lib/execution/close-position.ts',
        find: 'if (!(await cancelExits(ports)))',
        replace: 'if (false as boolean)',
      },
    ],
  },
  {
    name: 'fills are taken as often as they are listed',
    edits: [
      {
        file: 'lib/execution/reconcile/take-executions.ts',
        find: '!held?.fillIds.includes(fill.fillId) && isNews(fill.fillId)',
        replace: 'true',
      },
    ],
  },
  {
    name: 'what a hand has closed is always taken for ours',
    edits: [
      {
        file: 'lib/execution/reconcile/take-executions.ts',
        find: 'const gone = dec(held.quantity).minus(facts.position.quantity)',
        replace: 'const gone = dec(fill.quantity)',
      },
    ],
  },
  {
    name: 'funding is not inferred',
    edits: [
      { file: 'lib/execution/reconcile/infer-funding.ts', find: 'if (facts.listsFunding ||', replace: 'if (true ||' },
    ],
  },
  {
    name: 'the outbox is not delivered after a crash',
    edits: [
      { file: 'lib/execution/commit.ts', find: '  if (stored !== null) await deliver(ports, stored)\n', replace: '' },
    ],
  },
  {
    name: 'a halt is not looked at',
    edits: [
      {
        file: 'lib/cycle/run-cycle.ts',
        find: "if (halt !== null) return { outcome: 'halted'",
        replace: "if (false as boolean) return { outcome: 'halted'",
      },
      { file: 'lib/guard/rules/standing.ts', find: 'finding(\n      halt === null,', replace: 'finding(\n      true,' },
    ],
  },
  {
    name: 'the wire carries another stop',
    edits: [
      {
        file: 'lib/venue/coinbase/endpoints/create-order.ts',
        find: 'stop_trigger_price: stopLossPrice,',
        replace: 'stop_trigger_price: String(Math.round(Number(stopLossPrice) * 0.95 * 2) / 2),',
      },
    ],
  },
  {
    name: 'the wire carries another target',
    edits: [
      {
        file: 'lib/venue/coinbase/endpoints/create-order.ts',
        find: 'limit_price: takeProfitPrice,',
        replace: 'limit_price: String(Math.round(Number(takeProfitPrice) * 1.02 * 2) / 2),',
      },
    ],
  },
  {
    name: 'the order has another stop than the decision',
    edits: [
      {
        file: 'lib/guard/plan-entry.ts',
        find: 'const { stopLossPrice, takeProfitPrice } = exitsOnTick(side, decision, tick)',
        replace:
          'const { takeProfitPrice, stopLossPrice: decided } = exitsOnTick(side, decision, tick)\n  const stopLossPrice = decided.minus(tick.times(2))',
      },
    ],
  },
  {
    name: 'a stop anywhere is taken for live',
    edits: [
      {
        file: 'lib/execution/reconcile/compare-exit.ts',
        find: '  committed === null ||\n',
        replace: '  committed !== undefined ||\n',
      },
    ],
  },
  {
    name: 'the daily loss is not looked at',
    edits: [
      {
        file: 'lib/guard/limits.ts',
        find: "const loss = { rule: 'daily_loss', actual: dailyLoss(accounting)",
        replace: "const loss = { rule: 'daily_loss', actual: 0 * dailyLoss(accounting)",
      },
    ],
  },
  {
    name: 'the drawdown is not looked at',
    edits: [
      {
        file: 'lib/guard/limits.ts',
        find: "const fall = { rule: 'drawdown', actual: drawdown(accounting)",
        replace: "const fall = { rule: 'drawdown', actual: 0 * drawdown(accounting)",
      },
    ],
  },
  {
    name: 'a pass does not halt at a limit',
    edits: [
      {
        file: 'lib/execution/run-enforcement.ts',
        find: 'const breach = state.halt === null ? breachOf(books, config) : null',
        replace: 'const breach = state.version < 0 ? breachOf(books, config) : null',
      },
    ],
  },
  {
    name: 'the cooldown is not kept',
    edits: [
      {
        file: 'lib/guard/rules/conditions.ts',
        find: 'waitedMs >= limit * MINUTE_MS,',
        replace: 'waitedMs >= 0 * MINUTE_MS,',
      },
    ],
  },
]
