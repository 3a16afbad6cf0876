import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answersIn, areUsable, describeAnswers } from '../../../lib/evidence/answers.ts'
import { watchAnswers } from '../../../lib/decision/answer-watch.ts'
import { FailedWalks, ReportWritten } from '../../../schemas/cli.ts'
import { DecisionFailure } from '../../../schemas/decision.ts'
import { FailedReplay, ReplayReport } from '../../../schemas/replay.ts'
import { MODEL_FAILURES } from '../../../schemas/recording.ts'
import { candleCsv, createBench } from '../../cli/bench-support.ts'
import { HOLD, outcomeOf } from '../../cycle/world.ts'
import { openAiDialect } from '../../support/fake-openai.ts'
import { type Behaviour, type ScriptedServer, startScriptedServer } from '../../support/scripted-server.ts'

const { newDirectory, file, run, json } = createBench()
const CANDLES = file('candles.csv', candleCsv(4, 5))
const env = { OPENAI_API_KEY: 'sk-test-0123456789abcdef' }
const hold = openAiDialect.answer(
  JSON.stringify({
    action: 'hold',
    stopLossPrice: null,
    takeProfitPrice: null,
    confidence: null,
    invalidation: null,
    rationale: 'No edge.',
  }),
)
const prose = openAiDialect.answer('I would rather wait and see.')

let server: ScriptedServer
/** What the n-th request since the test began is answered with. */
let answers: (request: number) => Behaviour = () => hold
let before = 0
const asked = (): number => server.received.length - before

beforeAll(async () => {
  server = await startScriptedServer([(response, received) => answers(asked() - 1)(response, received)])
})
afterAll(() => server.close())
beforeEach(() => {
  before = server.received.length
})

const config = (): string =>
  file(
    'openai.json',
    JSON.stringify({
      decider: { kind: 'openai', model: 'gpt-test', baseUrl: `${server.url}${openAiDialect.basePath}`, maxRetries: 0 },
    }),
  )
const spanOf = (hours: number): string[] => [
  '--from',
  '2024-01-02T00:00:00Z',
  '--to',
  new Date(Date.parse('2024-01-02T00:00:00Z') + hours * 3_600_000).toISOString().replace('.000', ''),
]
const replaying = (data: string, hours: number, more: string[] = []): string[] => [
  'replay',
  '--candles',
  CANDLES,
  ...spanOf(hours),
  '--config',
  config(),
  '--data-dir',
  data,
  '--random',
  '0',
  ...more,
]
const hasTrials = (data: string): boolean => existsSync(path.join(data, 'trials.jsonl'))

describe('a replay whose answers fail', () => {
  it('at all of 48 slots says so on terminal, page and in JSON, and leaves no return, no trial and no evidence', async () => {
    answers = () => prose
    const data = newDirectory()
    const out = path.join(data, 'out')
    const { code, document } = await json(FailedReplay, replaying(data, 24, ['--out', out]), { env })
    expect(code).toBe(1)
    expect(document.problem).toBe(
      '48 of 48 answers failed (bad_json 48), more than 1 %: there is no result, no trial and no evidence',
    )
    expect(document.counts).toMatchObject({
      slots: 48,
      outcomes: { failed: 48 },
      answers: { asked: 48, failed: 48, byKind: { bad_json: 48 } },
    })
    expect(JSON.stringify(document)).not.toContain('totalReturn')
    expect(existsSync(path.join(out, 'evidence.json'))).toBe(false)
    expect(hasTrials(data)).toBe(false)

    const page = await json(ReportWritten, ['report', '--out', out])
    expect(page).toMatchObject({ code: 1, document: { verdict: 'not_judged', metrics: null } })
    const html = readFileSync(path.join(out, 'report.html'), 'utf8')
    expect(html).toContain('48 of 48 answers failed (bad_json 48)')
    expect(html).not.toMatch(/Sharpe|<script/)

    const text = await run(replaying(data, 24), { env })
    expect(text.code).toBe(1)
    expect(text.stdout).toContain('48 of 48 answers failed')
    expect(text.stdout).not.toMatch(/Sharpe|equity/)
    expect(hasTrials(data)).toBe(false)
  }, 120_000)

  it.each([
    [401, 'unauthorized'],
    [402, 'budget'],
    [404, 'not_found'],
  ] as const)(
    'with HTTP %i stops at that question, and leaves no trial and no evidence',
    async (status, kind) => {
      answers = (request) => (request < 7 ? hold : openAiDialect.error(status, 'in the words of the provider'))
      const data = newDirectory()
      const out = path.join(data, 'out')
      const { code, stdout, stderr } = await run(replaying(data, 24, ['--out', out, '--json']), { env })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(asked()).toBe(8)
      expect(stderr).toContain(`AnswersStopped: replay stopped at slot 2024-01-02T03:30:00Z: ${kind}: HTTP ${status}`)
      expect(stderr).toContain('in the words of the provider')
      expect(hasTrials(data)).toBe(false)
      expect(existsSync(path.join(out, 'evidence.json')) || existsSync(path.join(out, 'replay.json'))).toBe(false)

      // Mended, the same command goes on from the slot that was not answered.
      answers = () => hold
      const rest = await json(ReplayReport, replaying(data, 24, ['--out', out]), { env })
      expect(rest.stderr).toContain('going on from 2024-01-02T03:30:00Z')
      expect(asked()).toBe(8 + 41)
      expect(rest.document.counts.answers).toEqual({ asked: 48, failed: 0, byKind: {} })
      expect(hasTrials(data)).toBe(true)
    },
    60_000,
  )

  it('by transport stops after five in a row, and the same command asks again from the first of them', async () => {
    answers = (request) => (request < 7 ? hold : openAiDialect.error(503, 'out of order'))
    const data = newDirectory()
    const out = path.join(data, 'out')
    const stopped = await run(replaying(data, 24, ['--out', out]), { env })
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toContain('that is the 5th failure in a row')
    expect(asked()).toBe(7 + 5)
    answers = () => hold
    const rest = await json(ReplayReport, replaying(data, 24, ['--out', out]), { env })
    expect(rest.stderr).toContain('going on from 2024-01-02T03:30:00Z')
    const whole = await json(ReplayReport, replaying(newDirectory(), 24), { env })
    expect({ ...rest.document, elapsedMs: 0 }).toEqual({ ...whole.document, elapsedMs: 0 })
  }, 60_000)

  it('at less than one slot in a hundred is a result that counts them', async () => {
    answers = (request) => (request === 30 ? openAiDialect.error(503, 'out of order') : hold)
    const data = newDirectory()
    const { code, document } = await json(ReplayReport, replaying(data, 52), { env })
    expect(code).toBe(0)
    expect(document.counts).toMatchObject({
      outcomes: { held: 103, failed: 1 },
      answers: { asked: 104, failed: 1, byKind: { server_error: 1 } },
    })
    expect(hasTrials(data)).toBe(true)
  }, 60_000)

  it('from a recording fails in the same words, whoever replays it', async () => {
    answers = (request) => (request < 20 ? hold : prose)
    const data = newDirectory()
    const first = await json(FailedReplay, replaying(data, 12, ['--record', '--budget-questions', '100']), { env })
    expect(first.document.problem).toContain('4 of 24 answers failed (bad_json 4)')
    const recorded = file(
      'recorded.json',
      JSON.stringify({ decider: { kind: 'recorded', file: path.join(data, 'recordings', 'openai.jsonl') } }),
    )
    const history = ['--candles', CANDLES, ...spanOf(12)]
    const more = ['--config', recorded, '--data-dir', data, '--random', '0']
    const again = await json(FailedReplay, ['replay', ...history, ...more])
    expect(again).toMatchObject({ code: 1, document: { problem: first.document.problem, decider: 'recorded' } })
    expect(hasTrials(data)).toBe(false)
  }, 60_000)
})

