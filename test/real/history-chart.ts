import type { HistoryRun } from './history-page.ts'
import { percent } from './markdown.ts'

const SIZE = { width: 960, height: 430 }
const PLOT = { left: 64, right: 750, top: 16, bottom: 396 }
const LABEL_HEIGHT = 17
/** Equity in multiples of the start at which a line may be drawn. */
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.2, 1.5, 2, 3, 5]
/** Told apart by their lightness as well, on white and on black. */
const COLOURS: Readonly<Record<string, string>> = { ETH: '#4c7ee0', BTC: '#d07f16', SOL: '#2a9d6f' }

/**
 * Equity over time on a logarithmic scale, a line a run, dashed where contracts cost a fee each; an SVG for light and
 * dark pages.
 */
export function historyChart(runs: readonly HistoryRun[]): string {
  const points = runs.flatMap(({ curve }) => curve)
  const times = points.map(({ time }) => time)
  const equities = points.map(({ equity }) => equity)
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const [low, high] = [Math.log(Math.min(...equities) * 0.93), Math.log(Math.max(...equities) * 1.05)]
  const x = (time: number): string => (PLOT.left + ((time - from) / (to - from)) * (PLOT.right - PLOT.left)).toFixed(1)
  const y = (equity: number): number => PLOT.top + ((high - Math.log(equity)) / (high - low)) * (PLOT.bottom - PLOT.top)

  const levels = LEVELS.filter((level) => Math.log(level) > low && Math.log(level) < high).map((level) => {
    const at = y(level).toFixed(1)
    return `<line class="${level === 1 ? 'start' : 'grid'}" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}"/><text x="${PLOT.left - 8}" y="${at}" dy="4" text-anchor="end">${percent(level - 1, 0)}</text>`
  })
  const firstYear = new Date(from).getUTCFullYear()
  const years = Array.from({ length: new Date(to).getUTCFullYear() - firstYear + 1 }, (_, index) => firstYear + index)
    .filter((year) => Date.UTC(year) >= from && Date.UTC(year) <= to)
    .map(
      (year) =>
        `<line class="grid" x1="${x(Date.UTC(year))}" x2="${x(Date.UTC(year))}" y1="${PLOT.top}" y2="${PLOT.bottom}"/><text x="${x(Date.UTC(year))}" y="${PLOT.bottom + 18}" text-anchor="middle">${year}</text>`,
    )
  const lines = runs.map(
    ({ name, variant, curve }) =>
      `<polyline stroke="${colourOf(name)}"${isDashed(variant) ? ' stroke-dasharray="5 3"' : ''} points="${curve.map(({ time, equity }) => `${x(time)},${y(equity).toFixed(1)}`).join(' ')}"/>`,
  )
  const title =
    'Equity of the hourly histories with the account’s limits lifted, as a change of the start; dashed: the default fee per contract, drawn through: percentage fees'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${title}">
<title>${title}</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.label { font-size: 13px }
.grid { stroke: #8883 }
.start { stroke: #888b }
polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { text { fill: #9aa4b0 } }
</style>
${[...levels, ...years, ...lines, ...labels(runs, y)].join('\n')}
</svg>
`
}

/** Each run's name and end beside its line, from the top, none over another. */
function labels(runs: readonly HistoryRun[], y: (equity: number) => number): string[] {
  let free = PLOT.top
  return runs
    .map(({ name, variant, curve }) => ({ name, variant, end: curve.at(-1)?.equity ?? 1 }))
    .sort((a, b) => b.end - a.end)
    .map(({ name, variant, end }) => {
      const at = Math.max(y(end), free)
      free = at + LABEL_HEIGHT
      return `<text class="label" x="${PLOT.right + 10}" y="${at.toFixed(1)}" dy="4" style="fill:${colourOf(name)}">${name.slice(0, 3)}, ${isDashed(variant) ? 'contract fees' : 'percentage fees'} ${percent(end - 1, 0)}</text>`
    })
}

const colourOf = (name: string): string => COLOURS[name.slice(0, 3)] ?? '#888'
const isDashed = (variant: HistoryRun['variant']): boolean => variant !== 'percentage fees'
