import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { type BudgetLimits, createBudget } from '../../lib/decision/budget.ts'
import { createDecider } from '../../lib/decision/create-decider.ts'
import type { Decider, DecisionRequest } from '../../lib/decision/decider.ts'
import { estimateQuestion } from '../../lib/decision/estimate-question.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import {
  RecordingStopped,
  createRecordingDecider,
  type RecordingDecider,
} from '../../lib/decision/recording-decider.ts'
import { type RecordingLog, openRecordingLog } from '../../lib/decision/recording-log.ts'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import { Recording } from '../../schemas/recording.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { anthropicDialect } from '../support/fake-anthropic.ts'
import { answerInParts, openAiDialect } from '../support/fake-openai.ts'
import type { ModelDialect } from '../support/model-dialect.ts'
import {
  type Behaviour,
  type ScriptedServer,
  resetConnection,
  sendJson,
  sendText,
  stallBeforeHeaders,
  startScriptedServer,
} from '../support/scripted-server.ts'
import { HELD } from './recording-fixture.ts'
import { snapshotWith } from './snapshot-fixture.ts'

const KEY = 'sk-test-0123456789abcdef'
const PRICE = { inputPerMillion: 2, outputPerMillion: 10 }
/** What every answer of the fake servers costs: 1000 tokens in, 200 out. */
const ANSWER_USD = (1_000 * 2 + 200 * 10) / 1e6

const HOLD = {
  action: 'hold',
  stopLossPrice: null,
  takeProfitPrice: null,
  confidence: null,
  invalidation: null,
  rationale: 'No edge.',
}
const hold = (rationale: string) => JSON.stringify({ ...HOLD, rationale })
const LONG = JSON.stringify({
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_100,
  confidence: 0.6,
  invalidation: 'Close below 1960.',
  rationale: 'Trend up.',
})

/** Questions 0, 1, 2...: each another quote. */
const QUESTIONS = Array.from({ length: 8 }, (_, at) => snapshotWith({ ask: 2_000 + at })).map((snapshot) => ({
  snapshot,
  prompt: buildPrompt(snapshot),
}))
const questionOf = (at: number): DecisionRequest => {
  const question = QUESTIONS[at]
  if (question === undefined) throw new Error(`no question ${at}`)
  return question
}

let folder: string
let count = 0
const servers: ScriptedServer[] = []
const logs: RecordingLog[] = []
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recording-'))
})
afterEach(async () => {
  await Promise.all([...servers.splice(0).map((server) => server.close()), ...logs.splice(0).map((log) => log.close())])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const newFile = () => path.join(folder, `answers-${count++}.jsonl`)

async function serve(script: readonly Behaviour[]): Promise<ScriptedServer> {
  const server = await startScriptedServer(script)
  servers.push(server)
  return server
}

type Run = {
  readonly file: string
  readonly server: ScriptedServer
  readonly config?: Record<string, unknown>
  readonly limits?: Partial<BudgetLimits>
  readonly sample?: number
  readonly log?: RecordingLog
}

const configOf = (dialect: ModelDialect, server: ScriptedServer, changes: Record<string, unknown> = {}) => {
  const config = DeciderConfig.parse({
    kind: dialect.kind,
    model: 'configured',
    baseUrl: `${server.url}${dialect.basePath}`,
    maxOutputTokens: 500,
    maxRetries: 0,
    timeoutMs: 5_000,
    price: PRICE,
    ...changes,
  })
  if (config.kind !== 'openai' && config.kind !== 'anthropic') throw new Error('a model decider expected')
  return config
}

/** One run of a command that records. */
async function record(
  dialect: ModelDialect,
  { file, server, config: changes, limits = {}, sample = 0, log }: Run,
): Promise<RecordingDecider> {
  const config = configOf(dialect, server, changes)
  const opened = log ?? (await openRecordingLog(file))
  if (log === undefined) logs.push(opened)
  const decider = await createDecider({ config, apiKey: KEY, clock: Date.now, sleep: async () => undefined })
  return createRecordingDecider({ decider, config, log: opened, sample, budget: createBudget(limits) })
}

const replay = (file: string, selectors: Record<string, unknown> = {}) =>
  createDecider({ config: DeciderConfig.parse({ kind: 'recorded', file, ...selectors }), clock: () => 0 })

async function ask(decider: Decider, ...questions: number[]): Promise<DecisionOutcome[]> {
  const outcomes: DecisionOutcome[] = []
  for (const at of questions) outcomes.push(await decider.decide(questionOf(at)))
  return outcomes
}

/** The error a question ends in. */
const stopOf = async (decider: Decider, at: number): Promise<RecordingStopped> => {
  const error = await decider.decide(questionOf(at)).then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof RecordingStopped)) throw new Error(`expected RecordingStopped, got ${String(error)}`)
  return error
}

