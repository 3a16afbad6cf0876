import { describeQuality } from '../describe-quality.ts'
import type { StoredFailedReplay } from '../../../schemas/replay.ts'
import { readAssets } from './assets.ts'
import { escapeHtml, inlineElement } from './embed.ts'

/**
 * The page of a replay whose answers failed: that they did, how often and why, and no figure that silence would have
 * made. It runs no script and fetches nothing.
 */
export function renderFailedReport(failed: StoredFailedReplay): string {
  const { data, strategyId, decider, model, counts, problem } = failed
  const style = inlineElement('style', readAssets().style)
  const title = `${data.symbol}, ${data.from.slice(0, 10)} to ${data.to.slice(0, 10)}: failed`
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${style.source}; base-uri 'none'; form-action 'none'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<meta name="description" content="${escapeHtml(problem)}">`,
    `<title>${escapeHtml(title)}</title>`,
    style.element,
    '</head>',
    '<body>',
    '<main id="page" class="page">',
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="problem">${escapeHtml(problem)}.</p>`,
    '<p>Nothing was decided at these slots, so nothing that a return, a drawdown or a number of trades could be made of. An open position would have kept its stop and its target.</p>',
    '<table>',
    row('Strategy', strategyId),
    row('Decider', model === null ? decider : `${decider} ${model}`),
    row('Data', describeQuality(counts).join('; ')),
    row('Slots', String(counts.slots)),
    row('Answers asked for', String(counts.answers.asked)),
    row('Answers failed', String(counts.answers.failed)),
    '</table>',
    '<h2>By kind</h2>',
    `<ul class="lines">${Object.entries(counts.answers.byKind).map(item).join('')}</ul>`,
    '<h2>In the words of provider and decider</h2>',
    `<ul class="lines">${Object.entries(counts.failures).map(item).join('')}</ul>`,
    '</main>',
    '<footer class="foot"><p>All times are UTC. Not financial advice.</p></footer>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

const row = (name: string, value: string): string =>
  `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`
const item = ([text, count]: [string, number]): string => `<li>${escapeHtml(`${count} × ${text}`)}</li>`
