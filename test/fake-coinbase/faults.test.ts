import { describe, expect, it } from 'vitest'
import type { WireRequest } from '../../lib/venue/coinbase/wire.ts'
import { NoAnswerError } from '../../lib/venue/coinbase/wire.ts'
import type { Fault } from '../support/coinbase/faults.ts'
import { createInProcessTransport } from '../support/coinbase/in-process-transport.ts'
import { attached, createBench, limitOrder, marketOrder, orderIdOf } from './support.ts'

const TIMEOUT_MS = 4_000

const wire = (body: Record<string, unknown>): WireRequest => ({
  method: 'POST',
  path: 'orders',
  endpoint: 'orders',
  variables: {},
  query: {},
  body,
  isSigned: true,
})

/** Sends an order of 10 under a fault: what came back, whether the order took effect, and the time it took. */
async function suffer(fault: Fault): Promise<{
  seen: { status: number; text: string } | { wasSent: boolean }
  contracts: number
  tookMs: number
  again: () => number
}> {
  const { venue, clock } = createBench()
  venue.misbehave({ on: { method: 'POST', path: 'orders' }, fault })
  const transport = createInProcessTransport(venue, { advance: clock.advance })
  const body = marketOrder('BUY', 10)
  const before = clock.now()
  const seen = await transport(wire(body), TIMEOUT_MS).catch((error: unknown) => {
    if (!(error instanceof NoAnswerError)) throw error
    return { wasSent: error.wasSent }
  })
  const tookMs = clock.now() - before
  const { contracts } = venue.truth().position
  return {
    seen,
    contracts,
    tookMs,
    again: () => {
      clock.advance(60_000)
      venue.ask({ method: 'POST', path: 'orders', query: {}, body })
      return venue.truth().position.contracts
    },
  }
}

const never = { wasSent: true }