const linesOf = async (file: string) =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Recording.parse(JSON.parse(line)))
const asRecorded = (outcomes: readonly DecisionOutcome[]) =>
  outcomes.map((outcome) => ({ ...outcome, decider: 'recorded' }))

describe.each([openAiDialect, anthropicDialect])('$kind', (dialect) => {
  test('asks once, stores, and replays with the server down: the same decisions, answers, models and cost', async () => {
    const file = newFile()
    const server = await serve([LONG, hold('a'), hold('b')].map((words) => dialect.answer(words)))
    const recording = await record(dialect, { file, server })
    const first = await ask(recording, 0, 1, 2)
    expect(first.map(({ decision }) => decision.action)).toEqual(['open_long', 'hold', 'hold'])
    // Within the run too a question is asked once.
    expect(await ask(recording, 1, 0)).toEqual([first[1], first[0]])
    expect(server.received).toHaveLength(3)
    expect(recording).toMatchObject({
      name: dialect.kind,
      asksModel: true,
      stopped: null,
      progress: { fromFile: 2, asked: 3 },
      spent: { questions: 3, inputTokens: 3_000, outputTokens: 600 },
    })
    expect(recording.spent.costUsd).toBeCloseTo(3 * ANSWER_USD, 12)
    await server.close()

    const replayed = await ask(await replay(file), 0, 1, 2)
    expect(replayed).toEqual(asRecorded(first))
    expect(replayed.map(({ model, usage }) => [model, usage])).toEqual(
      Array.from({ length: 3 }, () => [
        dialect.reportedModel,
        { inputTokens: 1_000, outputTokens: 200, costUsd: ANSWER_USD },
      ]),
    )
    // A second run of the same command needs no server either, and decides to the byte as the first.
    const again = await record(dialect, { file, server })
    expect(JSON.stringify(await ask(again, 2, 1, 0))).toBe(JSON.stringify(first.toReversed()))
    expect(again).toMatchObject({ progress: { fromFile: 3, asked: 0 }, spent: { questions: 0, costUsd: 0 } })
  })

  test('asks only what is missing', async () => {
    const file = newFile()
    const server = await serve([dialect.answer(hold('a'))])
    await ask(await record(dialect, { file, server }), 0, 2)
    await ask(await record(dialect, { file, server }), 0, 1, 2, 3)
    expect(server.received).toHaveLength(4)
    expect(await linesOf(file)).toHaveLength(4)
  })

  test.each([
    { name: 'a refusal', behaviour: dialect.refusal('no advice'), failure: 'refusal', requests: 1 },
    { name: 'a truncated answer', behaviour: dialect.truncated('{"act'), failure: 'truncated', requests: 2 },
    { name: 'an unreadable answer', behaviour: dialect.answer('I would wait.'), failure: 'bad_json', requests: 2 },
    {
      name: 'an answer of another shape',
      behaviour: dialect.answer(JSON.stringify({ ...HOLD, action: 'ponder' })),
      failure: 'bad_schema',
      requests: 2,
    },
    { name: 'an empty answer', behaviour: dialect.answer(''), failure: 'empty', requests: 2 },
    { name: 'an answer without text that was paid for', behaviour: dialect.noText, failure: 'empty', requests: 2 },
  ])(
    '$name is what the model said: stored, and replayed as the hold it was',
    async ({ behaviour, failure, requests }) => {
      const file = newFile()
      const server = await serve([behaviour])
      const outcomes = await ask(await record(dialect, { file, server }), 0)
      expect(outcomes).toMatchObject([{ decision: { action: 'hold' }, failure: { kind: failure } }])
      expect(await ask(await replay(file), 0)).toEqual(asRecorded(outcomes))
      expect(server.received).toHaveLength(requests)
    },
  )

  test.each([
    { name: 'HTTP 401', behaviour: dialect.error(401, 'who'), failure: 'unauthorized' },
    { name: 'HTTP 400', behaviour: dialect.error(400, 'unknown model'), failure: 'bad_request' },
    { name: 'HTTP 429', behaviour: dialect.error(429, 'slow down'), failure: 'rate_limited' },
    { name: 'a spent quota', behaviour: dialect.error(402, 'pay first'), failure: 'budget' },
    { name: 'HTTP 500', behaviour: dialect.error(500, 'oops'), failure: 'server_error' },
    {
      name: 'a page of a gateway',
      behaviour: sendText(200, '<html>login</html>', 'text/html'),
      failure: 'server_error',
    },
    { name: 'an empty body', behaviour: sendText(200, '', 'application/json'), failure: 'server_error' },
    { name: 'a lost connection', behaviour: resetConnection, failure: 'network' },
    { name: 'silence', behaviour: stallBeforeHeaders, failure: 'timeout', timeoutMs: 200 },
    {
      name: 'an unreadable answer whose repair meets a 500',
      behaviour: dialect.answer('hm'),
      repair: dialect.error(500, 'oops'),
      failure: 'server_error',
    },
  ])(
    "$name midway is nobody's decision: the recording stops, and the next run goes on from there",
    async ({ behaviour, failure, repair, timeoutMs = 5_000 }) => {
      const file = newFile()
      const failing = [behaviour, ...(repair === undefined ? [] : [repair])]
      const server = await serve([
        dialect.answer(hold('a')),
        dialect.answer(hold('b')),
        ...failing,
        ...(failure === 'empty' ? failing : []),
        dialect.answer(hold('c')),
        dialect.answer(hold('d')),
      ])
      const recording = await record(dialect, { file, server, config: { timeoutMs } })
      const before = await ask(recording, 0, 1)
      const stopped = await stopOf(recording, 2)
      expect(stopped).toMatchObject({ kind: 'provider', failure: { kind: failure } })
      expect(stopped.message).toMatch(
        /^recording stopped: .*\. 2 questions were asked and stored in .*\.jsonl, 0 answered from it\. Nothing was stored for this question; the same command goes on from here\.$/,
      )
      const asked = server.received.length
      // It stays stopped, also for what the file could answer.
      expect(await stopOf(recording, 0)).toBe(stopped)
      expect([recording.stopped, server.received.length]).toEqual([stopped, asked])
      expect(await linesOf(file)).toHaveLength(2)

      const resumed = await record(dialect, { file, server, config: { timeoutMs } })
      const all = await ask(resumed, 0, 1, 2, 3)
      expect(all.slice(0, 2)).toEqual(before)
      expect(all.map(({ decision }) => decision.rationale)).toEqual(['a', 'b', 'c', 'd'])
      expect([server.received.length - asked, resumed.progress]).toEqual([2, { fromFile: 2, asked: 2 }])
    },
  )

  test('a recording that was stopped and taken up again is the one an undisturbed run would have made', async () => {
    const [torn, calm] = [newFile(), newFile()]
    const answers = ['a', 'b', 'c'].map((words) => dialect.answer(hold(words)))
    const server = await serve([...answers.slice(0, 1), dialect.error(500, 'oops'), ...answers.slice(1)])
    const first = await record(dialect, { file: torn, server })
    await ask(first, 0)
    await stopOf(first, 1)
    await ask(await record(dialect, { file: torn, server }), 0, 1, 2)
    const other = await serve(answers)
    await ask(await record(dialect, { file: calm, server: other }), 0, 1, 2)
    // But for the server's address, which is part of the identity.
    const outcomesOf = async (name: string) =>
      (await linesOf(name)).map(({ promptHash, outcome }) => [promptHash, outcome])
    expect(await outcomesOf(torn)).toEqual(await outcomesOf(calm))
  })

  test('samples of one question are questions of their own', async () => {
    const file = newFile()
    const server = await serve(['a', 'b', 'c'].map((words) => dialect.answer(hold(words))))
    const log = await openRecordingLog(file)
    logs.push(log)
    const deciders = []
    for (const sample of [0, 1, 2]) deciders.push(await record(dialect, { file, server, sample, log }))
    for (const decider of deciders) await ask(decider, 0)
    expect(server.received).toHaveLength(3)
    const said = []
    for (const sample of [0, 1, 2]) said.push((await ask(await replay(file, { sample }), 0))[0]?.decision.rationale)
    expect(said).toEqual(['a', 'b', 'c'])
    // Without a word the first is meant, and one that is not there is missing by name.
    expect(await ask(await replay(file), 0)).toMatchObject([{ decision: { rationale: 'a' } }])
    expect(await ask(await replay(file, { sample: 7 }), 0)).toMatchObject([
      {
        failure: {
          kind: 'missing_recording',
          message: expect.stringMatching(/sample 7 \(key \w{64}\); there are its samples 0, 1, 2/),
        },
      },
    ])
  })

  test('the key is in no line and no message, though the server repeats it', async () => {
    const file = newFile()
    const server = await serve([dialect.answer(hold(`Your key is ${KEY}.`))])
    await ask(await record(dialect, { file, server }), 0)
    const failing = await serve([dialect.error(401, `bad key ${KEY}`)])
    const stopped = await stopOf(await record(dialect, { file, server: failing }), 1)
    expect(await readFile(file, 'utf8')).toContain('Your key is [redacted].')
    for (const said of [await readFile(file, 'utf8'), stopped.message, JSON.stringify(stopped.failure)])
      expect(said).not.toContain(KEY)
  })
})

