import { describe, expect, it } from 'vitest'
import { createLiveWorld, type LiveWorld, LONG, onOrder, SHORT } from '../../failure-modes/live-world.ts'
import type { Fault } from '../../support/coinbase/faults.ts'

/** Long or short ten contracts of 0.1 at 2000: the stop is 20 away and the target 50. */
const SIDES = [
  ['long', LONG, { stopPrice: '1980', targetPrice: '2050' }, 'SELL'],
  ['short', SHORT, { stopPrice: '2020', targetPrice: '1950' }, 'BUY'],
] as const

const brackets = (world: LiveWorld) => world.exits().map(({ bracket, size }) => ({ ...bracket, size }))
const naked = (world: LiveWorld): string[] =>
  world.events.flatMap(({ type, detail }) => (type === 'naked' ? [String(detail['reason'])] : []))

const WAYS: readonly [string, Fault][] = [
  ['five per cent further away or nearer', { kind: 'other_bracket', stopFactor: 0.95 }],
  ['on the other side of the price', { kind: 'other_bracket', stopFactor: 1.05 }],
  ['one tick off', { kind: 'other_bracket', stopFactor: 1979.5 / 1980 }],
  ['with another target', { kind: 'other_bracket', targetFactor: 1.02 }],
  ['on a tick of seven', { kind: 'other_bracket', roundsToTicks: 14 }],
]

describe.each(SIDES)('a %s entry', (_side, decision, approved, side) => {
  it.each(WAYS)(
    'whose attached stop the venue puts %s never rests on a stop other than the approved',
    async (_way, fault) => {
      const world = await createLiveWorld({ decisions: [decision] })
      world.venue.misbehave(onOrder('entry', fault))
      await world.cycle()
      await world.pass(2)
      for (const found of brackets(world)) expect(found).toEqual({ ...approved, size: 10 })
      if (world.held() !== 0) {
        expect(brackets(world)).toHaveLength(1)
        expect(naked(world)).toHaveLength(1)
        expect(naked(world)[0]).toContain(
          `approved were stop ${approved.stopPrice} and target ${approved.targetPrice} for 10`,
        )
      }
    },
  )

  it('is told with both prices when its attached stop rests five per cent further away, and gets the approved one', async () => {
    const stopFactor = side === 'SELL' ? 0.95 : 1.05
    const world = await createLiveWorld({ decisions: [decision] })
    world.venue.misbehave(onOrder('entry', { kind: 'other_bracket', stopFactor }))
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', reason: 'entered and protected' })
    expect(brackets(world)).toEqual([{ ...approved, size: 10 }])
    const found = Number(approved.stopPrice) * stopFactor
    expect(naked(world)).toEqual([
      `at the venue rests a ${side.toLowerCase()} with stop ${found} and target ${approved.targetPrice} for 10; approved were stop ${approved.stopPrice} and target ${approved.targetPrice} for 10`,
    ])
    expect((await world.state()).halt).toBeNull()
  })

  it('is closed at market within the same cycle, and entries halt, where the venue never places the approved stop', async () => {
    const stopFactor = side === 'SELL' ? 0.95 : 1.05
    const world = await createLiveWorld({ decisions: [decision] })
    world.venue.misbehave(
      onOrder('entry', { kind: 'other_bracket', stopFactor }),
      onOrder('protect', { kind: 'other_bracket', stopFactor }, { times: 9 }),
    )
    await world.cycle()
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'protect', 'protect', 'close'])
    expect([world.held(), world.exits()]).toEqual([0, []])
    const { halt, incidents } = await world.state()
    expect(halt).toMatchObject({ by: 'incident' })
    expect(halt?.reason).toMatch(/^stop_differs: at the venue rests/)
    expect(incidents.map(({ kind }) => kind)).toEqual(['stop_differs'])
  })

  it.each<[string, Fault]>([
    ['cut to half its size', { kind: 'other_bracket', sizeFactor: 0.5 }],
    ['cut to one contract', { kind: 'other_bracket', sizeFactor: 0.1 }],
  ])('that is protected afterwards by a stop %s is asked again at once, and then closed', async (_way, fault) => {
    const world = await createLiveWorld({
      decisions: [decision],
      venue: { switches: { refusesAttachedBrackets: true } },
    })
    world.venue.misbehave(onOrder('protect', fault))
    await world.cycle()
    expect(brackets(world)).toEqual([{ ...approved, size: 10 }])
    expect(naked(world)).toHaveLength(1)
    const stubborn = await createLiveWorld({
      decisions: [decision],
      venue: { switches: { refusesAttachedBrackets: true } },
    })
    stubborn.venue.misbehave(onOrder('protect', fault, { times: 9 }))
    await stubborn.cycle()
    expect([stubborn.held(), stubborn.exits()]).toEqual([0, []])
  })
})

describe('a stop that somebody moves by hand', () => {
  it.each([
    ['further away', '1900', '2050'],
    ['nearer', '1990', '2050'],
    ['to where the target is nearer', '1980', '2010'],
    ['a tick further away', '1979.5', '2050'],
  ])('%s is put back where the ledger committed it, at the next pass and told', async (_how, stopPrice, limitPrice) => {
    const world = await createLiveWorld({ decisions: [LONG] })
    await world.cycle()
    world.venue.hand.cancelAll()
    world.venue.hand.placeBracket({ side: 'SELL', contracts: 10, limitPrice, stopPrice })
    await world.pass(1)
    expect(brackets(world)).toEqual([{ stopPrice: '1980', targetPrice: '2050', size: 10 }])
    expect(naked(world)).toEqual([
      `at the venue rests a sell with stop ${stopPrice} and target ${limitPrice} for 10; approved were stop 1980 and target 2050 for 10`,
    ])
    // Once more of the same: nothing is left to do and nothing to tell.
    await world.pass(2)
    expect(naked(world)).toHaveLength(1)
    expect(world.placed().filter(({ kind }) => kind === 'protect')).toHaveLength(1)
  })

  it('beside the approved one goes, and the approved one stays', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    await world.cycle()
    const [ours] = world.exits()
    world.venue.hand.placeBracket({ side: 'SELL', contracts: 10, limitPrice: '2050', stopPrice: '1990' })
    await world.pass(1)
    expect(world.exits().map(({ orderId }) => orderId)).toEqual([ours?.orderId])
    expect(naked(world)).toEqual([])
  })

  it('when the price is beyond the approved stop closes the position', async () => {
    const world = await createLiveWorld({ decisions: [LONG], steps: [{ afterMs: 30_000, price: 1970 }] })
    await world.cycle()
    world.venue.hand.cancelAll()
    world.venue.hand.placeBracket({ side: 'SELL', contracts: 10, limitPrice: '2050', stopPrice: '1900' })
    await world.pass(1)
    expect([world.held(), world.exits()]).toEqual([0, []])
    expect((await world.trades()).map(({ exitReason }) => exitReason)).toEqual(['stop_loss'])
  })
})
