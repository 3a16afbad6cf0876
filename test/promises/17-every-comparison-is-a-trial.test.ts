import { describe, expect, it } from 'vitest'
import { trialIdOf } from '../../lib/evidence/make-trial.ts'
import { readTrials } from '../../lib/evidence/trial-ledger.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { AuditReport, CompareReport, SweepReport, TrialsReport } from '../../schemas/cli.ts'
import { ReplayReport } from '../../schemas/replay.ts'
import { candleCsv, createBench } from '../cli/bench-support.ts'
import { openAiDialect } from '../support/fake-openai.ts'
import { startScriptedServer } from '../support/scripted-server.ts'

const { newDirectory, file, run, json } = createBench()
const CANDLES = file('candles.csv', candleCsv(3, 5))
const HISTORY = ['--candles', CANDLES, '--from', '2024-01-02T00:00:00Z', '--to', '2024-01-02T12:00:00Z']
const NEWS = file(
  'news.jsonl',
  `${JSON.stringify({ publishedAt: '2024-01-02T01:00:00Z', title: 'ETH rises', source: 'x' })}\n`,
)
const wide = file('wide.json', JSON.stringify({ decider: { kind: 'rules', stopAtr: 3 } }))
const narrow = file('narrow.json', JSON.stringify({ decider: { kind: 'rules', stopAtr: 1.5 } }))

const trialsIn = (data: string) =>
  readTrials(data, (problem) => {
    throw new Error(problem)
  })

/** Which command each trial came from, and the last of what was varied in it. */
const told = (data: string) =>
  trialsIn(data).map(({ command, settings }) => [
    command,
    settings.filter((setting) => !setting.startsWith('market.')).at(-1) ?? 'as named',
  ])

describe('every comparison is a trial', () => {
  it('compare counts every contestant, on the market they were compared on', async () => {
    const data = newDirectory()
    const args = ['compare', ...HISTORY, '--config', wide, narrow, '--decider', 'rules', '--data-dir', data]
    const { document } = await json(CompareReport, args)
    const trials = trialsIn(data)
    expect(trials.map(({ trialId }) => trialId)).toEqual(document.walks.map(({ trialId }) => trialId))
    expect(told(data)).toEqual([
      ['compare', 'decider.stopAtr = 3'],
      ['compare', 'decider.stopAtr = 1.5'],
      ['compare', 'as named'],
    ])
    expect(trials.map(({ totalReturn }) => totalReturn)).toEqual(document.walks.map(({ totalReturn }) => totalReturn))
    expect((await run(args)).stdout).toContain('3 trials counted in')
    expect(trialsIn(data)).toHaveLength(3)
  }, 60_000)

  it('compare counts every sample of a model, the first as the replay that it is', async () => {
    const server = await startScriptedServer([
      openAiDialect.answer(
        JSON.stringify({
          action: 'hold',
          stopLossPrice: null,
          takeProfitPrice: null,
          confidence: null,
          invalidation: null,
          rationale: 'No edge.',
        }),
      ),
    ])
    const config = file(
      'model.json',
      JSON.stringify({
        decider: { kind: 'openai', model: 'gpt-test', baseUrl: `${server.url}${openAiDialect.basePath}` },
      }),
    )
    const data = newDirectory()
    const common = [...HISTORY, '--config', config, '--data-dir', data]
    const env = { OPENAI_API_KEY: 'sk-test-0123456789abcdef' }
    try {
      await json(CompareReport, ['compare', ...common, '--samples', '3'], { env })
      expect(told(data).map(([, what]) => what)).toEqual([
        expect.stringContaining('decider'),
        'sample = 1',
        'sample = 2',
      ])
      expect(new Set(trialsIn(data).map(({ model }) => model))).toEqual(new Set(['gpt-test']))
      const replayed = await json(ReplayReport, ['replay', ...common, '--random', '0'], { env })
      expect(trialsIn(data)).toHaveLength(3)
      // The luck of a replay is measured against all of them.
      expect(replayed.document.metrics.evidence.trials).toBe(3)
    } finally {
      await server.close()
    }
  }, 60_000)

  it('audit counts every masked history on the market that it masks; the same audit again adds none', async () => {
    const data = newDirectory()
    const args = ['audit', ...HISTORY, '--news', NEWS, '--decider', 'rules', '--data-dir', data]
    const { document } = await json(AuditReport, args)
    expect(told(data)).toEqual([
      ['audit', 'as named'],
      ['audit', 'history = dates shifted'],
      ['audit', 'history = names changed'],
      ['audit', 'history = prices rescaled'],
      ['audit', 'history = all three'],
      ['audit', 'history = news removed'],
      ['audit', 'history = news swapped'],
    ])
    const trials = trialsIn(data)
    expect(trials.map(({ trialId }) => trialId)).toEqual(document.guises.map(({ trialId }) => trialId))
    expect(new Set(trials.map(({ symbol, from, to }) => `${symbol} ${from} ${to}`)).size).toBe(1)
    await json(AuditReport, args)
    expect(trialsIn(data)).toHaveLength(7)
    const { document: listed } = await json(TrialsReport, ['trials', '--data-dir', data])
    expect(listed.trials).toHaveLength(7)
  }, 60_000)

  it('sweep counts every setting, and a setting that a comparison tried before is the same trial', async () => {
    const data = newDirectory()
    const grid = file('grid.json', JSON.stringify({ 'decider.stopAtr': [1.5, 2, 3] }))
    const { document } = await json(SweepReport, [
      'sweep',
      ...HISTORY,
      '--grid',
      grid,
      '--decider',
      'rules',
      '--data-dir',
      data,
    ])
    expect(trialsIn(data)).toHaveLength(3)
    const compared = await json(CompareReport, ['compare', ...HISTORY, '--config', wide, narrow, '--data-dir', data])
    expect(trialsIn(data)).toHaveLength(3)
    expect(document.runs.map(({ trialId }) => trialId)).toEqual(
      expect.arrayContaining(compared.document.walks.map(({ trialId }) => trialId)),
    )
  }, 60_000)

  it('settings, data and what was varied besides make a trial: each alone makes another', () => {
    const data = {
      symbol: 'S',
      timeframe: '1m',
      from: '2024-01-01T00:00:00Z',
      to: '2024-01-02T00:00:00Z',
      candlesHash: 'a',
      fundingHash: null,
      referenceHash: null,
      newsHash: null,
    }
    const config = loadConfig({})
    const other = loadConfig({ overrides: { guard: { maxLeverage: 2 } } })
    const ids = [
      trialIdOf(config, data),
      trialIdOf(other, data),
      trialIdOf(config, { ...data, candlesHash: 'b' }),
      trialIdOf(config, data, 'sample = 1'),
      trialIdOf(config, data, 'sample = 2'),
      trialIdOf(config, data, 'history = dates shifted'),
    ]
    expect(new Set(ids).size).toBe(ids.length)
    expect(trialIdOf(config, data, null)).toBe(ids[0])
  })
})
