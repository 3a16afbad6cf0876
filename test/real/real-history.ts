/**
 * The rules decider over all the real history there is: with the guard as it comes, with the account's limits lifted,
 * so that the whole history is seen, and so with percentage fees; written down as a page and a chart.
 *
 *   npm run real-history [-- --seeds 10] [--long-seeds 3] [--keep DIR] [--only ETH] [--out docs]
 *
 * Takes most of an hour of processor time, nearly all of it for the random runs beside each: as many as `--seeds`, on
 * the histories of years `--long-seeds`. With `--keep` the results stay in a directory; a run that was broken off goes
 * on there, and what is finished is not made again, so it has to be emptied when the code has changed. `--only` makes
 * the histories whose names begin so, and no page. Reads the candles from ../shared/data, which are not part of this
 * repository; says so and ends when they are not there.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runCli } from '../../lib/cli/run-cli.ts'
import { isUnfinished, readSlotLines } from '../../lib/replay/journal.ts'
import { StoredReplay } from '../../schemas/replay.ts'
import { historyChart } from './history-chart.ts'
import { historyPage, type HistoryRun, type Overrides, VARIANTS, type Variant } from './history-page.ts'
import {
  candleFile,
  fundingFile,
  HISTORIES,
  type HistoryFiles,
  isHourly,
  requireHistories,
  symbolOf,
} from './histories.ts'
import { percent } from './markdown.ts'

/** Points a line of the chart is drawn with, about. */
const CURVE_POINTS = 400

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    'long-seeds': { type: 'string', default: '3' },
    keep: { type: 'string' },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: 'docs' },
  },
})
requireHistories()
const kept = values.keep ?? mkdtempSync(path.join(tmpdir(), 'hourhand-real-history-'))

const runs: HistoryRun[] = []
for (const [name, files] of Object.entries(HISTORIES).filter(([one]) => one.startsWith(values.only))) {
  for (const variant of Object.keys(VARIANTS) as Variant[]) {
    const run = await replay(name, files, variant)
    const { metrics, baselines } = run.replay
    console.log(
      `${name.padEnd(18)} ${variant.padEnd(16)} ${percent(metrics.totalReturn).padStart(9)}  hold ${percent(baselines.hold?.totalReturn ?? null).padStart(9)}  ${metrics.trades} trades`,
    )
    runs.push(run)
  }
}
if (values.keep === undefined) rmSync(kept, { recursive: true, force: true })
if (values.only === '') {
  writeFileSync(path.join(values.out, 'real-history.md'), historyPage(runs))
  writeFileSync(
    path.join(values.out, 'real-history.svg'),
    historyChart(
      runs.filter(({ variant, name }) => variant !== 'as it comes' && name.includes('1h') && !name.includes('dirty')),
    ),
  )
}

async function replay(name: string, files: HistoryFiles, variant: Variant): Promise<HistoryRun> {
  const out = path.join(kept, `${name}-${variant}`.replaceAll(' ', '-'))
  if (!existsSync(path.join(out, 'replay.json')) || isUnfinished(out)) await makeResult(name, files, variant, out)
  const stored = StoredReplay.parse(JSON.parse(readFileSync(path.join(out, 'replay.json'), 'utf8')))
  const lines = readSlotLines(out)
  const every = Math.ceil(lines.length / CURVE_POINTS)
  const start = Number(stored.metrics.startEquity)
  const curve = lines
    .filter((_, index) => index % every === 0 || index === lines.length - 1)
    .map(({ slot, equity }) => ({ time: Date.parse(slot), equity: Number(equity) / start }))
  return { name, variant, note: files.note ?? '', replay: stored, curve }
}

/** Runs `hourhand replay` as a user would, into a directory. */
async function makeResult(name: string, files: HistoryFiles, variant: Variant, out: string): Promise<void> {
  mkdirSync(out, { recursive: true })
  const { instrument, strategy } = files
  const funding = fundingFile(files)
  const overrides: Overrides = VARIANTS[variant]
  const config = path.join(out, 'config.json')
  writeFileSync(
    config,
    JSON.stringify({
      ...overrides,
      market: { symbol: symbolOf(name) },
      instrument: { ...instrument, ...overrides.instrument },
    }),
  )
  const code = await runCli(
    [
      'replay',
      '--candles',
      candleFile(files),
      ...(funding === null ? [] : ['--funding', funding]),
      ...(strategy === undefined ? [] : ['--strategy', strategy]),
      '--config',
      config,
      '--data-dir',
      path.join(kept, 'data'),
      '--out',
      out,
      '--random',
      isHourly(files) ? values['long-seeds'] : values.seeds,
      '--json',
    ],
    {
      stdout: () => {},
      stderr: (text) => process.stderr.write(text),
      env: {},
      clock: () => Date.now(),
      newId: () => 'real-history',
      sleep: async () => {},
      isInteractive: process.stderr.isTTY,
      cores: availableParallelism(),
    },
  )
  if (code !== 0) throw new Error(`${name}, ${variant}: exit ${code}`)
}
