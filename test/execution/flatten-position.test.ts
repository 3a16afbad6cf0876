import { describe, expect, it } from 'vitest'
import type { Broker } from '../../lib/venue/broker.ts'
import { flattenPosition } from '../../lib/execution/flatten-position.ts'
import { loadOrCreateState } from '../../lib/execution/commit.ts'
import { createWorld } from '../cycle/world.ts'

const closed = { isOpen: false, nextClose: null, reason: 'maintenance' }

/** The paper venue with some of its answers replaced once `sabotage.is` is on. */
function worldThat(sabotage: { is: boolean }, change: (broker: Broker) => Partial<Broker>) {
  return createWorld({
    wrapBroker: (broker) => {
      const changed = change(broker)
      const choose = <K extends 'instrument' | 'place'>(name: K): Broker[K] =>
        ((...args: never[]) =>
          ((sabotage.is ? changed[name] : undefined) ?? broker[name])(...(args as [never, never]))) as Broker[K]
      return { ...broker, instrument: choose('instrument'), place: choose('place') }
    },
  })
}

describe('flattening', () => {
  it('closes what is held, takes the exits away, and tells the trade', async () => {
    const world = createWorld()
    await world.cycle()
    const { isFlat, state, facts } = await flattenPosition(world.ports)
    expect({ isFlat, phase: state.phase.kind, position: facts.position, orders: facts.openOrders }).toEqual({
      isFlat: true,
      phase: 'flat',
      position: null,
      orders: [],
    })
    expect(await world.trades()).toMatchObject([{ exitReason: 'flatten' }])
  })

  it('of nothing is done at once, and does nothing', async () => {
    const world = createWorld()
    const began = world.time.now
    expect(await flattenPosition(world.ports)).toMatchObject({ isFlat: true, notes: [] })
    expect(world.time.now).toBe(began)
    expect(await world.orders()).toEqual([])
  })

  it('a close that is refused twice goes through the third time; in between the position is protected', async () => {
    const refusals = { left: 2 }
    const sabotage = { is: true }
    const world = worldThat(sabotage, (broker) => ({
      place: async (order, deadline) =>
        order.kind === 'close' && refusals.left-- > 0
          ? { outcome: 'rejected', reason: 'product_trading_halted', refusal: 'venue_closed' }
          : broker.place(order, deadline),
    }))
    await world.cycle()
    const { isFlat, notes } = await flattenPosition(world.ports)
    expect(isFlat).toBe(true)
    expect(notes).toContain('place the missing stop and target')
    expect((await world.orders()).filter(({ order }) => order.kind === 'close').map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'done',
    ])
  })

  it('a close that is refused for good leaves the position held, protected and told of', async () => {
    const sabotage = { is: true }
    const world = worldThat(sabotage, (broker) => ({
      place: async (order, deadline) =>
        order.kind === 'close'
          ? { outcome: 'rejected', reason: 'product_trading_halted', refusal: 'venue_closed' }
          : broker.place(order, deadline),
    }))
    await world.cycle()
    const { isFlat, state, facts } = await flattenPosition(world.ports)
    expect(isFlat).toBe(false)
    expect(state.phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
    expect(facts.position).not.toBeNull()
  })

  it('at a closed venue nothing is sent, and the exits stay', async () => {
    const sabotage = { is: false }
    const world = worldThat(sabotage, (broker) => ({
      instrument: async (symbol) => ({ ...(await broker.instrument(symbol)), session: closed }),
    }))
    await world.cycle()
    const began = world.time.now
    sabotage.is = true
    const { isFlat, notes, facts } = await flattenPosition(world.ports)
    expect({ isFlat, exits: facts.openOrders.length }).toEqual({ isFlat: false, exits: 1 })
    expect(notes).toContain('the venue is closed: maintenance')
    expect((await world.orders()).filter(({ order }) => order.kind === 'close')).toEqual([])
    expect(world.time.now).toBe(began)
  })

  it('an entry nobody knows of is waited for until it is given up', async () => {
    const sabotage = { is: true }
    const world = worldThat(sabotage, () => ({ place: async () => ({ outcome: 'unknown', reason: 'timeout' }) }))
    await world.cycle()
    expect((await loadOrCreateState(world.ports)).phase.kind).toBe('opening')
    const { isFlat, state } = await flattenPosition(world.ports)
    expect({ isFlat, phase: state.phase }).toMatchObject({
      isFlat: true,
      phase: { kind: 'flat', abandoned: { status: 'unknown' } },
    })
  })
})
