import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuditReport, CompareReport } from '../../schemas/cli.ts'
import { ReplayReport } from '../../schemas/replay.ts'
import { openAiDialect } from '../support/fake-openai.ts'
import { type Behaviour, type ScriptedServer, sendJson, startScriptedServer } from '../support/scripted-server.ts'
import { candleCsv, createBench } from './bench-support.ts'

const { newDirectory, file, run, json } = createBench()
const CANDLES = file('candles.csv', candleCsv(3, 5))
const KEY = 'sk-test-0123456789abcdef'
const SPAN = ['--from', '2024-01-02T00:00:00Z', '--to', '2024-01-02T12:00:00Z']
const SLOTS = 24

/**
 * Answers by what the prompt says: enters long off an even minute price, holds else; closes nothing. `mood` makes
 * samples differ.
 */
const thoughtful =
  (mood = () => 0): Behaviour =>
  (response, received) => {
    const { turns } = openAiDialect.readRequest(received)
    const text = turns.map(({ content }) => content).join('\n')
    const ask = Number(/ask ([\d.]+)/.exec(text)?.[1])
    const isOpen = !text.includes('POSITION\nnone')
    const answer =
      isOpen || (Math.floor(ask) + mood()) % 3 !== 0
        ? {
            action: 'hold',
            stopLossPrice: null,
            takeProfitPrice: null,
            confidence: null,
            invalidation: null,
            rationale: 'No edge.',
          }
        : {
            action: 'open_long',
            stopLossPrice: ask - 12,
            takeProfitPrice: ask + 30,
            confidence: 0.7,
            invalidation: 'It falls.',
            rationale: 'It rises.',
          }
    openAiDialect.answer(JSON.stringify(answer))(response, received)
  }

let server: ScriptedServer
let isDown = false
/** Requests after this one change the mood from one walk to the next; null: always the same. */
let moodsFrom: number | null = null
beforeAll(async () => {
  server = await startScriptedServer([
    (response, received) =>
      isDown
        ? sendJson(503, { error: { message: 'out of order' } })(response, received)
        : thoughtful(() => (moodsFrom === null ? 0 : Math.floor((server.received.length - 1 - moodsFrom) / SLOTS) % 2))(
            response,
            received,
          ),
  ])
})
afterAll(() => server.close())

const configOf = (decider: Record<string, unknown>) => ({
  guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40, minStopAtr: 0.1, maxStopAtr: 50 },
  decider,
})
const openAi = (more: Record<string, unknown> = {}) =>
  configOf({
    kind: 'openai',
    model: 'gpt-test',
    baseUrl: `${server.url}${openAiDialect.basePath}`,
    maxRetries: 0,
    price: { inputPerMillion: 2, outputPerMillion: 10 },
    knowledgeCutoff: '2024-01-03',
    ...more,
  })
const asking = (name: string, data: string, more: string[] = [], config: object = openAi()): string[] => [
  'replay',
  '--candles',
  CANDLES,
  ...SPAN,
  '--config',
  file(`${name}.json`, JSON.stringify(config)),
  '--data-dir',
  data,
  '--record',
  '--random',
  '0',
  ...more,
]
const env = { OPENAI_API_KEY: KEY }

