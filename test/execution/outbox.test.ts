import { describe, expect, it } from 'vitest'
import { MINUTE_MS } from '../../lib/core/time.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { DomainEvent } from '../../schemas/event.ts'
import { createWorld, SLOT } from '../cycle/world.ts'

describe('what follows from a state', () => {
  it('is told after a crash, by whoever comes next, under the same ids; then it is off the state', async () => {
    const items = createMemoryItems()
    const first = createWorld({ items })
    const dead = { ...first.ports, events: { publish: async () => Promise.reject(new Error('the process died')) } }
    Object.assign(first.ports, dead)
    await first.cycle().catch(() => {})
    const stored = await first.state()
    expect(stored.outbox?.events.map(({ type }) => type)).toEqual(['opened', 'protected'])
    const second = createWorld({ items })
    second.time.now = SLOT + MINUTE_MS
    await second.enforce()
    expect(second.events).toEqual(stored.outbox?.events)
    expect(second.events.every((event) => DomainEvent.safeParse(event).success)).toBe(true)
    // Left alone while its writer may be at work, cleared when it is gone.
    second.time.now = SLOT + 6 * MINUTE_MS
    await second.enforce()
    expect((await second.state()).outbox).toBeNull()
    const told = second.events.map(({ id }) => id)
    await second.enforce()
    expect(second.events.map(({ id }) => id)).toEqual(told)
    expect(new Set(told).size).toBe(2)
  })

  it('an order meant before a crash has its line in the history after it', async () => {
    const items = createMemoryItems()
    const life = { left: Number.POSITIVE_INFINITY }
    const mortal: ItemStore = {
      ...items,
      async put(item, condition) {
        if (item.sk.startsWith('ORDER#') && life.left-- <= 0) throw new Error('the process died')
        return items.put(item, condition)
      },
    }
    const first = createWorld({ items: mortal })
    life.left = 0
    await first.cycle()
    expect(await first.orders()).toEqual([])
    const second = createWorld({ items })
    await second.enforce()
    expect(await second.orders()).toMatchObject([{ order: { kind: 'entry' }, status: 'intended' }])
    second.time.now = SLOT + 2 * MINUTE_MS
    await second.enforce()
    expect(await second.orders()).toMatchObject([{ order: { kind: 'entry' }, status: 'abandoned' }])
  })
})