describe('a comparison or an audit with a walk whose answers fail', () => {
  it.each([
    ['compare', (): string[] => ['--decider', 'rules']],
    ['audit', (): string[] => []],
  ] as const)(
    '%s shows no return of any walk, counts no trial and exits 1',
    async (command, more) => {
      answers = () => prose
      const data = newDirectory()
      const args = [command, '--candles', CANDLES, ...spanOf(12), '--config', config(), ...more(), '--data-dir', data]
      const { code, document } = await json(FailedWalks, args, { env })
      expect(code).toBe(1)
      expect(document.problem).toContain('24 of 24 answers failed (bad_json 24)')
      // The walks after it are not paid for.
      expect(asked()).toBe(2 * 24)
      const text = await run(args, { env })
      expect(text.code).toBe(1)
      expect(text.stdout).toContain('24 of 24 answers failed')
      expect(text.stdout).not.toContain('Sharpe')
      expect(hasTrials(data)).toBe(false)
    },
    60_000,
  )

  it.each(['compare', 'audit'])(
    '%s stops at a refused key and names the walk',
    async (command) => {
      answers = () => openAiDialect.error(401, 'no such key')
      const data = newDirectory()
      const more = command === 'compare' ? ['--samples', '2'] : []
      const args = [command, '--candles', CANDLES, ...spanOf(12), '--config', config(), ...more, '--data-dir', data]
      const { code, stderr } = await run(args, { env })
      expect(code).toBe(1)
      expect(asked()).toBe(1)
      expect(stderr).toMatch(/(openai, sample 0|as it was) stopped at slot .*unauthorized: HTTP 401: .*no such key/)
      expect(hasTrials(data)).toBe(false)
    },
    60_000,
  )
})

describe('the watch over the answers of a walk', () => {
  const anyKind = fc.constantFrom(...DecisionFailure.shape.kind.options)

  it('stops at the first final failure or the fifth of transport in a row, and never for what a model said', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(null), anyKind), { maxLength: 40 }), (kinds) => {
        const watch = watchAnswers()
        let inARow = 0
        for (const [index, kind] of kinds.entries()) {
          const failure = kind === null ? null : { kind, message: 'm' }
          const stop = watch(`slot ${index}`, { ...outcomeOf(HOLD), failure })
          const isModels = kind === null || MODEL_FAILURES.some((one) => one === kind)
          inARow = isModels ? 0 : inARow + 1
          const isFinal = kind === 'unauthorized' || kind === 'budget' || kind === 'not_found'
          expect(stop !== null).toBe(isFinal || inARow >= 5)
          if (stop !== null) return
        }
      }),
      { seed: 7, numRuns: 500 },
    )
  })

  it('calls a run usable while at most one answer in a hundred failed', () => {
    const runOf = (failed: number, decided: number) =>
      answersIn([
        ...Array.from({ length: failed }, () => ({ action: 'none', deciderFailure: 'timeout' })),
        ...Array.from({ length: decided }, () => ({ action: 'hold', deciderFailure: null })),
        // Slots at which nobody was asked are no answers.
        ...Array.from({ length: 500 }, () => ({ action: 'none', deciderFailure: null })),
      ])
    expect(
      [runOf(0, 0), runOf(1, 99), runOf(1, 98), runOf(10, 990), runOf(11, 990), runOf(48, 0)].map(areUsable),
    ).toEqual([true, true, false, true, false, false])
    expect(describeAnswers(runOf(48, 0))).toBe('48 of 48 answers failed (timeout 48)')
  })
})
