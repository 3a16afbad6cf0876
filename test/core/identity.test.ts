import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { canonicalJson, hashOf, sha256 } from '../../lib/core/canonical-json.ts'
import { childOrderIdOf, clientOrderIdOf, cycleIdOf, type Leg, legOf, tradeIdOf } from '../../lib/core/ids.ts'
import { InvariantError } from '../../lib/core/invariant.ts'
import {
  DAY_MS,
  floorTime,
  fromIso,
  HOUR_MS,
  MINUTE_MS,
  TIMEFRAMES,
  timeframeMs,
  toIso,
  utcDay,
} from '../../lib/core/time.ts'

const RUNS = { seed: 20261102, numRuns: 300 }
const instants = fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') })

describe('ids', () => {
  const intents = fc.record({
    strategy: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    slot: instants.map((instant) => floorTime(instant, 30 * MINUTE_MS)),
    leg: fc.constantFrom<Leg>('entry', 'protect', 'close'),
    attempt: fc.nat({ max: 9 }),
  })

  it('a client order id is a version 8 UUID that depends on the intent alone', () => {
    fc.assert(
      fc.property(intents, ({ strategy, slot, leg, attempt }) => {
        const id = clientOrderIdOf(strategy, slot, leg, attempt)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(z.uuid().safeParse(id).success).toBe(true)
        expect(z.uuid().safeParse(childOrderIdOf(id)).success).toBe(true)
        expect(clientOrderIdOf(strategy, slot, leg, attempt)).toBe(id)
        expect([legOf(strategy, id), legOf(strategy, childOrderIdOf(id)), legOf(`${strategy}x`, id)]).toEqual([
          leg,
          'protect',
          null,
        ])
      }),
      RUNS,
    )
  })

  it('different intents have different ids, and no child shares one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(intents, { selector: (intent) => JSON.stringify(intent), maxLength: 40 }), (all) => {
        const ids = all.map(({ strategy, slot, leg, attempt }) => clientOrderIdOf(strategy, slot, leg, attempt))
        expect(new Set([...ids, ...ids.map(childOrderIdOf)]).size).toBe(2 * all.length)
      }),
      RUNS,
    )
  })

  it('is the same on every machine and in every version: an open order must be found again after an upgrade', () => {
    expect(clientOrderIdOf('eth-perp', Date.parse('2026-11-02T09:30:00Z'), 'entry', 0)).toBe(
      expectedUuid('hourhand|eth-perp|2026-11-02T09:30:00Z|entry|0', '1', 'hourhand|eth-perp'),
    )
  })

  it('a cycle id is readable, and distinct for distinct instants', () => {
    expect(cycleIdOf('eth-perp', Date.parse('2026-11-02T09:30:00Z'))).toBe('eth-perp-20261102T0930Z')
    expect(cycleIdOf('eth-perp', Date.parse('2026-11-02T09:30:05Z'))).toBe('eth-perp-20261102T093005Z')
    fc.assert(
      fc.property(fc.uniqueArray(instants, { maxLength: 30 }), (all) => {
        expect(new Set(all.map((at) => cycleIdOf('a', at))).size).toBe(all.length)
      }),
      RUNS,
    )
  })

  it('a trade is named by its cycle and its first fill', () => {
    expect(tradeIdOf('c', 'f1')).toBe(`c-${sha256('f1').slice(0, 6)}`)
    expect(tradeIdOf('c', 'f1')).not.toBe(tradeIdOf('c', 'f2'))
  })
})

/**
 * RFC 9562 section 5.8, written again from its text: bits 48..51 are 8, bits 64..65 are 10; the leg in bits 52..55, the
 * tag in the last 32.
 */
function expectedUuid(text: string, leg: string, tagged: string): string {
  const bytes = Buffer.from(sha256(text), 'hex').subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  bytes.writeUInt8(0x80 | Number(leg), 6)
  Buffer.from(sha256(tagged), 'hex').copy(bytes, 12, 0, 4)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

describe('canonical JSON', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, member]) => [key, shuffled(member)]),
    )
  }

  it('does not depend on the order members were made in, and loses nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(shuffled(value))).toBe(text)
        expect(hashOf(shuffled(value))).toBe(hashOf(value))
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      RUNS,
    )
  })

  it('keeps the order of arrays, drops undefined, tells different values apart', () => {
    expect(canonicalJson({ b: [2, 1], a: undefined, c: { z: null, y: 'é' } })).toBe(
      '{"b":[2,1],"c":{"y":"é","z":null}}',
    )
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]))
    expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: '1' }))
  })

  it('hashes UTF-8: the published SHA-256 of "abc"', () =>
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'))
})

describe('time', () => {
  it('a slot is the last multiple that is not after the instant', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...TIMEFRAMES.map(timeframeMs)), (instant, step) => {
        const slot = floorTime(instant, step)
        expect(slot % step).toBe(0)
        expect(slot <= instant && instant < slot + step).toBe(true)
        expect(floorTime(slot, step)).toBe(slot)
      }),
      RUNS,
    )
  })

  it('every timeframe divides a day, finest first', () => {
    const lengths = TIMEFRAMES.map(timeframeMs)
    expect(lengths.every((length) => DAY_MS % length === 0)).toBe(true)
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b))
    expect(timeframeMs('4h')).toBe(4 * HOUR_MS)
  })

  it('ISO text goes there and back', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(fromIso(toIso(instant))).toBe(instant)
      }),
      RUNS,
    )
    expect(toIso(0)).toBe('1970-01-01T00:00:00Z')
    expect(toIso(1)).toBe('1970-01-01T00:00:00.001Z')
    expect([utcDay(DAY_MS - 1), utcDay(DAY_MS)]).toEqual(['1970-01-01', '1970-01-02'])
  })

  it('what is no instant is a broken invariant', () => {
    expect(() => toIso(Number.NaN)).toThrow(InvariantError)
    expect(() => fromIso('soon')).toThrow(InvariantError)
  })
})
