import { describe, expect, it } from 'vitest'
import { createCoinbaseBroker } from '../../lib/venue/coinbase/coinbase-broker.ts'
import { dec, money, price, quantity } from '../../lib/core/decimal.ts'
import { clientOrderIdOf } from '../../lib/core/ids.ts'
import { judge } from '../../lib/guard/judge.ts'
import { MINUTE_MS, SECOND_MS } from '../../lib/core/time.ts'
import { contextWith, failedRules } from '../guard/fixtures.ts'
import { SYMBOL } from '../simulation/market.ts'
import type { Fault } from '../support/coinbase/faults.ts'
import { CLOSE, createLiveWorld, LONG, onOrder, SHORT, SLOT } from './live-world.ts'

/** An order arrives and nobody hears so. */
const SILENT: readonly [string, Fault][] = [
  ['no answer', { kind: 'drop', takesEffect: true }],
  ['no answer in time', { kind: 'stall', takesEffect: true }],
  ['the answer takes longer than anybody waits', { kind: 'delay', ms: 9_000 }],
  ['a gateway gives up', { kind: 'status', status: 504, takesEffect: true }],
  ['the connection ends inside the answer', { kind: 'cut', takesEffect: true }],
]

describe('timeout after submit', () => {
  it.each(SILENT)('%s: told as unknown, found at the venue, sent once', async (_name, fault) => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', fault))
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', placement: { outcome: 'unknown' } })
    expect(world.told()).toEqual(['unknown', 'opened', 'protected'])
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry'])
    expect(world.held()).toBe(10)
    expect((await world.state()).phase).toMatchObject({
      kind: 'open',
      position: { quantity: '10', protection: { status: 'live' } },
    })
  })

  it('it never arrived: nothing new is opened meanwhile, and past its deadline it is given up, never sent again', async () => {
    const world = await createLiveWorld({ decisions: [LONG, LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'drop', takesEffect: false }))
    expect(await world.cycle()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('unknown') })
    expect((await world.state()).phase.kind).toBe('opening')
    await world.pass(1)
    expect((await world.state()).phase).toMatchObject({
      kind: 'flat',
      abandoned: { cycleId: 'eth-perp-20260310T1200Z' },
    })
    expect(world.placed()).toHaveLength(1)
    world.moveTo(30)
    expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
    const ids = world.placed().map(({ id }) => id)
    expect(new Set(ids).size).toBe(2)
  })

  it.each([
    [15, 'before it is given up'],
    [75, 'after it was given up'],
  ])('it arrives %i s late, %s: it is ours, and protected', async (seconds) => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'arrive_late', ms: seconds * SECOND_MS }))
    expect(await world.cycle()).toMatchObject({ outcome: 'failed' })
    await world.pass(2)
    expect((await world.state()).phase).toMatchObject({
      kind: 'open',
      position: { quantity: '10', thesis: { cycleId: 'eth-perp-20260310T1200Z' }, protection: { status: 'live' } },
    })
    expect(world.exits()).toMatchObject([{ size: 10 }])
    expect(world.placed().filter(({ kind }) => kind === 'entry')).toHaveLength(1)
  })
})

describe('accepted, answer unreadable', () => {
  it.each<[string, Fault]>([
    ['half of the JSON', { kind: 'truncate', takesEffect: true }],
    ['a page', { kind: 'status', status: 200, takesEffect: true, text: '<html>ok</html>' }],
    ['without an order id', { kind: 'wrong_echo', orderId: '' }],
    ['about another order', { kind: 'wrong_echo', clientOrderId: '00000000-0000-4000-8000-000000000000' }],
    ['success of another type', { kind: 'tamper', change: (body) => ({ ...Object(body), success: 'yes' }) }],
  ])('%s: unknown, then found by asking; sent once', async (_name, fault) => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', fault))
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', placement: { outcome: 'unknown' } })
    expect(world.told()).toEqual(['unknown', 'opened', 'protected'])
    expect(world.placed()).toHaveLength(1)
    expect(world.held()).toBe(10)
  })
})

it('filled before you looked: entry and stop are both over before the first question', async () => {
  const world = await createLiveWorld({ decisions: [LONG], steps: [{ afterMs: 3_000, price: 1_975 }] })
  world.venue.misbehave(onOrder('entry', { kind: 'delay', ms: 6_000 }))
  expect(await world.cycle()).toMatchObject({ outcome: 'entered', reason: 'entered, and out again' })
  expect(world.told()).toEqual(['opened', 'closed'])
  expect(await world.trades()).toMatchObject([{ quantity: '10', exitReason: 'stop_loss' }])
  expect((await world.state()).phase.kind).toBe('flat')
  expect(world.placed()).toHaveLength(1)
  expect(await world.sameCash()).toBe(true)
})

