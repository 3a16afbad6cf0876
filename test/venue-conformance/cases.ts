import assert from 'node:assert/strict'
import { BrokerError, type OrderRef } from '../../lib/venue/broker.ts'
import type { Price, Quantity } from '../../lib/core/decimal.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import type { Capabilities } from '../../schemas/venue.ts'
import { Refusal, type VenueOrder } from '../../schemas/order.ts'
import type { Act, Acts, Harness, HarnessFactory } from './harness.ts'
import { BRACKET, close, entry, idOf, protect, START } from './orders.ts'

/** One law that every venue keeps. `id` never changes and is never given twice. */
export type Case = {
  readonly id: string
  /** A whole sentence about any venue. */
  readonly title: string
  /** What the fake venue has to be able to do. */
  readonly acts?: readonly Act[]
  /** What the venue itself has to be able to do. */
  readonly needs?: keyof Capabilities
  /** Whose refusal it is about. */
  readonly refusal?: Refusal
  run(harness: Harness): Promise<void>
}

/** Why a case says nothing about a venue; null where it counts. */
export function whyNot({ acts = [], needs, refusal }: Case, venue: HarnessFactory): string | null {
  if (needs !== undefined && !venue.capabilities[needs]) return `the venue has no ${needs}`
  for (const act of acts) {
    const reason = venue.without[act]
    if (reason !== undefined) return reason
  }
  return refusal === undefined ? null : (venue.withoutRefusal[refusal] ?? null)
}

/** The act, which {@link whyNot} has found possible. */
function can<A extends Act>({ act }: Harness, name: A): Acts[A] {
  const found = act[name]
  assert(found !== undefined, `the harness has neither ${name} nor a reason why not`)
  return found
}

const refOf = (clientOrderId: string, orderId: string | null = null): OrderRef => ({
  clientOrderId,
  orderId,
  since: START - MINUTE_MS,
})
const contractsHeld = async ({ broker, symbol }: Harness): Promise<number> => {
  const position = await broker.position(symbol)
  return position === null ? 0 : Number(position.quantity) * (position.side === 'long' ? 1 : -1)
}
/** What the broker says of the position is what is held. */
const assertHeld = async (harness: Harness, contracts: number): Promise<void> => {
  assert.equal((await harness.truth()).contracts, contracts, 'contracts really held')
  assert.equal(await contractsHeld(harness), contracts, 'contracts that the broker tells')
}
const exitsOf = async ({ broker, symbol }: Harness): Promise<VenueOrder[]> =>
  (await broker.openOrders(symbol)).filter(({ kind }) => kind === 'protect')
const cancelExits = async (harness: Harness): Promise<void> => {
  for (const { orderId } of await exitsOf(harness)) await harness.broker.cancel(harness.symbol, orderId)
}
const fillsOf = ({ broker, symbol }: Harness) => broker.fills(symbol, START - MINUTE_MS)
const pricesOf = ({ bracket }: VenueOrder) => [Number(bracket?.stopLossPrice), Number(bracket?.takeProfitPrice)]
const APPROVED = [Number(BRACKET.stopLossPrice), Number(BRACKET.takeProfitPrice)]
const enter = async (harness: Harness): Promise<void> => {
  assert.equal((await harness.place(entry())).outcome, 'accepted')
}
const isClosed = async (harness: Harness): Promise<void> => {
  await assertHeld(harness, 0)
  assert.deepEqual(await exitsOf(harness), [], 'exits that still rest')
}

