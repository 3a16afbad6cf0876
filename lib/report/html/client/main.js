import { readSeries, readSummary } from './data.js'
import { decisionsSection } from './decisions.js'
import { byId, h } from './dom.js'
import { attributionSection, baselinesSection, costsSection, evidenceSection } from './evidence.js'
import { metricsSection } from './metrics.js'
import { gatesSection, overview } from './overview.js'
import { themeButton } from './theme.js'
import { fillWorkbench, workbenchFrame } from './workbench.js'

const LINKS = /** @type {const} */ ([
  ['overview', 'Overview'],
  ['trades', 'Trades'],
  ['gates', 'Gates'],
  ['decisions', 'Decisions'],
  ['metrics', 'Metrics'],
  ['baselines', 'Baselines'],
  ['attribution', 'Attribution'],
  ['costs', 'Costs'],
  ['evidence', 'Evidence'],
])

/** Shows what needs no inflating at once, in its final place, and fills in the rest. */
async function show() {
  const page = byId('page')
  const summary = readSummary()
  byId('bar').append(
    h(
      'nav',
      { 'aria-label': 'Parts of the report' },
      LINKS.map(([id, words]) => h('a', { href: `#${id}` }, words)),
    ),
    themeButton(),
  )
  const decisions = h('div', { class: 'card waiting' })
  page.append(
    overview(summary),
    workbenchFrame(),
    gatesSection(summary),
    decisions,
    metricsSection(summary),
    baselinesSection(summary),
    h('div', { class: 'cards' }, attributionSection(summary), costsSection(summary)),
    evidenceSection(summary),
  )
  const series = await readSeries()
  decisions.replaceWith(decisionsSection(summary, series))
  fillWorkbench(summary, series)
}

show().then(
  () => {
    document.documentElement.dataset['state'] = 'ready'
  },
  (error) => {
    document.documentElement.dataset['state'] = 'failed'
    byId('page').prepend(
      h(
        'p',
        { class: 'banner', role: 'alert' },
        `This browser cannot show the report: ${error instanceof Error ? error.message : String(error)}. It needs DecompressionStream, which browsers have since 2023.`,
      ),
    )
  },
)