describe('each fault', () => {
  it.each<{ fault: Fault; seen: unknown; contracts: number; tookMs: number }>([
    { fault: { kind: 'refuse_connection' }, seen: { wasSent: false }, contracts: 0, tookMs: 0 },
    { fault: { kind: 'drop', takesEffect: false }, seen: never, contracts: 0, tookMs: 0 },
    { fault: { kind: 'drop', takesEffect: true }, seen: never, contracts: 10, tookMs: 0 },
    {
      fault: { kind: 'delay', ms: 3_000 },
      seen: { status: 200, text: expect.stringContaining('"success":true') },
      contracts: 10,
      tookMs: 3_000,
    },
    { fault: { kind: 'delay', ms: 5_000 }, seen: never, contracts: 10, tookMs: TIMEOUT_MS },
    { fault: { kind: 'arrive_late', ms: 3_000 }, seen: never, contracts: 10, tookMs: TIMEOUT_MS },
    { fault: { kind: 'arrive_late', ms: 30_000 }, seen: never, contracts: 0, tookMs: TIMEOUT_MS },
    { fault: { kind: 'stall', takesEffect: true }, seen: never, contracts: 10, tookMs: TIMEOUT_MS },
    {
      fault: { kind: 'stall', takesEffect: false, beforeHeaders: true },
      seen: never,
      contracts: 0,
      tookMs: TIMEOUT_MS,
    },
    {
      fault: { kind: 'truncate', takesEffect: true },
      seen: { status: 200, text: expect.stringMatching(/^\{"success":true.*[^}]$/) },
      contracts: 10,
      tookMs: 0,
    },
    { fault: { kind: 'cut', takesEffect: true }, seen: never, contracts: 10, tookMs: 0 },
    { fault: { kind: 'cut', takesEffect: false }, seen: never, contracts: 0, tookMs: 0 },
    {
      fault: { kind: 'status', status: 503, takesEffect: true },
      seen: { status: 503, text: expect.stringContaining('unknown') },
      contracts: 10,
      tookMs: 0,
    },
    {
      fault: { kind: 'status', status: 500, takesEffect: false, text: '<html>' },
      seen: { status: 500, text: '<html>' },
      contracts: 0,
      tookMs: 0,
    },
    { fault: { kind: 'unauthorized' }, seen: { status: 401, text: 'Unauthorized' }, contracts: 0, tookMs: 0 },
    {
      fault: { kind: 'forbidden' },
      seen: { status: 403, text: expect.stringContaining('PERMISSION_DENIED') },
      contracts: 0,
      tookMs: 0,
    },
    {
      fault: { kind: 'rate_limited' },
      seen: { status: 429, text: expect.stringContaining('error') },
      contracts: 0,
      tookMs: 0,
    },
    {
      fault: { kind: 'reject', reason: 'IN_LIQUIDATION' },
      seen: { status: 200, text: expect.stringContaining('"new_order_failure_reason":"IN_LIQUIDATION"') },
      contracts: 0,
      tookMs: 0,
    },
    {
      fault: { kind: 'partial_fill', fraction: 0.35 },
      seen: { status: 200, text: expect.stringContaining('"success":true') },
      contracts: 3,
      tookMs: 0,
    },
    {
      fault: { kind: 'late_failure', afterMs: 1_000 },
      seen: { status: 200, text: expect.stringContaining('"success":true') },
      contracts: 0,
      tookMs: 0,
    },
    {
      fault: { kind: 'wrong_echo', side: 'SELL' },
      seen: { status: 200, text: expect.stringContaining('"side":"SELL"') },
      contracts: 10,
      tookMs: 0,
    },
    {
      fault: { kind: 'tamper', change: () => ({ success: 'perhaps' }) },
      seen: { status: 200, text: '{"success":"perhaps"}' },
      contracts: 10,
      tookMs: 0,
    },
  ])('$fault.kind ($contracts contracts)', async ({ fault, seen, contracts, tookMs }) => {
    const suffered = await suffer(fault)
    expect(suffered).toMatchObject({ contracts, tookMs })
    expect(suffered.seen).toEqual(seen)
  })

  it('what took effect does not take it twice under the same client id', async () => {
    for (const fault of [
      { kind: 'drop', takesEffect: true },
      { kind: 'arrive_late', ms: 30_000 },
      { kind: 'status', status: 500, takesEffect: true },
    ] satisfies Fault[]) {
      expect((await suffer(fault)).again()).toBe(10)
    }
    expect((await suffer({ kind: 'drop', takesEffect: false })).again()).toBe(10)
  })
})