describe('entry filled, stop placement fails', () => {
  it('once: placed again, under another id', async () => {
    const world = await createLiveWorld({ decisions: [LONG], venue: { switches: { refusesAttachedBrackets: true } } })
    world.venue.misbehave(onOrder('protect', { kind: 'reject', reason: 'UNKNOWN_FAILURE_REASON' }))
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', reason: 'entered and protected' })
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'protect', 'protect'])
    expect(new Set(world.placed().map(({ id }) => id)).size).toBe(3)
    expect(world.exits()).toMatchObject([{ size: 10 }])
    expect(world.told()).toEqual(['opened', 'naked', 'protected'])
  })

  it('twice: flattened at once and told', async () => {
    const world = await createLiveWorld({
      decisions: [LONG],
      venue: { switches: { refusesAttachedBrackets: true, refusesBrackets: true } },
    })
    await world.cycle()
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'protect', 'protect', 'close'])
    expect(world.held()).toBe(0)
    expect(await world.trades()).toMatchObject([{ exitReason: 'unprotected' }])
    expect(world.told()).toEqual(['opened', 'naked', 'naked', 'closed'])
  })

  it.each(SILENT)('%s to the stop: told as unknown, found at the venue, sent once', async (_name, fault) => {
    const world = await createLiveWorld({ decisions: [LONG], venue: { switches: { refusesAttachedBrackets: true } } })
    world.venue.misbehave(onOrder('protect', fault))
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', reason: 'entered and protected' })
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'protect'])
    expect(world.told()).toEqual(['opened', 'unknown', 'protected'])
    expect(world.events[1]).toMatchObject({ detail: { leg: 'protect', clientOrderId: world.placed()[1]?.id } })
    expect(world.exits()).toMatchObject([{ size: 10 }])
  })

  it('the attached stop never comes to be: one of our own takes its place', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'childless' }))
    await world.cycle()
    await world.pass(1)
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'protect'])
    expect(world.exits()).toMatchObject([{ size: 10, bracket: { stopPrice: '1980' } }])
  })
})

describe('client id re-used with another body', () => {
  it.each(['first', 'refuse'] as const)(
    'the venue answers "%s": its order is compared with ours, and is not taken for it',
    async (duplicateIds) => {
      const world = await createLiveWorld({ decisions: [LONG], venue: { switches: { duplicateIds } } })
      const id = clientOrderIdOf(world.config.id, SLOT, 'entry', 0)
      const body = {
        client_order_id: id,
        product_id: SYMBOL,
        side: 'BUY',
        order_configuration: { limit_limit_gtc: { base_size: '17', limit_price: '1000', post_only: false } },
      }
      expect(JSON.parse(world.venue.ask({ method: 'POST', path: 'orders', query: {}, body }).text)).toMatchObject({
        success: true,
      })
      await world.cycle()
      const { phase, halt, incidents } = await world.state()
      expect(incidents).toMatchObject([{ kind: 'wrong_order', detail: expect.stringContaining('buy of 17') }])
      expect(halt).toMatchObject({ by: 'incident' })
      expect(phase.kind).toBe('flat')
      expect(world.held()).toBe(0)
      expect(world.placed()).toHaveLength(1)
      // What rested under our id and was not meant does not rest any longer.
      expect(world.venue.truth().orders.filter(({ isLive }) => isLive)).toEqual([])
      world.moveTo(30)
      expect(await world.cycle()).toMatchObject({ outcome: 'halted' })
    },
  )

  it.each(['buy', 'sell'] as const)(
    'a %s of the other size under it has filled or fills: nothing stops enforcement, and a person is told',
    async (side) => {
      const world = await createLiveWorld({
        decisions: [LONG],
        steps: [{ afterMs: 90_000, price: side === 'buy' ? 1_995 : 2_005 }],
      })
      const body = {
        client_order_id: clientOrderIdOf(world.config.id, SLOT, 'entry', 0),
        product_id: SYMBOL,
        side: side.toUpperCase(),
        order_configuration: {
          limit_limit_gtc: { base_size: '17', limit_price: side === 'buy' ? '1996' : '2004', post_only: false },
        },
      }
      world.venue.ask({ method: 'POST', path: 'orders', query: {}, body })
      world.venue.misbehave({
        on: { path: 'orders/batch_cancel' },
        fault: { kind: 'reject', reason: 'UNKNOWN_CANCEL_FAILURE_REASON' },
        times: 99,
      })
      await world.cycle()
      const passes = await world.pass(4)
      expect(passes).toHaveLength(4)
      expect(await world.state()).toMatchObject({
        halt: { by: 'incident' },
        incidents: expect.arrayContaining([expect.objectContaining({ kind: 'wrong_order' })]) as unknown,
      })
      // What our entry would have opened is held and protected; the other side is not ours, and is left to a person.
      expect([world.held(), world.exits().map(({ size }) => size)]).toEqual(side === 'buy' ? [17, [17]] : [-17, []])
    },
  )

  it('the body is frozen before it is sent: what the state holds is what the venue gets', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'drop', takesEffect: false }))
    await world.cycle()
    const { phase } = await world.state()
    const order = phase.kind === 'opening' ? phase.intent.order : null
    expect(order?.clientOrderId).toBe(clientOrderIdOf(world.config.id, SLOT, 'entry', 0))
    expect(world.placed()).toMatchObject([
      {
        id: order?.clientOrderId,
        body: {
          side: 'BUY',
          order_configuration: { sor_limit_ioc: { base_size: order?.quantity, limit_price: order?.priceLimit } },
          attached_order_configuration: {
            trigger_bracket_gtc: {
              limit_price: order?.bracket.takeProfitPrice,
              stop_trigger_price: order?.bracket.stopLossPrice,
            },
          },
        },
      },
    ])
  })
})