describe('answers that are recorded', () => {
  it('are asked for once, kept without the key, and replayed offline to the last byte', async () => {
    const data = newDirectory()
    const before = server.received.length
    const first = await json(ReplayReport, asking('a', data), { env })
    expect(first.code).toBe(0)
    expect(server.received.length - before).toBe(SLOTS)
    expect(first.stderr).toMatch(/gpt-test: up to 24 questions of about [\d,]+ tokens, about \$\d/)
    expect(first.stderr).toContain('the budget of $5')
    expect(first.document.metrics.tokens).toEqual({ input: SLOTS * 1_000, output: SLOTS * 200 })
    expect(first.document.metrics.tokenCostUsd).toBeCloseTo((SLOTS * (1_000 * 2 + 200 * 10)) / 1e6, 9)
    expect(first.document.counts.entries).toBeGreaterThan(1)
    expect(first.document.cutoff).toMatchObject({
      at: '2024-01-03T00:00:00Z',
      before: { trades: first.document.metrics.trades },
      after: null,
    })
    const recordings = path.join(data, 'recordings', 'openai.jsonl')
    expect(readFileSync(recordings, 'utf8')).not.toContain(KEY)

    const again = await json(ReplayReport, asking('a', data), { env })
    expect(server.received.length - before).toBe(SLOTS)
    expect({ ...again.document, elapsedMs: 0 }).toEqual({ ...first.document, elapsedMs: 0 })

    isDown = true
    const offline = await json(ReplayReport, [
      'replay',
      '--candles',
      CANDLES,
      ...SPAN,
      '--config',
      file('offline.json', JSON.stringify(configOf({ kind: 'recorded', file: recordings }))),
      '--data-dir',
      data,
      '--random',
      '0',
    ]).finally(() => {
      isDown = false
    })
    expect(offline.document.decider).toBe('recorded')
    expect(offline.document.trades).toEqual(first.document.trades)
    expect(offline.document.counts).toEqual(first.document.counts)
    expect(offline.document.metrics.tokens).toEqual(first.document.metrics.tokens)
  }, 60_000)

  it('a miss ends the replay and is named', async () => {
    const data = newDirectory()
    await run(asking('b', data), { env })
    const recordings = path.join(data, 'recordings', 'openai.jsonl')
    const lines = readFileSync(recordings, 'utf8').trim().split('\n')
    const short = file('short.jsonl', `${lines.slice(0, 5).join('\n')}\n`)
    const { code, stderr } = await run([
      'replay',
      '--candles',
      CANDLES,
      ...SPAN,
      '--config',
      file('miss.json', JSON.stringify(configOf({ kind: 'recorded', file: short }))),
      '--data-dir',
      data,
      '--random',
      '0',
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/MissingRecording: slot 2024-01-02T02:30:00Z: /)
    expect(stderr).toContain('short.jsonl')
    expect(stderr).toMatch(/[0-9a-f]{12}/)
  }, 60_000)

  it('a budget stops it before the question that would not fit, and the same command goes on from there', async () => {
    const data = newDirectory()
    const out = path.join(data, 'out')
    const before = server.received.length
    const stopped = await run(asking('c', data, ['--budget-questions', '7', '--out', out]), { env })
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toContain('RecordingStopped')
    expect(stopped.stderr).toMatch(/7 questions were asked and stored/)
    expect(server.received.length - before).toBe(7)
    const rest = await json(ReplayReport, asking('c', data, ['--out', out]), { env })
    expect(rest.stderr).toContain('going on from 2024-01-02T03:30:00Z')
    expect(server.received.length - before).toBe(SLOTS)
    const whole = await json(ReplayReport, asking('c', newDirectory()), { env })
    expect({ ...rest.document, elapsedMs: 0 }).toEqual({ ...whole.document, elapsedMs: 0 })
    expect((await run(asking('d', data, ['--budget', '1'], openAi({ price: null })), { env })).stderr).toContain(
      'decider.price',
    )
  }, 60_000)

  it('an outage is no decision: it stops the run, and nothing of it is kept', async () => {
    const data = newDirectory()
    isDown = true
    const { code, stderr } = await run(asking('e', data), { env }).finally(() => {
      isDown = false
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/RecordingStopped: .*server_error/)
    expect(stderr).not.toContain(KEY)
    expect((await json(ReplayReport, asking('e', data), { env })).document.counts.slots).toBe(SLOTS)
  }, 60_000)
})

describe('models side by side', () => {
  it('compare asks each prompt and each sample once, and tells how far they agree', async () => {
    const plain = file('plain-prompt.json', JSON.stringify(openAi()))
    const other = file(
      'own-prompt.json',
      JSON.stringify(
        openAi({
          systemPrompt:
            'Answer with one JSON object with action, stopLossPrice, takeProfitPrice, confidence, invalidation, rationale. Be brave.',
        }),
      ),
    )
    const data = newDirectory()
    const before = server.received.length
    const args = [
      'compare',
      '--candles',
      CANDLES,
      ...SPAN,
      '--config',
      plain,
      other,
      '--decider',
      'rules',
      '--samples',
      '2',
      '--record',
      '--data-dir',
      data,
    ]
    // The second sample of each is in another mood.
    moodsFrom = before
    const { document } = await json(CompareReport, args, { env }).finally(() => {
      moodsFrom = null
    })
    expect(server.received.length - before).toBe(4 * SLOTS)
    expect(document.walks.map(({ name, sample }) => [name, sample])).toEqual([
      ['plain-prompt', 0],
      ['plain-prompt', 1],
      ['own-prompt', 0],
      ['own-prompt', 1],
      ['rules', null],
    ])
    expect(document.samples.map(({ name }) => name)).toEqual(['plain-prompt', 'own-prompt'])
    expect(document.samples[0]?.agreement.meanShare).toBeGreaterThan(0.2)
    expect(document.samples[0]?.agreement.meanShare).toBeLessThan(1)
    const text = (await run(args, { env })).stdout
    expect(server.received.length - before).toBe(4 * SLOTS)
    expect(text).toMatch(/two samples agree at [\d.]+ % of slots, (?:kappa -?[\d.]+|no kappa)/)
  }, 60_000)

  it('audit asks under every guise', async () => {
    const before = server.received.length
    const { document } = await json(
      AuditReport,
      [
        'audit',
        '--candles',
        CANDLES,
        ...SPAN,
        '--config',
        file('audited.json', JSON.stringify(openAi())),
        '--record',
        '--data-dir',
        newDirectory(),
      ],
      { env },
    )
    expect(server.received.length - before).toBe(5 * SLOTS)
    expect(document.cutoff).toBe('2024-01-03T00:00:00Z')
    // The model goes by digits of the price: dates and names are nothing to it, another scale is.
    expect(document.guises.find(({ name }) => name === 'dates shifted')?.sameActions).toBe(1)
    expect(document.guises.find(({ name }) => name === 'names changed')?.sameActions).toBe(1)
    expect(document.guises.find(({ name }) => name === 'prices rescaled')?.sameActions).toBeLessThan(1)
    expect(document.guises[0]?.returnAfter).toBeNull()
    expect(document.guises[0]?.returnBefore).toBeCloseTo(document.guises[0]?.totalReturn ?? 0, 12)
  }, 60_000)
})
