import { describe, expect, it } from 'vitest'
import { findInstrument } from '../../lib/instrument/catalogue.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import { createWorld, HOLD, LONG, marketAround, SLOT } from '../cycle/world.ts'
import { ETH } from '../support/instruments.ts'

const BTC = findInstrument('BIP-20DEC30-CDE')

/** Trades ETH, then goes on under a configuration that names BTC, at a venue that knows both. */
async function changeInstrument(shape: (minute: number) => number) {
  const answers = { decision: LONG as typeof LONG | typeof HOLD }
  const world = createWorld({ decide: () => answers.decision, market: marketAround(shape) })
  expect((await world.cycle()).outcome).toBe('entered')
  if (BTC === null) throw new Error('the catalogue has no BTC')
  const { config } = world.ports
  world.ports.config = { ...config, instrument: BTC, market: { ...config.market, symbol: BTC.venueSymbol } }
  return { world, answers }
}

describe('a configuration that names another instrument while a position is open', () => {
  it('keeps the position and its exits, decides nothing, and says what to do', async () => {
    const { world } = await changeInstrument(() => 0)
    const asked = world.asked.length
    world.time.now = SLOT + 30 * MINUTE_MS
    expect(await world.enforce()).toMatchObject({ outcome: 'watched', phase: 'open' })
    const record = await world.cycle()
    expect(record.outcome).toBe('refused')
    expect(record.reason).toContain(ETH.id)
    expect(record.reason).toContain('coinbase:BIP-20DEC30-CDE')
    expect(record.reason).toContain('hourhand halt --flatten')
    expect(world.asked.length).toBe(asked)
    const state = await world.state()
    expect(state).toMatchObject({ instrument: ETH, phase: { kind: 'open' }, halt: null, incidents: [], suspicions: [] })
  })

  it('lets the stop close the position, and the books turn to the new instrument after that', async () => {
    const { world, answers } = await changeInstrument((minute) => (minute > 5 ? -40 : 0))
    world.time.now = SLOT + 10 * MINUTE_MS
    expect(await world.enforce()).toMatchObject({ outcome: 'closed', exit: 'stop_loss' })
    expect(await world.state()).toMatchObject({ instrument: ETH, phase: { kind: 'flat' } })
    answers.decision = HOLD
    world.time.now = SLOT + 30 * MINUTE_MS
    await world.cycle()
    expect(await world.state()).toMatchObject({ instrument: BTC, phase: { kind: 'flat' } })
  })
})
