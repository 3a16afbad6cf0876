import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { AuditReport, CompareReport, SweepReport, TrialsReport } from '../../schemas/cli.ts'
import { ReplayReport, StoredReplay } from '../../schemas/replay.ts'
import { candleCsv, createBench } from './bench-support.ts'

const { newDirectory, file, run, json } = createBench()
const CANDLES = file('candles.csv', candleCsv(5))
const EAGER = file(
  'eager.json',
  JSON.stringify({ guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40, minStopAtr: 0.1 } }),
)
const on = (data: string, ...more: string[]): string[] => [
  '--candles',
  CANDLES,
  '--config',
  EAGER,
  '--from',
  '2024-01-02T00:00:00Z',
  '--data-dir',
  data,
  ...more,
]

describe('hourhand replay', () => {
  it('measures, compares and judges what it replays; the document is what its schema says, and the trades add up', async () => {
    const { code, document } = await json(ReplayReport, ['replay', ...on(newDirectory(), '--random', '3')])
    expect(code).toBe(0)
    expect(document.counts).toMatchObject({ bars: 4 * 1_440, slots: 4 * 48 })
    expect(document.metrics.trades).toBe(document.trades.length)
    expect(document.trades.length).toBeGreaterThan(3)
    expect(Object.keys(document.baselines)).toEqual(['hold', 'flat', 'rules', 'random'])
    expect(document.baselines.random).toMatchObject({ seeds: 3, percentile: expect.any(Number) })
    expect(document.baselines.rules).toBeNull()
    expect(document.gates.map(({ gate }) => gate)).toEqual([
      'sharpe',
      'max_drawdown',
      'trades',
      'deflated_sharpe',
      'beats_holding',
    ])
    expect(document.attribution?.pnl).toBe(document.metrics.pnl)
    expect(document.data).toMatchObject({ assumedFundingShare: 1, fundingHash: null })
    const outcomes = Object.values(document.counts.outcomes).reduce((total, count) => total + count, 0)
    expect(outcomes).toBe(document.counts.slots)
  })

  it('leaves the same bytes whatever the number of threads, and the same again', async () => {
    const results: string[][][] = []
    for (const workers of ['1', '2', '1']) {
      const data = newDirectory()
      const out = path.join(data, 'out')
      expect((await run(['replay', ...on(data, '--random', '4', '--workers', workers, '--out', out)])).code).toBe(0)
      results.push(
        readdirSync(out)
          .sort()
          .map((name) => [name, readFileSync(path.join(out, name), 'utf8')]),
      )
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
    expect(results[0]?.map(([name]) => name)).toEqual([
      'bars.json',
      'evidence.json',
      'replay.json',
      'slots.jsonl',
      'stories.jsonl',
      'trades.jsonl',
    ])
    expect(() =>
      StoredReplay.parse(JSON.parse(results[0]?.find(([name]) => name === 'replay.json')?.[1] ?? '')),
    ).not.toThrow()
  }, 60_000)

  it('its evidence sizes the same strategy, and is refused by any other', async () => {
    const data = newDirectory()
    const out = path.join(data, 'out')
    await run(['replay', ...on(data, '--random', '0', '--out', out)])
    const evidence = JSON.parse(readFileSync(path.join(out, 'evidence.json'), 'utf8')) as {
      sizing: { evidence: { wins: number; losses: number } }
    }
    const trades = readFileSync(path.join(out, 'trades.jsonl'), 'utf8').trim().split('\n').length
    expect(evidence.sizing.evidence.wins + evidence.sizing.evidence.losses).toBe(trades)
    const eager = JSON.parse(readFileSync(EAGER, 'utf8')) as object
    expect(loadConfig({ overrides: { ...eager, ...evidence } }).sizing.evidence?.wins).toBe(
      evidence.sizing.evidence.wins,
    )
    expect(() => loadConfig({ overrides: evidence })).toThrow(/other settings/)
    expect((await run(['guard', '--config', file('sized.json', JSON.stringify(evidence))])).code).toBe(2)
  })

  it('shows progress to a person, and nothing to a pipe', async () => {
    expect((await run(['replay', ...on(newDirectory(), '--random', '0')])).stderr).toBe('')
    const shown = (await run(['replay', ...on(newDirectory(), '--random', '0')], { isInteractive: true })).stderr
    expect(shown).toMatch(/replay: \d+ of 192 slots/)
    expect(shown.endsWith('\r\u001b[K')).toBe(true)
  })

  it('every replay is a trial, counted once, and the deflated Sharpe ratio counts those of its market', async () => {
    const data = newDirectory()
    const other = file(
      'other.json',
      JSON.stringify({
        guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40, minStopAtr: 0.1 },
        decider: { kind: 'rules', stopAtr: 1.2 },
      }),
    )
    const args = on(data, '--random', '0')
    expect((await json(ReplayReport, ['replay', ...args])).document.metrics.evidence.trials).toBe(1)
    expect((await json(ReplayReport, ['replay', ...args])).document.metrics.evidence.trials).toBe(1)
    const second = await json(ReplayReport, ['replay', ...args.map((arg) => (arg === EAGER ? other : arg))])
    expect(second.document.metrics.evidence.trials).toBe(2)
    const { document } = await json(TrialsReport, ['trials', '--data-dir', data])
    expect(document.trials).toHaveLength(2)
    expect(document.trials[1]).toMatchObject({
      trialId: second.document.trialId,
      settings: expect.arrayContaining(['decider.stopAtr = 1.2']),
    })
    expect((await run(['trials', '--data-dir', data])).stdout).toContain('decider.stopAtr = 1.2')
    const elsewhere = await run(['trials', '--data-dir', newDirectory()])
    expect([elsewhere.code, elsewhere.stdout]).toEqual([1, ''])
    expect(elsewhere.stderr).toContain('there is no data directory')
  })

  it.each([
    ['nothing in between', ['--from', '2025-01-01T00:00:00Z'], ['--from', '2025-01-01', '2024-01-06']],
    ['a file that is not there', ['--funding', 'no-such.csv'], ['no-such.csv']],
    ['headlines that are none', ['--news', 'NEWS'], ['news.file', 'line 1']],
    ['a count that is none', ['--random', 'many'], ['random', 'many', 'whole number']],
    ['recording without a model', ['--record'], ['--record', 'rules', 'openai']],
    ['a model without its key', ['--decider', 'openai', '--record'], ['OPENAI_API_KEY']],
  ])('%s: exit 2 and the remedy', async (_name, more, parts) => {
    const news = file('news.jsonl', '{"title":"undated","source":"x"}\n')
    const { code, stderr } = await run([
      'replay',
      ...on(newDirectory(), ...more.map((arg) => (arg === 'NEWS' ? news : arg))),
    ])
    expect(code).toBe(2)
    for (const part of parts) expect(stderr).toContain(part)
  })
})