/** Every law, in the order of its number. A number that is given up stays given up. */
export const CASES: readonly Case[] = [
  {
    id: 'VC-01',
    title: 'An accepted entry is held at once, in the size and on the side that were asked for',
    async run(harness) {
      const placement = await harness.place(entry())
      assert.equal(placement.outcome, 'accepted')
      await assertHeld(harness, 2)
    },
  },
  {
    id: 'VC-02',
    title: 'A refused entry leaves no position and no order behind',
    async run(harness) {
      const placement = await harness.place(entry({ quantity: '400' as Quantity }))
      assert.equal(placement.outcome, 'rejected')
      await isClosed(harness)
      assert.equal((await harness.truth()).ordersOf(idOf('entry')), 0)
    },
  },
  {
    id: 'VC-03',
    title: 'A broken answer to an order that took effect is unknown, and never called a refusal',
    acts: ['breakAnswer'],
    async run(harness) {
      can(harness, 'breakAnswer')()
      assert.equal((await harness.place(entry())).outcome, 'unknown')
      await assertHeld(harness, 2)
    },
  },
  {
    id: 'VC-04',
    title: 'The same order sent twice under one id exists once',
    needs: 'refusesDuplicateIds',
    async run(harness) {
      await enter(harness)
      await harness.place(entry())
      assert.equal((await harness.truth()).ordersOf(idOf('entry')), 1)
      await assertHeld(harness, 2)
    },
  },
  {
    id: 'VC-05',
    title: 'Another order under an id that was used makes no second order',
    needs: 'refusesDuplicateIds',
    async run(harness) {
      await enter(harness)
      await cancelExits(harness)
      await harness.place(protect({ clientOrderId: idOf('entry'), quantity: '1' as Quantity }))
      assert.equal((await harness.truth()).ordersOf(idOf('entry')), 1)
      assert.deepEqual(await exitsOf(harness), [])
    },
  },
  {
    id: 'VC-06',
    title: 'An answer lost before the order took effect is unknown, and the venue knows no such order',
    acts: ['loseAnswer'],
    async run(harness) {
      can(harness, 'loseAnswer')('before')
      assert.equal((await harness.place(entry())).outcome, 'unknown')
      assert.equal(await harness.broker.order(harness.symbol, refOf(idOf('entry'))), null)
      await assertHeld(harness, 0)
    },
  },
  {
    id: 'VC-07',
    title: 'An answer lost after the order took effect is unknown, and the order is found by our id',
    acts: ['loseAnswer'],
    async run(harness) {
      can(harness, 'loseAnswer')('after')
      assert.equal((await harness.place(entry())).outcome, 'unknown')
      const found = await harness.broker.order(harness.symbol, refOf(idOf('entry')))
      assert.equal(found?.status, 'filled')
      assert.equal(Number(found?.filledQuantity), 2)
    },
  },
  {
    id: 'VC-08',
    title: 'An order that could not leave is rejected and not unknown',
    acts: ['refuseConnection'],
    async run(harness) {
      can(harness, 'refuseConnection')()
      assert.equal((await harness.place(entry())).outcome, 'rejected')
      assert.equal((await harness.truth()).ordersOf(idOf('entry')), 0)
    },
  },
  {
    id: 'VC-09',
    title: 'An order whose deadline has passed is not sent',
    async run(harness) {
      for (const order of [entry(), protect(), close()])
        assert.equal((await harness.broker.place(order, harness.now() - 1)).outcome, 'rejected')
      for (const leg of ['entry', 'protect', 'close'] as const)
        assert.equal((await harness.truth()).ordersOf(idOf(leg)), 0)
    },
  },
  {
    id: 'VC-10',
    title: 'An entry that fills in part is told by what has filled, and nothing of the rest goes on working',
    acts: ['fillPartly'],
    async run(harness) {
      can(harness, 'fillPartly')(0.5)
      await harness.place(entry())
      await assertHeld(harness, 1)
      const found = await harness.broker.order(harness.symbol, refOf(idOf('entry')))
      assert.equal(Number(found?.filledQuantity), 1)
      assert.ok(found?.status === 'cancelled' || found?.status === 'filled', `status ${String(found?.status)}`)
    },
  },
  {
    id: 'VC-11',
    title: 'An entry never fills beyond its price limit',
    async run(harness) {
      await harness.place(entry({ priceLimit: '2990' as Price }))
      await assertHeld(harness, 0)
      assert.deepEqual(await fillsOf(harness), [])
    },
  },
  {
    id: 'VC-12',
    title: 'An entry with exits attached has one stop, of the size held and at the approved prices',
    needs: 'attachedExits',
    async run(harness) {
      await enter(harness)
      const exits = await exitsOf(harness)
      assert.equal(exits.length, 1)
      assert.deepEqual(exits.map(pricesOf), [APPROVED])
      assert.deepEqual(
        exits.map(({ quantity, side }) => [Number(quantity), side]),
        [[2, 'sell']],
      )
    },
  },
  {
    id: 'VC-13',
    title: 'An exit that is replaced rests once, at the new prices, under our id',
    async run(harness) {
      await enter(harness)
      await cancelExits(harness)
      const bracket = { stopLossPrice: '2900' as Price, takeProfitPrice: '3400' as Price }
      const placement = await harness.place(protect({ bracket }))
      assert.equal(placement.outcome, 'accepted')
      const exits = await exitsOf(harness)
      assert.deepEqual(exits.map(pricesOf), [[2_900, 3_400]])
      assert.deepEqual(
        exits.map(({ clientOrderId }) => clientOrderId),
        [idOf('protect')],
      )
    },
  },
  {
    id: 'VC-14',
    title: 'A stop that the price reaches closes the position, and its fill says so',
    acts: ['price'],
    async run(harness) {
      await enter(harness)
      await can(harness, 'price')(2_849)
      await isClosed(harness)
      assert.deepEqual(
        (await fillsOf(harness)).map(({ reason }) => reason),
        ['entry', 'stop_loss'],
      )
    },
  },
  {
    id: 'VC-15',
    title: 'A target that the price reaches closes the position at its price or better, and its fill says so',
    acts: ['price'],
    async run(harness) {
      await enter(harness)
      await can(harness, 'price')(3_301)
      await isClosed(harness)
      const last = (await fillsOf(harness)).at(-1)
      assert.equal(last?.reason, 'take_profit')
      assert.ok(Number(last?.price) >= 3_300, `filled at ${String(last?.price)}`)
    },
  },
  {
    id: 'VC-16',
    title: 'A stop that a gap jumps over is filled, or told as fired and unfilled: never as an exit that still guards',
    acts: ['price'],
    async run(harness) {
      await enter(harness)
      await can(harness, 'price')(2_500)
      const exits = await exitsOf(harness)
      if ((await harness.truth()).contracts === 0) assert.deepEqual(exits, [])
      else
        assert.deepEqual(
          exits.map(({ isTriggered }) => isTriggered),
          [true],
        )
      assert.equal(await contractsHeld(harness), (await harness.truth()).contracts)
    },
  },
  {
    id: 'VC-17',
    title: 'An exit that a person cancels is missing from the open orders, and the position is still told',
    acts: ['cancelByHand'],
    async run(harness) {
      await enter(harness)
      assert.equal((await exitsOf(harness)).length, 1)
      can(harness, 'cancelByHand')()
      assert.deepEqual(await exitsOf(harness), [])
      await assertHeld(harness, 2)
    },
  },
  {
    id: 'VC-18',
    title: 'A position that a person reduces is told in its new size, with a fill that is not ours',
    acts: ['reduceByHand'],
    async run(harness) {
      await enter(harness)
      can(harness, 'reduceByHand')(1)
      await assertHeld(harness, 1)
      assert.deepEqual(
        (await fillsOf(harness)).map(({ reason }) => reason),
        ['entry', 'external'],
      )
    },
  },
  {
    id: 'VC-19',
    title: 'A position that a person reverses is told on its new side',
    acts: ['reverseByHand'],
    async run(harness) {
      await enter(harness)
      can(harness, 'reverseByHand')(5)
      await assertHeld(harness, -3)
    },
  },
  {
    id: 'VC-20',
    title: 'A liquidation leaves no position, and its fill says so',
    acts: ['liquidate'],
    async run(harness) {
      await enter(harness)
      await can(harness, 'liquidate')()
      await assertHeld(harness, 0)
      assert.equal((await fillsOf(harness)).at(-1)?.reason, 'liquidation')
    },
  },
  {
    id: 'VC-21',
    title: 'A close of the whole position leaves nothing held and nothing resting',
    async run(harness) {
      await enter(harness)
      await cancelExits(harness)
      assert.equal((await harness.place(close())).outcome, 'accepted')
      await isClosed(harness)
      assert.equal((await fillsOf(harness)).at(-1)?.reason, 'close')
    },
  },
  {
    id: 'VC-22',
    title: 'A close of a part leaves the rest, on the same side',
    async run(harness) {
      await enter(harness)
      await cancelExits(harness)
      assert.equal((await harness.place(close({ quantity: '1' as Quantity }))).outcome, 'accepted')
      await assertHeld(harness, 1)
    },
  },
  {
    id: 'VC-23',
    title: 'A close while nothing is held is refused and opens nothing',
    async run(harness) {
      assert.equal((await harness.place(close())).outcome, 'rejected')
      await isClosed(harness)
    },
  },
  {
    id: 'VC-24',
    title: 'A close that is larger than the position never opens the other side, and its answer is known',
    async run(harness) {
      await enter(harness)
      await cancelExits(harness)
      const { outcome } = await harness.place(close({ quantity: '5' as Quantity }))
      assert.notEqual(outcome, 'unknown')
      assert.ok((await harness.truth()).contracts >= 0)
    },
  },
  {
    id: 'VC-25',
    title: 'The close of a session is announced before, told after, and the position is still held',
    acts: ['closeSession'],
    async run(harness) {
      const before = (await harness.broker.instrument(harness.symbol)).session
      assert.equal(before.isOpen, true)
      assert.notEqual(before.nextClose, null)
      await enter(harness)
      await can(harness, 'closeSession')()
      assert.equal((await harness.broker.instrument(harness.symbol)).session.isOpen, false)
      await assertHeld(harness, 2)
    },
  },
  {
    id: 'VC-26',
    title: 'A market in which nobody has traded for an hour is not called open',
    acts: ['stopTrading'],
    async run(harness) {
      can(harness, 'stopTrading')()
      assert.notEqual(await harness.trading(), 'open')
    },
  },
  {
    id: 'VC-27',
    title: 'A crossed quote is refused',
    acts: ['spoilQuotes'],
    async run(harness) {
      await harness.quote()
      can(harness, 'spoilQuotes')('crossed')
      await assert.rejects(later(harness))
    },
  },
  {
    id: 'VC-28',
    title: 'A one-sided quote is refused',
    acts: ['spoilQuotes'],
    async run(harness) {
      can(harness, 'spoilQuotes')('one-sided')
      await assert.rejects(harness.quote())
    },
  },
  {
    id: 'VC-29',
    title: 'A market without a price is refused, and not taken for a price of zero',
    acts: ['losePrice'],
    async run(harness) {
      can(harness, 'losePrice')()
      await assert.rejects(harness.quote())
    },
  },
  {
    id: 'VC-30',
    title: 'More fills than a page holds are all told, oldest first, each once',
    acts: ['tradeOften'],
    async run(harness) {
      can(harness, 'tradeOften')(150)
      const fills = await fillsOf(harness)
      assert.equal(fills.length, 300)
      assert.equal(new Set(fills.map(({ fillId }) => fillId)).size, 300)
      assert.deepEqual(
        fills.map(({ at }) => at),
        fills.map(({ at }) => at).toSorted(),
      )
    },
  },
  {
    id: 'VC-31',
    title: 'A clock that is a minute off keeps entries out and is named by the inspection',
    acts: ['skewClock'],
    async run(harness) {
      can(harness, 'skewClock')(MINUTE_MS)
      assert.equal((await harness.place(entry())).outcome, 'rejected')
      await assertHeld(harness, 0)
      assert.deepEqual(await harness.inspect?.(), ['clock'])
    },
  },
  {
    id: 'VC-32',
    title: 'A question that the rate limit turns away is asked again',
    acts: ['limitRate'],
    async run(harness) {
      can(harness, 'limitRate')('reading')
      assert.equal(await harness.broker.position(harness.symbol), null)
    },
  },
  {
    id: 'VC-33',
    title: 'Rejected credentials reject every question, and are never taken for an empty account',
    acts: ['rejectCredentials'],
    async run(harness) {
      can(harness, 'rejectCredentials')()
      const { broker, symbol } = harness
      await assert.rejects(broker.position(symbol), BrokerError)
      await assert.rejects(broker.openOrders(symbol), BrokerError)
      await assert.rejects(broker.account(), BrokerError)
    },
  },
  {
    id: 'VC-34',
    title: 'The cancel of an order that the venue does not know is not accepted',
    async run({ broker, symbol }) {
      assert.notEqual((await broker.cancel(symbol, '00000000-0000-4000-8000-000000000000')).outcome, 'accepted')
    },
  },
  {
    id: 'VC-35',
    title: 'An order that a person rests is told as foreign',
    acts: ['placeByHand'],
    async run({ broker, symbol, act }) {
      act.placeByHand?.()
      assert.deepEqual(
        (await broker.openOrders(symbol)).map(({ kind }) => kind),
        ['foreign'],
      )
    },
  },
  {
    id: 'VC-36',
    title: 'Cash moves by exactly what the fills say: profit less fees',
    async run(harness) {
      const before = Number((await harness.broker.account()).cash)
      await enter(harness)
      await cancelExits(harness)
      await harness.place(close())
      const { instrument } = await harness.broker.instrument(harness.symbol)
      const paid = (await fillsOf(harness)).reduce(
        (sum, { side, price, quantity, fee }) =>
          sum +
          Number(price) * Number(quantity) * Number(instrument.multiplier) * (side === 'sell' ? 1 : -1) -
          Number(fee),
        0,
      )
      const after = Number((await harness.broker.account()).cash)
      assert.ok(paid < 0, 'a round trip at one price costs something')
      assert.ok(Math.abs(after - before - paid) < 1e-6, `cash moved by ${after - before}, fills say ${paid}`)
    },
  },
  {
    id: 'VC-37',
    title: 'Fills before the instant asked for are left out',
    async run(harness) {
      await enter(harness)
      assert.equal((await fillsOf(harness)).length, 1)
      assert.deepEqual(await harness.broker.fills(harness.symbol, harness.now() + MINUTE_MS), [])
    },
  },
  {
    id: 'VC-38',
    title: 'A deposit is listed with its amount and moves cash',
    needs: 'listsTransfers',
    acts: ['deposit'],
    async run(harness) {
      const before = Number((await harness.broker.account()).cash)
      await can(harness, 'deposit')('250')
      const listed = (await harness.broker.transfers?.(START - MINUTE_MS)) ?? []
      assert.deepEqual(
        listed.map(({ amount }) => Number(amount)),
        [250],
      )
      assert.equal(Number((await harness.broker.account()).cash), before + 250)
    },
  },
  {
    id: 'VC-39',
    title: 'A funding settlement is listed once, with the amount by which cash moved',
    needs: 'listsFunding',
    acts: ['settleFunding'],
    async run(harness) {
      await enter(harness)
      const before = Number((await harness.broker.account()).cash)
      await can(harness, 'settleFunding')()
      const listed = await harness.broker.fundingPayments(harness.symbol, START - MINUTE_MS)
      const after = Number((await harness.broker.account()).cash)
      assert.equal(listed.length, 1)
      assert.ok(Number(listed[0]?.amount) < 0, 'a long pays a positive rate')
      assert.ok(Math.abs(after - before - Number(listed[0]?.amount)) < 1e-9)
    },
  },
  ...Refusal.options.map((refusal, index): Case => ({
    id: `VC-${40 + index}`,
    title: `A refusal for ${refusal} has that word, and the venue's own beside it`,
    refusal,
    async run({ provoke }) {
      const run = provoke[refusal]
      assert(run !== undefined, `the harness neither provokes ${refusal} nor says why not`)
      const placement = await run()
      assert.notEqual(placement.outcome, 'accepted')
      assert(placement.outcome !== 'accepted')
      assert.equal(placement.refusal, refusal)
      assert.notEqual(placement.reason, '')
    },
  })),
]

/** A quote a few seconds on: answers of one instant are kept. */
const later = async (harness: Harness): Promise<unknown> => {
  await harness.act.price?.(3_000)
  return harness.quote()
}
