import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const KNOWN = [
  process.env['HOURHAND_BROWSER'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** A browser of the Chromium family that is installed here, if any; HOURHAND_BROWSER names another. */
export const browserPath: string | null = KNOWN.find((file) => file !== undefined && existsSync(file)) ?? null

export const launchBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })

/** A page that keeps what went wrong on it and what it asked the network for. */
export type Watched = { page: Page; problems: string[]; requests: string[] }

/**
 * Opens a report and waits until its charts and lists are there. What the layout jumped by is in `data-jumps` of the
 * root.
 */
export async function openReport(
  browser: Browser,
  file: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options })
  page.setDefaultTimeout(10_000)
  const problems: string[] = []
  const requests: string[] = []
  page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => requests.push(request.url()))
  await page.addInitScript(() => {
    new PerformanceObserver((list) => {
      const { dataset } = document.documentElement
      for (const entry of list.getEntries())
        dataset['jumps'] = String(Number(dataset['jumps'] ?? 0) + ('value' in entry ? Number(entry.value) : 0))
    }).observe({ type: 'layout-shift', buffered: true })
  })
  await page.goto(`file://${file}`)
  await page.waitForFunction(() => document.documentElement.dataset['state'] !== undefined)
  return { page, problems, requests }
}
