import type { ReportData } from '../../../schemas/report.ts'
import { judgeReport, type Verdict } from '../verdict.ts'
import { type Assets, readAssets } from './assets.ts'
import { dataElement, embedJson, escapeHtml, inlineElement } from './embed.ts'
import { packReport } from './pack-report.ts'

/**
 * The report as one HTML file that needs nothing else: no server, no network, no other file. The same data gives
 * the same bytes with the same installation. `data` is taken as valid; parse what comes from outside first.
 *
 * The page runs only the scripts named by hash in its content security policy, and may fetch nothing. Words of
 * strangers (headlines, model answers) stand in blocks of data that nothing parses as markup, and are shown as text.
 * Reads the chart library and the client code from disk; throws where they are not installed.
 */
export function renderReport(data: ReportData): string {
  const verdict = judgeReport(data)
  const { summary, series, chunks } = packReport(data, verdict)
  const assets = readAssets()
  const style = inlineElement('style', assets.style)
  const charts = inlineElement('script', assets.charts)
  const client = inlineElement('script', assets.client)
  return [
    ...head(data, verdict, style, [charts.source, client.source]),
    ...skeleton(data.title, verdict),
    licences(assets),
    '</footer>',
    dataElement('summary', 'application/json', embedJson(summary)),
    dataElement('series', 'text/plain', series),
    charts.element,
    client.element,
    // Last, so that the page stands before they are read.
    ...chunks.map((chunk, index) => dataElement(`stories-${index}`, 'text/plain', chunk)),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

const ICON =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='3' fill='#1c4f9c'/><path d='M5 3v10M11 3v10M3.5 6h3v4h-3zM9.5 5h3v5h-3z' stroke='#fff' fill='#fff'/></svg>"

function head(
  data: ReportData,
  verdict: Verdict,
  style: { element: string; source: string },
  scripts: string[],
): string[] {
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.join(' ')}`,
    `style-src ${style.source}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    // No string ever becomes markup or code, not even by mistake.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<meta name="description" content="${escapeHtml(verdict.sentence)}">`,
    `<title>${escapeHtml(data.title)}</title>`,
    `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">`,
    style.element,
    '</head>',
  ]
}

/** The page before its script has run, and all of it where none does. */
const skeleton = (title: string, verdict: Verdict): string[] => [
  '<body>',
  '<a class="skip" href="#trades">Skip to chart and trades</a>',
  '<div id="bar" class="bar"></div>',
  '<main id="page" class="page">',
  `<noscript><h1>${escapeHtml(title)}</h1><p>${escapeHtml(verdict.sentence)}</p><p>Charts, trades and stories are inside this file and need JavaScript to be shown. Nothing is loaded from anywhere else.</p></noscript>`,
  '</main>',
  '<div id="live" class="unseen" aria-live="polite"></div>',
  '<footer class="foot">',
  '<p>All times are UTC. Not financial advice.</p>',
]

const licences = ({ licences }: Assets): string =>
  `<details><summary>Licences of embedded software</summary>${licences.map(({ title, text }) => `<h3>${escapeHtml(title)}</h3><pre tabindex="0">${escapeHtml(text)}</pre>`).join('')}</details>`