describe('hourhand sweep', () => {
  it('runs every combination, each a trial, the same on any number of threads', async () => {
    const grid = file(
      'grid.json',
      JSON.stringify({ 'decider.stopAtr': [1, 2], 'exits.maxHoldingMinutes': [120, null] }),
    )
    const data = newDirectory()
    const one = await json(SweepReport, ['sweep', ...on(data, '--grid', grid, '--workers', '1')])
    expect(one.document.runs.map(({ settings }) => settings)).toEqual([
      { 'decider.stopAtr': 1, 'exits.maxHoldingMinutes': 120 },
      { 'decider.stopAtr': 1, 'exits.maxHoldingMinutes': null },
      { 'decider.stopAtr': 2, 'exits.maxHoldingMinutes': 120 },
      { 'decider.stopAtr': 2, 'exits.maxHoldingMinutes': null },
    ])
    const two = await json(SweepReport, ['sweep', ...on(newDirectory(), '--grid', grid, '--workers', '2')])
    expect({ ...two.document, elapsedMs: 0 }).toEqual({ ...one.document, elapsedMs: 0 })
    expect(
      (await json(TrialsReport, ['trials', '--data-dir', data])).document.trials.map(({ trialId }) => trialId).sort(),
    ).toEqual(one.document.runs.map(({ trialId }) => trialId).sort())
    // A run of a sweep is the replay of its settings.
    const alone = file(
      'alone.json',
      JSON.stringify({
        guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40, minStopAtr: 0.1 },
        decider: { kind: 'rules', stopAtr: 1 },
        exits: { maxHoldingMinutes: 120 },
      }),
    )
    const replayed = await json(ReplayReport, [
      'replay',
      ...on(newDirectory(), '--random', '0').map((arg) => (arg === EAGER ? alone : arg)),
    ])
    expect(one.document.runs[0]).toMatchObject({
      trialId: replayed.document.trialId,
      totalReturn: replayed.document.metrics.totalReturn,
      trades: replayed.document.metrics.trades,
    })
  }, 60_000)

  it.each([
    ['an unknown setting', { 'decider.stopAtrs': [1] }, 'decider.stopAtrs'],
    ['a value that cannot be', { 'guard.maxLeverage': [-1] }, 'guard.maxLeverage'],
    ['no list', { 'decider.stopAtr': 1 }, 'decider.stopAtr'],
    ['a group that is not there', { 'nothing.here': [1] }, 'nothing.here'],
  ])('%s: exit 2, and it is named', async (_name, grid, part) => {
    const { code, stderr } = await run([
      'sweep',
      ...on(newDirectory(), '--grid', file('wrong.json', JSON.stringify(grid))),
    ])
    expect({ code, named: stderr.includes(part) }).toEqual({ code: 2, named: true })
  })
})