describe('orders under a fault', () => {
  it('childless: the bracket that was asked for is echoed and not there', () => {
    const bench = createBench()
    bench.venue.misbehave({ fault: { kind: 'childless' } })
    const id = orderIdOf(bench.post('orders', marketOrder('BUY', 1, attached('3100', '2900'))))
    expect(bench.get(`orders/historical/${id}`).body).toMatchObject({
      order: {
        filled_size: '1',
        attached_order_id: '',
        attached_order_configuration: { trigger_bracket_gtc: { limit_price: '3100' } },
      },
    })
    expect(bench.venue.truth().orders).toHaveLength(1)
  })

  it('a refused cancel, and a preview with an error', () => {
    const bench = createBench()
    const id = orderIdOf(bench.post('orders', limitOrder('BUY', 1, '2990')))
    bench.venue.misbehave(
      { fault: { kind: 'reject', reason: 'COMMANDER_REJECTED_CANCEL_ORDER' } },
      { fault: { kind: 'reject', reason: 'PREVIEW_CLOSE_ONLY_FAILURE' } },
    )
    expect(bench.post('orders/batch_cancel', { order_ids: [id] }).body).toMatchObject({
      results: [{ success: false, failure_reason: 'COMMANDER_REJECTED_CANCEL_ORDER' }],
    })
    const { client_order_id: _, ...preview } = marketOrder('BUY', 1)
    expect(bench.post('orders/preview', preview).body).toMatchObject({ errs: ['PREVIEW_CLOSE_ONLY_FAILURE'] })
    expect(bench.venue.truth().orders).toMatchObject([{ orderId: id, isLive: true }])
  })

  it('invisible: in lists only, or by its id, too, with its child', () => {
    for (const byId of [false, true]) {
      const bench = createBench()
      bench.venue.misbehave({ on: { path: 'orders' }, fault: { kind: 'invisible', ms: 10_000, byId } })
      const id = orderIdOf(bench.post('orders', marketOrder('BUY', 1, attached('3100', '2900'))))
      const seen = (): [unknown, number] => [
        (bench.get('orders/historical/batch').body['orders'] as unknown[]).length,
        bench.get(`orders/historical/${id}`).status,
      ]
      expect(seen()).toEqual([0, byId ? 404 : 200])
      expect(bench.venue.truth().position.contracts).toBe(1)
      bench.clock.advance(10_000)
      expect(seen()).toEqual([2, 200])
    }
  })

  it('late failure: PENDING, then FAILED with its reason', () => {
    const bench = createBench()
    bench.venue.misbehave({ fault: { kind: 'late_failure', afterMs: 5_000, reason: 'RATE_LIMIT_EXCEEDED' } })
    const id = orderIdOf(bench.post('orders', marketOrder('BUY', 1)))
    expect(bench.get(`orders/historical/${id}`).body).toMatchObject({ order: { status: 'PENDING', filled_size: '0' } })
    bench.clock.advance(5_000)
    expect(bench.get(`orders/historical/${id}`).body).toMatchObject({
      order: { status: 'FAILED', reject_reason: 'RATE_LIMIT_EXCEEDED' },
    })
  })

  it('an order can stay PENDING for a while, and be cancelled there', () => {
    const bench = createBench({ switches: { pendingMs: 5_000 } })
    const ids = [
      orderIdOf(bench.post('orders', marketOrder('BUY', 1))),
      orderIdOf(bench.post('orders', limitOrder('BUY', 1, '3000'))),
    ]
    bench.post('orders/batch_cancel', { order_ids: [ids[1]] })
    bench.clock.advance(5_000)
    expect(
      ids.map((id) => (bench.get(`orders/historical/${id}`).body['order'] as Record<string, unknown>)['status']),
    ).toEqual(['FILLED', 'CANCELLED'])
  })
})

describe('when a fault strikes', () => {
  it('rules by method, path and beginning of a path, so many times, after so many', () => {
    const { venue, get } = createBench()
    const statuses = (): number[] => [
      get('time').status,
      get('cfm/positions').status,
      get('cfm/balance_summary').status,
    ]
    venue.misbehave({
      on: { method: 'GET', path: 'cfm/*' },
      times: 2,
      after: 1,
      fault: { kind: 'status', status: 500, takesEffect: false },
    })
    expect([...statuses(), ...statuses()]).toEqual([200, 200, 500, 200, 500, 200])
    venue.misbehave(
      { on: (request) => request.path === 'time', fault: { kind: 'unauthorized' } },
      { fault: { kind: 'rate_limited' }, times: 9 },
    )
    venue.behave()
    expect(statuses()).toEqual([200, 200, 200])
  })

  it('or by the ordinal of the request', () => {
    const { get } = createBench({ faults: (_request, ordinal) => (ordinal === 1 ? { kind: 'rate_limited' } : null) })
    expect([get('accounts').status, get('cfm/sweeps').status, get('accounts').status]).toEqual([200, 429, 200])
  })

  it('a refused connection is no request that arrived', () => {
    const { venue } = createBench()
    venue.misbehave({ fault: { kind: 'refuse_connection' } })
    const request = { method: 'GET', path: 'time', query: {}, body: null }
    expect(venue.handle(request)).toEqual({ kind: 'refused' })
    expect(venue.requests).toEqual([])
    venue.handle(request)
    expect(venue.requests).toEqual([request])
  })
})