test("a server that repeats the key as the model's name does not get it into the file", async () => {
  const file = newFile()
  const server = await serve([
    sendJson(200, { model: `model-${KEY}`, choices: [{ finish_reason: 'stop', message: { content: hold('a') } }] }),
  ])
  await ask(await record(openAiDialect, { file, server }), 0)
  expect(await linesOf(file)).toMatchObject([{ outcome: { model: 'model-[redacted]' } }])
})

describe('budget', () => {
  const dialect = openAiDialect
  const { worst, typical } = estimateQuestion(questionOf(0).prompt, { maxOutputTokens: 500, price: PRICE })
  const worstUsd = worst.costUsd ?? 0
  const worstTokens = worst.inputTokens + worst.outputTokens

  test.each([
    // The n-th question may be asked if n - 1 answers and one worst case fit.
    {
      name: 'money for three',
      limits: { maxCostUsd: 2 * ANSWER_USD + worstUsd },
      asked: 3,
      message: /may cost up to \$0\.0\d+, and of \$0\.0\d+ \(budget\.maxCostUsd\) \$0\.0\d+ are left/,
    },
    {
      name: 'a little less money',
      limits: { maxCostUsd: 2 * ANSWER_USD + worstUsd - 1e-6 },
      asked: 2,
      message: /budget\.maxCostUsd/,
    },
    {
      name: 'tokens for three',
      limits: { maxTokens: 2 * 1_200 + worstTokens },
      asked: 3,
      message: /may take up to \d+ tokens, and of \d+ \(budget\.maxTokens\) \d+ are left/,
    },
    {
      name: 'one token less',
      limits: { maxTokens: 2 * 1_200 + worstTokens - 1 },
      asked: 2,
      message: /budget\.maxTokens/,
    },
    {
      name: 'three questions',
      limits: { maxQuestions: 3 },
      asked: 3,
      message: /3 of at most 3 questions \(budget\.maxQuestions\)/,
    },
    { name: 'nothing', limits: { maxCostUsd: 0 }, asked: 0, message: /Not one question fits: raise the budget/ },
    { name: 'no questions', limits: { maxQuestions: 0 }, asked: 0, message: /Not one question fits: raise the budget/ },
  ])(
    '$name: stops before the question that might break it, and goes on with the budget anew',
    async ({ limits, asked, message }) => {
      const file = newFile()
      const server = await serve([dialect.answer(hold('a'))])
      const recording = await record(dialect, { file, server, limits })
      for (let at = 0; at < asked; at++) await ask(recording, at)
      const stopped = await stopOf(recording, asked)
      expect(stopped).toMatchObject({ kind: 'budget', failure: null, message: expect.stringMatching(message) })
      expect([server.received.length, recording.spent.questions, (await linesOf(file)).length]).toEqual([
        asked,
        asked,
        asked,
      ])
      if (asked === 0) return
      expect(stopped.message).toMatch(
        new RegExp(
          `${asked} questions were asked and stored in .*, 0 answered from it. The same command, with its budget anew, goes on from here\\.$`,
        ),
      )
      const resumed = await record(dialect, { file, server, limits })
      for (let at = 0; at < 2 * asked; at++) await ask(resumed, at)
      expect([await stopOf(resumed, 2 * asked), server.received.length]).toEqual([
        expect.objectContaining({ kind: 'budget' }),
        2 * asked,
      ])
    },
  )

  test('a repair, twice as dear, is within the worst case', async () => {
    const server = await serve([dialect.answer('hm')])
    const recording = await record(dialect, { file: newFile(), server, limits: { maxCostUsd: worstUsd } })
    await ask(recording, 0)
    expect(server.received).toHaveLength(2)
    expect(recording.spent.costUsd).toBeLessThanOrEqual(worstUsd)
  })

  test('an answer whose tokens nobody counted is taken to have cost the worst', async () => {
    const server = await serve([answerInParts(hold('a'))])
    const [priced, free] = [
      await record(dialect, { file: newFile(), server, limits: { maxCostUsd: 1 } }),
      await record(dialect, { file: newFile(), server, config: { price: null } }),
    ]
    await ask(priced, 0)
    expect(priced.spent).toEqual({ questions: 1, ...worst })
    await ask(free, 0)
    expect(free.spent).toEqual({ questions: 1, ...worst, costUsd: null })
  })

  test('an answer that was paid for counts, though an outage kept it from being stored', async () => {
    const server = await serve([dialect.answer('hm'), dialect.error(500, 'oops')])
    const recording = await record(dialect, { file: newFile(), server })
    await stopOf(recording, 0)
    expect(recording.spent).toMatchObject({ questions: 1, inputTokens: 1_000, outputTokens: 200 })
  })

  test('one purse for several deciders, also when they ask at the same time', async () => {
    const file = newFile()
    const server = await serve([dialect.answer(hold('a'))])
    const config = configOf(dialect, server)
    const log = await openRecordingLog(file)
    logs.push(log)
    const budget = createBudget({ maxQuestions: 3 })
    const decider = await createDecider({ config, apiKey: KEY, clock: Date.now, sleep: async () => undefined })
    const deciders = [0, 1, 2, 3, 4].map((sample) => createRecordingDecider({ decider, config, log, sample, budget }))
    const results = await Promise.allSettled(deciders.map((one) => one.decide(questionOf(0))))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect([server.received.length, budget.spent.questions, (await linesOf(file)).length]).toEqual([3, 3, 3])
  })

  test('a limit in money without a price names what is missing', async () => {
    const server = await serve([dialect.answer(hold('a'))])
    const failed = record(dialect, { file: newFile(), server, config: { price: null }, limits: { maxCostUsd: 1 } })
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(/budget\.maxCostUsd is 1, but decider\.price is null: set decider\.price/)
  })

  test.each([{ maxCostUsd: -1 }, { maxCostUsd: Number.NaN }, { maxTokens: 1.5 }, { maxQuestions: -1 }])(
    '%j is no limit',
    (limits) => {
      expect(() => createBudget(limits)).toThrow(
        new RegExp(`budget\\.${Object.keys(limits)[0]} is ${Object.values(limits)[0]}: give a`),
      )
    },
  )

  test('the estimate: a short answer at once, at worst two of full length with the first shown again', () => {
    expect(typical.outputTokens).toBe(400)
    expect(worst).toMatchObject({ outputTokens: 1_000, inputTokens: 2 * typical.inputTokens + 500 + 500 })
    expect(typical.costUsd).toBeCloseTo((typical.inputTokens * 2 + 400 * 10) / 1e6, 12)
    expect(worst.costUsd).toBeCloseTo((worst.inputTokens * 2 + 1_000 * 10) / 1e6, 12)
    expect(estimateQuestion(questionOf(0).prompt, { maxOutputTokens: 100, price: null })).toMatchObject({
      typical: { outputTokens: 100, costUsd: null },
      worst: { costUsd: null },
    })
    const { prompt } = questionOf(0)
    expect(
      estimateQuestion({ ...prompt, system: `${prompt.system} more words` }, { maxOutputTokens: 500, price: PRICE })
        .typical.inputTokens,
    ).toBe(typical.inputTokens + 2)
  })
})