describe('hourhand compare and audit', () => {
  it('compare sets deciders side by side over the same slots', async () => {
    const calm = file('calm.json', JSON.stringify({ decider: { kind: 'rules', rsiLongMin: 55 } }))
    const { document } = await json(CompareReport, [
      'compare',
      '--candles',
      CANDLES,
      '--from',
      '2024-01-02T00:00:00Z',
      '--config',
      EAGER,
      calm,
      '--decider',
      'rules',
      '--data-dir',
      newDirectory(),
    ])
    expect(document.walks.map(({ name }) => name)).toEqual(['eager', 'calm', 'rules'])
    expect(document.pairs).toHaveLength(3)
    expect(document.agreement.compared).toBe(document.slots)
    expect(document.agreement.meanShare).toBeGreaterThan(0.3)
    expect((await run(['compare', '--candles', CANDLES, '--decider', 'rules'])).stderr).toContain(
      'something to compare',
    )
    expect((await run(['compare', '--candles', CANDLES, '--decider', 'oracle'])).code).toBe(2)
  }, 60_000)

  it('audit finds that rules remember nothing', async () => {
    const news = file(
      'headlines.jsonl',
      [
        '{"title":"Ether climbs","source":"a","published_at":"2024-01-03T00:00:00Z"}',
        '{"title":"Ether falls","source":"a","published_at":"2024-01-04T00:00:00Z"}',
      ].join('\n'),
    )
    const { document } = await json(AuditReport, [
      'audit',
      ...on(newDirectory(), '--news', news, '--to', '2024-01-04T00:00:00Z'),
    ])
    expect(document.guises.map(({ name }) => name)).toEqual([
      'as it was',
      'dates shifted',
      'names changed',
      'prices rescaled',
      'all three',
      'news removed',
      'news swapped',
    ])
    for (const guise of document.guises)
      expect(guise).toMatchObject({ sameActions: 1, totalReturn: document.guises[0]?.totalReturn })
  }, 60_000)
})

describe('what is kept', () => {
  it('nothing lies about that was not asked for', async () => {
    const data = newDirectory()
    await run(['replay', ...on(data, '--random', '0')])
    expect(readdirSync(data)).toEqual(['trials.jsonl'])
    expect(existsSync('.hourhand/trials.jsonl')).toBe(false)
  })
})
