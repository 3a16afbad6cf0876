import { describe, expect, it } from 'vitest'
import { commit, loadOrCreateState } from '../../lib/execution/commit.ts'
import { publish } from '../../lib/execution/publish.ts'
import { flattenPosition } from '../../lib/execution/flatten-position.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import { DomainEvent } from '../../schemas/event.ts'
import { createWorld, SLOT } from './world.ts'

const live = (overrides: Record<string, unknown> = {}) =>
  createWorld({ overrides: { mode: 'live', live: { tradesPerSizeStep: 2 }, ...overrides } })
const failedRules = ({ verdicts }: { verdicts: { rule: string; passed: boolean }[] }) =>
  verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)

describe('live entries', () => {
  it('are refused while there is a barrier, which is asked anew each time', async () => {
    const world = live()
    const barriers = ['two days are missing']
    world.ports.liveBarriers = async () => barriers
    const refused = await world.cycle()
    expect(refused).toMatchObject({
      outcome: 'refused',
      reason: 'the model was not asked: no entry is possible: live_mode: live mode is not earned: two days are missing',
      guardFacts: { liveBarriers: barriers, sizeCap: '1' },
    })
    barriers.length = 0
    world.time.now = SLOT + 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({
      outcome: 'entered',
      order: { quantity: '1' },
      guardFacts: { liveBarriers: [] },
    })
  })

  it('begin at the minimum and may be twice as large after each step of closed trades', async () => {
    const world = live()
    const sizes: (string | undefined)[] = []
    for (let slot = 0; slot < 5; slot++) {
      world.time.now = SLOT + slot * 30 * MINUTE_MS
      sizes.push((await world.cycle()).order?.quantity)
      expect(await flattenPosition(world.ports)).toMatchObject({ isFlat: true })
    }
    expect(sizes).toEqual(['1', '1', '2', '2', '4'])
  })

  it('on paper have no ceiling, and nobody is asked for barriers', async () => {
    const world = createWorld()
    world.ports.liveBarriers = async () => Promise.reject(new Error('asked'))
    const record = await world.cycle()
    expect(record).toMatchObject({ outcome: 'entered', guardFacts: { liveBarriers: [], sizeCap: null } })
    expect(Number(record.order?.quantity)).toBeGreaterThan(4)
  })
})

it('an incident without a halt keeps entries out until a person resumes', async () => {
  const world = createWorld()
  const at = world.at(0)
  await commit(world.ports, await loadOrCreateState(world.ports), [
    { type: 'incident_noted', at, kind: 'cash', detail: 'some is missing' },
  ])
  const refused = await world.cycle()
  expect(failedRules(refused)).toEqual(['no_open_incident'])
  expect(refused.guardFacts?.openIncidents).toBe(1)
  await commit(world.ports, await loadOrCreateState(world.ports), [{ type: 'resumed', at }])
  world.time.now = SLOT + 30 * MINUTE_MS
  expect(await world.cycle()).toMatchObject({ outcome: 'entered', guardFacts: { openIncidents: 0 } })
})

it('an override is told aloud: a warning in the log, a metric that an alarm may watch, an event on the bus', async () => {
  const world = createWorld()
  const metrics: string[] = []
  world.ports.telemetry.metric = (name) => metrics.push(name)
  await publish(world.ports, 'o-1', {
    type: 'overridden',
    subject: 'eth-perp',
    detail: { by: 'ann', reason: 'enough' },
  })
  expect(metrics).toEqual(['overridden'])
  expect(world.logs).toMatchObject([{ level: 'warn', message: 'overridden' }])
  expect(world.events.map((event) => DomainEvent.parse(event))).toMatchObject([
    { id: 'o-1', type: 'overridden', mode: 'paper' },
  ])
})
