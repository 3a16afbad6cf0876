import { afterEach, describe, expect, it } from 'vitest'
import { reproduce } from '../../lib/cli/commands/explain.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import { createDecider } from '../../lib/decision/create-decider.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import type { Decision } from '../../schemas/decision.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { openAiDialect } from '../support/fake-openai.ts'
import { type ScriptedServer, startScriptedServer } from '../support/scripted-server.ts'
import { CLOSE, createLiveWorld, HOLD, LONG, outcomeOf, SHORT } from './live-world.ts'

describe('JSON from the model unusable', () => {
  let server: ScriptedServer | null = null
  afterEach(async () => {
    await server?.close()
    server = null
  })

  const good = JSON.stringify(LONG)
  /** A live world whose decider is the real client of a model that says these things in turn. */
  async function worldOf(answers: readonly string[]) {
    server = await startScriptedServer(answers.map((answer) => openAiDialect.answer(answer)))
    const config = DeciderConfig.parse({
      kind: 'openai',
      model: 'm',
      baseUrl: `${server.url}${openAiDialect.basePath}`,
      timeoutMs: 5_000,
    })
    const decider = await createDecider({ config, apiKey: 'sk-test', clock: Date.now, sleep: async () => undefined })
    return { world: await createLiveWorld({ decider }), requests: () => server?.received.length }
  }

  it.each([
    ['prose', 'I would buy.', 'bad_json'],
    ['half an object', good.slice(0, -9), 'truncated'],
    ['a key too many', JSON.stringify({ ...LONG, leverage: 20 }), 'bad_schema'],
    ['a stop as text', JSON.stringify({ ...LONG, stopLossPrice: '1,980' }), 'bad_schema'],
    ['an entry without a stop', JSON.stringify({ ...LONG, stopLossPrice: null }), 'bad_schema'],
    ['NaN', good.replace('1980', 'NaN'), 'bad_json'],
  ])('%s, and again after the one repair: failed, and nothing is sent', async (_name, answer, kind) => {
    const { world, requests } = await worldOf([answer])
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      failedIn: 'decide',
      decision: { decision: { action: 'hold' }, failure: { kind } },
    })
    expect(requests()).toBe(2)
    expect(world.placed()).toEqual([])
  })

  it('good after the repair: entered', async () => {
    const { world, requests } = await worldOf(['I would buy.', good])
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', decision: { failure: null } })
    expect(requests()).toBe(2)
    expect(world.placed()).toHaveLength(1)
  })
})

describe('flip-flop, overtrading', () => {
  const failed = (verdicts: readonly { rule: string; passed: boolean }[]) =>
    verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)

  it('the next prompt shows the last decisions and why the position was opened; turning it in one step is refused', async () => {
    const world = await createLiveWorld({
      decisions: [{ ...LONG, rationale: 'higher lows since noon', invalidation: 'a close below 1985' }, SHORT],
    })
    await world.cycle()
    world.moveTo(30)
    const { snapshot, prompt, outcome, verdicts } = await world.cycle()
    expect(snapshot?.decisions).toMatchObject([
      { action: 'open_long', outcome: 'entered', note: 'higher lows since noon' },
    ])
    expect(snapshot?.position?.thesis).toMatchObject({
      rationale: 'higher lows since noon',
      invalidation: 'a close below 1985',
    })
    expect(prompt?.user).toContain('higher lows since noon')
    expect(prompt?.user).toContain('a close below 1985')
    expect(outcome).toBe('refused')
    expect(failed(verdicts)).toEqual(expect.arrayContaining(['no_open_position', 'no_reversal']))
    expect(world.placed()).toHaveLength(1)
  })

  it('after a loss it waits', async () => {
    const world = await createLiveWorld({ decisions: [LONG, CLOSE, SHORT, SHORT] })
    for (const [minute, outcome] of [
      [0, 'entered'],
      [30, 'closed'],
      [60, 'refused'],
      [90, 'entered'],
    ] as const) {
      world.moveTo(minute)
      const record = await world.cycle()
      expect(record.outcome, `minute ${minute}`).toBe(outcome)
      expect(failed(record.verdicts)).toEqual(minute === 60 ? ['cooldown'] : [])
    }
  })

  it('so many entries a day and no more', async () => {
    const decisions = [LONG, CLOSE, SHORT, CLOSE, LONG]
    const world = await createLiveWorld({
      decisions,
      overrides: { guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 2 } },
    })
    const outcomes = []
    for (const [index] of decisions.entries()) {
      world.moveTo(index * 30)
      const record = await world.cycle()
      outcomes.push(record.outcome)
      if (index === 4) expect(failed(record.verdicts)).toEqual(['entries_per_day'])
    }
    expect(outcomes).toEqual(['entered', 'closed', 'entered', 'closed', 'refused'])
  })
})

describe('stop button does not stop', () => {
  it('pressed before the slot: nobody is asked, nothing is sent, in this process and in any other', async () => {
    const world = await createLiveWorld({ decisions: [LONG, LONG, LONG] })
    await world.halt()
    expect(await world.cycle()).toMatchObject({ outcome: 'halted', reason: expect.stringContaining('operator') })
    world.moveTo(30)
    expect(await world.cycle(undefined, world.wire({ writer: 'another process' }))).toMatchObject({ outcome: 'halted' })
    expect(world.asked).toEqual([])
    expect(world.placed()).toEqual([])
    expect(world.told()).toEqual(['halted'])
  })

  it('pressed while the model thinks: the entry it then decides is refused', async () => {
    const world = await createLiveWorld()
    const slow: Decider = {
      name: 'slow',
      asksModel: true,
      async decide() {
        await world.halt()
        return outcomeOf(LONG)
      },
    }
    const record = await world.cycle(undefined, world.wire({ decider: slow }))
    expect(record.outcome).toBe('refused')
    expect(record.verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual(['kill_switch'])
    expect(world.placed()).toEqual([])
  })

  it('enforcement goes on: a missing stop is replaced, and a stop that fires is a trade', async () => {
    const world = await createLiveWorld({
      decisions: [LONG],
      steps: [{ afterMs: 5 * MINUTE_MS + 10_000, price: 1_970 }],
    })
    await world.cycle()
    await world.halt()
    world.venue.hand.cancelAll()
    await world.pass(1)
    expect(world.exits()).toMatchObject([{ size: 10 }])
    await world.pass(6)
    expect(world.held()).toBe(0)
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss' }])
  })
})

describe('replay drifts from live', () => {
  it.each<Decision>([LONG, SHORT, HOLD, { ...LONG, confidence: 0.1 }])(
    '$action: prompt, verdicts and order come out of a live record again, byte for byte',
    async (decision) => {
      const world = await createLiveWorld({ decisions: [decision] })
      const { slot } = await world.cycle()
      const stored = await world.store.loadCycle(world.config.id, slot)
      expect(stored === null ? null : reproduce(stored)).toEqual({ prompt: true, verdicts: true, order: true })
    },
  )
})