describe('partial fill', () => {
  it.each([
    ['attached', false],
    ['our own', true],
  ])('the %s stop covers what filled and no more', async (_name, refusesAttachedBrackets) => {
    const world = await createLiveWorld({
      decisions: [LONG],
      minSize: 3,
      closedTrades: 2,
      venue: { switches: { refusesAttachedBrackets } },
    })
    world.venue.misbehave(onOrder('entry', { kind: 'partial_fill', fraction: 0.5 }))
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', order: { quantity: '12' } })
    expect(world.held()).toBe(6)
    expect((await world.state()).phase).toMatchObject({
      kind: 'open',
      position: { quantity: '6', protection: { status: 'live', quantity: '6' } },
    })
    expect(world.exits()).toMatchObject([{ size: 6 }])
  })

  it('below the smallest order no stop of ours is taken: closed whole, though that is below it too', async () => {
    const world = await createLiveWorld({
      decisions: [LONG],
      minSize: 10,
      venue: { switches: { refusesAttachedBrackets: true } },
    })
    world.venue.misbehave(onOrder('entry', { kind: 'partial_fill', fraction: 0.4 }))
    await world.cycle()
    expect(world.placed().at(-1)).toMatchObject({ kind: 'close', body: { size: '4' } })
    expect(world.held()).toBe(0)
    expect(await world.trades()).toMatchObject([{ quantity: '4', exitReason: 'unprotected' }])
    expect(await world.sameCash()).toBe(true)
  })

  it('nothing fills: no position, no entry counted, nothing rests', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'partial_fill', fraction: 0 }))
    expect(await world.cycle()).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('did not fill') })
    expect(await world.state()).toMatchObject({ phase: { kind: 'flat' }, accounting: { entriesToday: 0 } })
    expect(world.venue.truth().orders.filter(({ isLive }) => isLive)).toEqual([])
  })
})

describe('insufficient margin', () => {
  it("seen in the preview: refused once, in the venue's words, and nothing is sent", async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    // 200 x 0.1 x 1900 at a quarter holds 9500 of 10000; the entry needs 500.5.
    world.venue.hand.placeLimit({ side: 'BUY', contracts: 200, price: '1900' })
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      reason: 'the venue refused the entry: insufficient_fund',
    })
    expect(world.venue.requests.filter(({ path }) => path === 'orders/preview')).toHaveLength(1)
    expect(world.placed()).toEqual([])
    await world.pass(3)
    expect(world.placed()).toEqual([])
    expect((await world.state()).phase).toEqual({ kind: 'flat', abandoned: null })
  })

  it('refused at the order itself: definitive, not tried again', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'reject', reason: 'INSUFFICIENT_FUND' }))
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      placement: { outcome: 'rejected', reason: 'insufficient_fund' },
    })
    await world.pass(3)
    expect(world.placed()).toHaveLength(1)
    expect((await world.state()).phase).toEqual({ kind: 'flat', abandoned: null })
  })
})

