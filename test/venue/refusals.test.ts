import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../lib/venue/coinbase/failure-reason.ts'
import { paperRefusalOf } from '../../lib/venue/paper/vocabulary.ts'
import { readVocabulary } from '../../lib/venue/refusal.ts'
import { VENUES } from '../../lib/venue/registry.ts'
import { Placement, Refusal } from '../../schemas/order.ts'
import { ORDER_REASONS, PREVIEW_REASONS, SHARED_REASONS } from '../support/coinbase/failure-reasons.ts'

const SPOKEN = [...SHARED_REASONS, ...ORDER_REASONS, ...PREVIEW_REASONS].map((reason) => reason.toLowerCase())

describe('refusals in venue-neutral words', () => {
  it.each([
    ['insufficient_fund', 'no_margin'],
    ['stop_already_triggered', 'stop_beyond_price'],
    ['open_bracket_orders', 'exit_exists'],
    ['duplicate_client_order_id', 'duplicate_id'],
    ['invalid_fcm_trading_session', 'venue_closed'],
    ['invalid_product_id', 'unknown_instrument'],
    ['rate_limited', 'rate_limited'],
    ['invalid_bracket_limit_price', 'price_out_of_bounds'],
    ['invalid_base_size_too_small', 'size_out_of_bounds'],
    ['unauthorised: HTTP 401', 'credentials_rejected'],
    ['permission_denied: HTTP 403: missing scope', 'credentials_rejected'],
    ['geofencing_restriction', 'other'],
    ['', 'other'],
  ])('Coinbase refuses for %j: %s', (reason, refusal) => {
    expect(refusalOf(reason)).toBe(refusal)
  })

  it('every published reason of Coinbase has a word, and no stop that rests is closed for a reason about its precision', () => {
    for (const reason of SPOKEN) {
      expect(Refusal.options).toContain(refusalOf(reason))
      if (/precision|attached/.test(reason)) expect(refusalOf(reason), reason).not.toBe('stop_beyond_price')
    }
    // Twenty of the published reasons at least are told apart.
    expect(SPOKEN.filter((reason) => refusalOf(reason) !== 'other').length).toBeGreaterThan(20)
  })

  it('the paper venue has a word for each refusal that it can give', () => {
    expect(paperRefusalOf('session_closed: maintenance')).toBe('venue_closed')
    expect(paperRefusalOf('below_minimum_size')).toBe('size_out_of_bounds')
    expect(paperRefusalOf('position_exists')).toBe('other')
  })

  it('a reason is found whole, not by a part of it', () => {
    const none = Object.fromEntries(Refusal.options.map((name) => [name, [] as string[]]))
    const find = readVocabulary({ ...none, no_margin: ['poor'] } as unknown as Parameters<typeof readVocabulary>[0])
    expect([find('poor'), find('poor: very'), find('poorly'), find('toString')]).toEqual([
      'no_margin',
      'no_margin',
      'other',
      'other',
    ])
  })

  it('a refusal that was stored without a word is read as other', () => {
    expect(Placement.parse({ outcome: 'rejected', reason: 'x' })).toEqual({
      outcome: 'rejected',
      reason: 'x',
      refusal: 'other',
    })
  })
})

describe.each(VENUES.map(({ id, clientOrderId }) => [id, clientOrderId] as const))(
  'order ids at %s',
  (_id, { encode, decode }) => {
    it('our ids come back as they were', () => {
      fc.assert(
        fc.property(fc.uuid(), (ours) => {
          expect(decode(encode(ours))).toBe(ours)
        }),
      )
    })

    it('two ids of ours are never one at the venue, and what is no id of ours is none', () => {
      fc.assert(
        fc.property(fc.uuid(), fc.uuid(), (one, other) => {
          fc.pre(one !== other)
          expect(encode(one)).not.toBe(encode(other))
        }),
      )
      for (const foreign of ['', 'ccxt-1', '00000000', 'null']) expect(decode(foreign)).toBeNull()
    })
  },
)
