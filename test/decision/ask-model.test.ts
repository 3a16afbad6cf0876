import { describe, expect, test } from 'vitest'
import { type AskOptions, askModel } from '../../lib/decision/ask-model.ts'
import type { ModelClient, ModelReply } from '../../lib/decision/model-client.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { sleepFor } from '../../lib/decision/sleep.ts'
import { DecisionOutcome } from '../../schemas/decision.ts'
import { trendingSnapshot } from './snapshot-fixture.ts'

const prompt = buildPrompt(trendingSnapshot)

/** A client that is itself at fault; the loop must contain it. */
function clientThat(ask: ModelClient['ask']): { client: ModelClient; asked: () => number } {
  let count = 0
  const counted: ModelClient['ask'] = (question, signal) => {
    count++
    return ask(question, signal)
  }
  return { client: { name: 'test', ask: counted }, asked: () => count }
}

const ask = async (client: ModelClient, changes: Partial<AskOptions> = {}) =>
  DecisionOutcome.parse(
    await askModel(prompt, {
      client,
      model: 'm',
      timeoutMs: 100,
      maxRetries: 2,
      price: null,
      secrets: ['secret-key'],
      clock: Date.now,
      sleep: async () => undefined,
      ...changes,
    }),
  )

describe('askModel', () => {
  test('a client that ignores the deadline is left behind', async () => {
    const { client } = clientThat(() => new Promise(() => undefined))
    const startedAt = Date.now()
    expect(await ask(client)).toMatchObject({ failure: { kind: 'timeout' }, attempts: [{ raw: null }] })
    expect(Date.now() - startedAt).toBeLessThan(300)
  })

  test('a client that rejects after the deadline troubles nobody', async () => {
    const { client } = clientThat(async () => {
      await new Promise((resolve) => setTimeout(resolve, 130))
      throw new Error('late')
    })
    expect(await ask(client)).toMatchObject({ failure: { kind: 'timeout' } })
    await new Promise((resolve) => setTimeout(resolve, 60))
  })

  test('a client that throws ends in hold, without the key', async () => {
    const { client } = clientThat(() => {
      throw new Error('fault with secret-key')
    })
    expect(await ask(client)).toMatchObject({
      decision: { action: 'hold' },
      failure: { kind: 'bad_request', message: 'the question could not be asked: fault with [redacted]' },
    })
  })

  test('a client that adapts for ever is stopped', async () => {
    const { client, asked } = clientThat(async () => ({ kind: 'adapted', problem: 'again', change: 'asked otherwise' }))
    expect(await ask(client)).toMatchObject({ failure: { kind: 'bad_request' } })
    expect(asked()).toBe(7)
  })

  test('requests are bounded by retries, one repair and six adaptations, whatever their order', async () => {
    const broken: ModelReply = {
      kind: 'answer',
      text: 'hm',
      stop: 'complete',
      note: null,
      model: null,
      tokens: null,
      promptTokens: null,
      oddities: [],
    }
    const failed: ModelReply = {
      kind: 'failure',
      failure: { kind: 'server_error', message: 'x' },
      isTransient: true,
      retryAfterMs: 0,
    }
    const adapted: ModelReply = { kind: 'adapted', problem: 'x', change: 'asked otherwise' }
    const replies = [failed, adapted, broken, failed, adapted, broken]
    const { client, asked } = clientThat(async () => replies[asked() - 1] ?? broken)
    expect(await ask(client)).toMatchObject({ failure: { kind: 'bad_json' } })
    expect(asked()).toBe(6)
  })

  test('backoff doubles up to eight seconds', async () => {
    const slept: number[] = []
    const { client } = clientThat(async () => ({
      kind: 'failure',
      failure: { kind: 'network', message: 'x' },
      isTransient: true,
      retryAfterMs: null,
    }))
    await ask(client, { timeoutMs: 60_000, maxRetries: 6, sleep: async (ms) => void slept.push(ms) })
    expect(slept).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000])
  })

  test('a wait that would outlast the deadline is not begun, and the cause is kept', async () => {
    const slept: number[] = []
    const { client } = clientThat(async () => ({
      kind: 'failure',
      failure: { kind: 'rate_limited', message: 'slow' },
      isTransient: true,
      retryAfterMs: 60_000,
    }))
    expect(await ask(client, { timeoutMs: 1_000, sleep: async (ms) => void slept.push(ms) })).toMatchObject({
      failure: { kind: 'rate_limited', message: expect.stringMatching(/^slow \(next try in 60000 ms, \d+ ms left\)$/) },
    })
    expect(slept).toEqual([])
  })
})

describe('sleepFor', () => {
  test('ends early when aborted, also beforehand', async () => {
    const controller = new AbortController()
    const startedAt = Date.now()
    setTimeout(() => controller.abort(), 20)
    await sleepFor(5_000, controller.signal)
    await sleepFor(5_000, controller.signal)
    expect(Date.now() - startedAt).toBeLessThan(1_000)
  })
})