describe('lot, tick, minimum, float drift', () => {
  it.each([
    [{ ...LONG, stopLossPrice: 1_980.1, takeProfitPrice: 2_050.9 }, '1980.5', '2050.5'],
    [{ ...SHORT, stopLossPrice: 2_019.9, takeProfitPrice: 1_949.1 }, '2019.5', '1949.5'],
  ])(
    '$action: stop and target go to the tick toward the entry, size down to the lot, and the venue takes them',
    async (decision, stop, target) => {
      const world = await createLiveWorld({ decisions: [decision] })
      expect(await world.cycle()).toMatchObject({ outcome: 'entered', order: { quantity: '10' } })
      expect(world.exits()).toMatchObject([{ size: 10, bracket: { stopPrice: stop, targetPrice: target } }])
    },
  )

  it('quantity goes down to the lot, never up', () => {
    // 4 a contract lost at the stop, 1 % of 10000 at risk: 25 contracts fit, 24.5 with a little less money.
    for (const [equity, lotSize, size] of [
      ['10000', '1', '25'],
      ['9999.99', '1', '24'],
      ['9999.99', '0.7', '24.5'],
      ['10000', '0.1', '25'],
      ['9960', '0.1', '24.9'],
    ] as const) {
      const { result } = judge(
        contextWith({
          instrument: { lotSize: quantity(lotSize), minQuantity: quantity(lotSize) },
          accounting: { equity: money(equity) },
        }),
      )
      expect(result, `${equity} ${lotSize}`).toMatchObject({ kind: 'approved', order: { quantity: size } })
    }
  })

  it('after rounding it is checked again: a stop that rounding brings too near is refused', () => {
    // 40.3 is more than 2.01 ATR of 20; on the tick it is 40.
    const near = contextWith({
      guard: { minStopAtr: 2.01 },
      decision: { stopLossPrice: 1_959.7, takeProfitPrice: 2_100 },
    })
    expect(failedRules(near)).toEqual(['stop_distance'])
    expect(
      failedRules(
        contextWith({ guard: { minStopAtr: 2 }, decision: { stopLossPrice: 1_959.7, takeProfitPrice: 2_100 } }),
      ),
    ).toEqual([])
  })

  it("what the limits allow is below the venue's minimum: nothing is sent", async () => {
    const world = await createLiveWorld({ decisions: [LONG], minSize: 200 })
    const { outcome, reason } = await world.cycle()
    expect(outcome).toBe('refused')
    expect(reason).toContain('minimum_size')
    expect(world.placed()).toEqual([])
  })

  it('money does not drift: after many fills of tenths and odd fees, ledger and venue agree to the last digit', async () => {
    const decisions = Array.from({ length: 8 }, (_, index) =>
      index % 2 === 1 ? CLOSE : index % 4 === 0 ? LONG : SHORT,
    )
    const world = await createLiveWorld({
      decisions,
      minSize: 7,
      venue: { depth: 2, slippageTicks: 1, fees: { taker: '0.00033', maker: '0.00011', perContract: '0.13' } },
      overrides: { guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 9, maxEntrySlippageBps: 50 } },
    })
    for (let slot = 0; slot < decisions.length; slot++) {
      world.moveTo(slot * 30)
      expect(await world.cycle()).toMatchObject({ outcome: slot % 2 === 0 ? 'entered' : 'closed' })
      expect(await world.sameCash()).toBe(true)
    }
    expect(world.venue.truth().fills.length).toBeGreaterThan(20)
    expect(dec(0.1).plus(0.2).eq('0.3')).toBe(true)
    expect(price(dec('0.1').times(3))).toBe('0.3')
  })
})

describe('clock skew', () => {
  it.each([
    [10_000, true],
    [-10_000, true],
    [3_000, false],
    [-3_000, false],
  ])("the venue's clock differs by %i ms", async (clockSkewMs, isRefused) => {
    const world = await createLiveWorld({ decisions: [LONG], venue: { switches: { clockSkewMs } } })
    expect(await world.cycle()).toMatchObject(
      isRefused ? { outcome: 'failed', reason: 'the venue refused the entry: clock_skew' } : { outcome: 'entered' },
    )
    expect(world.placed()).toHaveLength(isRefused ? 0 : 1)
  })

  it('a clock that cannot be compared is a wrong one', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave({
      on: { path: 'time' },
      fault: { kind: 'status', status: 503, takesEffect: false },
      times: 9,
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'failed', reason: 'the venue refused the entry: clock_skew' })
    expect(world.placed()).toEqual([])
    await world.pass(1)
    expect((await world.state()).phase).toEqual({ kind: 'flat', abandoned: null })
    expect(world.time.now()).toBeGreaterThanOrEqual(SLOT + MINUTE_MS)
  })

  it('a clock that falls behind while a position is open keeps nobody from guarding it, whatever dates its fills have', async () => {
    const world = await createLiveWorld({ decisions: [LONG], minSize: 5, closedTrades: 1 })
    expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
    const clock = (): number => world.time.now() - 5 * MINUTE_MS
    const sleep = async (ms: number): Promise<void> => world.time.advance(ms)
    const slow = {
      ...world.wire(),
      clock,
      broker: createCoinbaseBroker({ transport: world.transport, config: world.config, clock, sleep }),
    }
    world.moveTo(10)
    world.venue.hand.reduce(4)
    for (let minute = 10; minute < 14; minute++) {
      world.moveTo(minute)
      expect(await world.enforce(slow)).toMatchObject({ outcome: 'watched' })
      expect(world.exits()).toMatchObject([{ size: 6 }])
    }
  })
})