describe('a file that fails', () => {
  const full: RecordingLog = {
    file: 'full.jsonl',
    find: () => undefined,
    refresh: async () => undefined,
    append: () => Promise.reject(new Error('ENOSPC: no space left on device')),
    close: async () => undefined,
  }
  const decider: Decider = { name: 'openai', asksModel: true, decide: async () => HELD }
  const config = DeciderConfig.parse({ kind: 'openai' })
  if (config.kind !== 'openai') throw new Error('openai expected')

  test('when an answer cannot be stored, recording stops with the cause', async () => {
    const recording = createRecordingDecider({ decider, config, log: full })
    const stopped = await stopOf(recording, 0)
    expect(stopped).toMatchObject({
      kind: 'file',
      message: expect.stringMatching(/full\.jsonl could not be written: ENOSPC.*0 questions were asked/),
      cause: expect.any(Error),
    })
    expect(recording.stopped).toBe(stopped)
  })

  test('when it cannot be read, nothing is asked', async () => {
    const recording = createRecordingDecider({
      decider: { ...decider, decide: () => Promise.reject(new Error('asked')) },
      config,
      log: { ...full, refresh: () => Promise.reject(new Error('EIO')) },
    })
    expect(await stopOf(recording, 0)).toMatchObject({
      kind: 'file',
      message: expect.stringMatching(/could not be read: EIO/),
    })
  })

  test.each([-1, 0.5])('sample %d is refused', (sample) =>
    expect(() => createRecordingDecider({ decider, config, log: full, sample })).toThrow(UsageError),
  )
})
