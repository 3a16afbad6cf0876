import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderReport } from '../../../lib/report/html/render-report.ts'
import type { ReportData } from '../../../schemas/report.ts'
import { browserPath, launchBrowser, openReport, type Watched } from '../../support/report/browser.ts'
import { HOSTILE, withHostileWords } from '../../support/report/hostile.ts'
import { makeReportData } from '../../support/report/report-data.ts'

if (browserPath === null)
  console.warn(
    'skipped: the report in a browser, since no Chromium is installed (apt-get install chromium, or name one in HOURHAND_BROWSER)',
  )

describe.skipIf(browserPath === null)('the report in a browser', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-report-'))
  const data = makeReportData({ days: 30, trades: 90, open: true })
  let browser: Browser
  let main: Watched

  const fileOf = (name: string, content: ReportData): string => {
    const file = path.join(folder, `${name}.html`)
    writeFileSync(file, renderReport(content))
    return file
  }

  beforeAll(async () => {
    browser = await launchBrowser(browserPath ?? '')
    main = await openReport(browser, fileOf('main', data))
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const rows = (page: Page) => page.locator('.trade-list').first().locator('tr[data-place]')
  const row = (page: Page, place: number) => page.locator('.trade-list').first().locator(`tr[data-place="${place}"]`)
  const cellsOf = async (page: Page, column: number) =>
    Promise.all((await rows(page).all()).map((line) => line.locator('td').nth(column).innerText()))
  /** What the chart shows, in epoch milliseconds, once something has moved it: it moves with the next frame. */
  const moveChart = async (page: Page, act: () => Promise<void>) => {
    const before = await page.locator('#chart').evaluate(({ dataset }) => `${dataset['from']} ${dataset['to']}`)
    await act()
    await page.waitForFunction((old) => {
      const { dataset } = document.getElementById('chart') ?? document.body
      return `${dataset['from']} ${dataset['to']}` !== old
    }, before)
    return page
      .locator('#chart')
      .evaluate(({ dataset }) => ({ from: Date.parse(`${dataset['from']}Z`), to: Date.parse(`${dataset['to']}Z`) }))
  }
  /** Opens everything that can be unfolded, and what is inside of that. */
  const unfold = (page: Page) =>
    page.evaluate(async () => {
      for (let level = 0; level < 3; level += 1) {
        for (const details of document.querySelectorAll('details')) details.open = true
        // What is unfolded is made when the event of it comes.
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
      }
    })
  const close = async (page: Page) => {
    await page.keyboard.press('Escape')
    await page.locator('#story').waitFor({ state: 'hidden' })
  }

  it('opens from a file: nothing asked of the network, no message, no jump, charts drawn', async () => {
    const { page, problems, requests } = main
    expect(await page.evaluate(() => document.documentElement.dataset['state'])).toBe('ready')
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([`file://${path.join(folder, 'main.html')}`])
    await page.waitForTimeout(200)
    const colours = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLCanvasElement>('#chart td:nth-child(2) canvas:first-child')].map(
        (canvas) =>
          new Set(
            new Uint32Array(
              canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data.buffer ??
                new ArrayBuffer(0),
            ),
          ).size,
      ),
    )
    // Candles with volume, equity with holding, drawdown, and the time axis.
    expect(colours.length).toBeGreaterThanOrEqual(4)
    expect(Math.min(...colours.slice(0, 3))).toBeGreaterThan(8)
    const jumps = await page.evaluate(() => Number(document.documentElement.dataset['jumps'] ?? 0))
    expect(jumps).toBeLessThan(0.02)
    expect(problems).toEqual([])
  })

  it('no string becomes markup there, not even by our own mistake', async () => {
    expect(
      await main.page.evaluate(() => {
        try {
          document.body.innerHTML += '<i>'
        } catch (error) {
          return String(error)
        }
        return 'it did'
      }),
    ).toContain('TrustedHTML')
    main.problems.length = 0
  })

  it('a click on a trade tells its own story, from any chunk, and moves the chart to it', async () => {
    const { page } = main
    const last = data.trades.length - 1
    for (const place of [2, last]) {
      const trade = data.trades[place]
      const story = data.stories.find(({ cycleId }) => cycleId === trade?.cycleId)
      if (place === last)
        await page
          .locator('.trade-list .grid')
          .first()
          .evaluate((box) => {
            box.scrollTop = box.scrollHeight
          })
      const shown = await moveChart(page, () => row(page, place).click())
      await page.locator('#story .step').first().waitFor()
      expect(await page.locator('#story-title').innerText()).toContain(`Trade ${place + 1} `)
      expect(await page.locator('pre[aria-label="User text of the prompt"]').textContent()).toBe(story?.prompt?.user)
      expect(await page.locator('pre[aria-label="System text of the prompt"]').textContent()).toBe(
        story?.prompt?.system,
      )
      expect(await page.locator('pre[aria-label="Answer 1 of the model"]').textContent()).toBe(
        story?.decision?.attempts[0]?.raw,
      )
      expect(await page.locator('.verdicts li').count()).toBe(story?.verdicts.length)
      const entry = Date.parse(trade?.entryTime ?? '')
      expect(shown.from).toBeLessThanOrEqual(entry)
      expect(shown.to).toBeGreaterThanOrEqual(entry)
      expect(shown.to - shown.from).toBeLessThan(5 * 86_400_000)
    }
    await unfold(page)
    const text = await page.locator('pre[aria-label="Snapshot as JSON"]').textContent()
    expect(JSON.parse(text ?? '')).toEqual(
      data.stories.find(({ cycleId }) => cycleId === data.trades[last]?.cycleId)?.snapshot,
    )
    await close(page)
  })

  it('a click into the chart opens the trade that is there', async () => {
    const { page } = main
    await moveChart(page, () => page.getByRole('button', { name: 'Show 1 days' }).click())
    const box = await page.locator('#chart').boundingBox()
    for (let share = 0.2; share < 0.9 && (await page.locator('#story').isHidden()); share += 0.1)
      await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) * share, (box?.y ?? 0) + 150)
    expect(await page.locator('#story').isVisible()).toBe(true)
    await close(page)
    await moveChart(page, () => page.getByRole('button', { name: 'Show the whole period' }).click())
  })

  it('works by keyboard alone', async () => {
    const { page } = main
    await page.evaluate(() => {
      scrollTo(0, 0)
      document.querySelector<HTMLElement>('.trade-list .grid')?.scrollTo(0, 0)
    })
    await page.evaluate(() => (document.activeElement instanceof HTMLElement ? document.activeElement.blur() : null))
    await row(page, 0).focus()
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'ArrowDown', 'Enter']) await page.keyboard.press(key)
    await page.locator('#story .step').first().waitFor()
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Trade 3')
    // Next, by its button.
    await page.getByRole('button', { name: 'Next', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.activeElement?.textContent?.includes('Trade 4'))
    await close(page)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-place'))).toBe('3')
    await page.keyboard.press('End')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-place'))).toBe(
      String(data.trades.length - 1),
    )
    await page.keyboard.press('Home')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-place'))).toBe('0')
    // The first stop of the page leads past everything else.
    await page.evaluate(() => (document.activeElement instanceof HTMLElement ? document.activeElement.blur() : null))
    await page.locator('body').evaluate((body) => {
      body.tabIndex = -1
      body.focus()
      body.removeAttribute('tabindex')
    })
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to chart and trades')
    expect(await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)).not.toBe(
      'none',
    )
  })

  it('moves and zooms the chart by keys', async () => {
    const { page } = main
    const whole = await moveChart(page, () => page.getByRole('button', { name: 'Show the whole period' }).click())
    const start = await moveChart(page, () => page.getByRole('button', { name: 'Show 7 days' }).click())
    expect(start.to).toBe(whole.to)
    expect(start.to - start.from).toBeLessThan(8 * 86_400_000)
    await page.locator('#chart').focus()
    const moved = await moveChart(page, () => page.keyboard.press('ArrowLeft'))
    expect(moved.from).toBeLessThan(start.from)
    expect(moved.to).toBeLessThan(start.to)
    const zoomed = await moveChart(page, () => page.keyboard.press('+'))
    expect(zoomed.from).toBeGreaterThan(moved.from)
    expect(zoomed.to).toBeLessThan(moved.to)
    await moveChart(page, () => page.getByRole('button', { name: 'Show the whole period' }).click())
  })

  it('filters by side and exit reason, and says what is left', async () => {
    const { page } = main
    const shorts = data.trades.filter(({ side, exitReason }) => side === 'short' && exitReason === 'stop_loss')
    expect(shorts.length).toBeGreaterThan(3)
    await page.getByLabel('Side', { exact: true }).selectOption('short')
    await page.getByLabel('Exit reason', { exact: true }).selectOption('stop_loss')
    expect(await page.locator('.trade-list .count').first().innerText()).toContain(
      `${shorts.length} trades of ${data.trades.length}`,
    )
    expect(new Set(await cellsOf(page, 1))).toEqual(new Set(['▼ Short']))
    expect(new Set(await cellsOf(page, 6))).toEqual(new Set(['stop loss']))
    expect(await page.getByRole('grid', { name: 'Trades' }).getAttribute('aria-rowcount')).toBe(
      String(shorts.length + 1),
    )
    await page.getByLabel('Side', { exact: true }).selectOption('')
    await page.getByLabel('Exit reason', { exact: true }).selectOption('')
  })

  it('sorts by any column, both ways', async () => {
    const { page } = main
    const sorted = data.trades
      .map((trade, place) => ({ number: place + 1, pnl: Number(trade.pnl) }))
      .sort((a, b) => a.pnl - b.pnl)
    const header = page.getByRole('button', { name: 'PnL' }).first()
    await header.click()
    expect((await cellsOf(page, 0)).slice(0, 5)).toEqual(sorted.slice(0, 5).map(({ number }) => String(number)))
    expect(await page.locator('th[aria-sort="ascending"]').first().innerText()).toContain('PnL')
    await header.click()
    expect((await cellsOf(page, 0))[0]).toBe(String(sorted.at(-1)?.number))
    // A click still opens what the row shows.
    await row(page, 0).click()
    expect(await page.locator('#story-title').innerText()).toContain(`Trade ${sorted.at(-1)?.number} `)
    await close(page)
    await page.getByRole('button', { name: '#' }).first().click()
  })

  it('draws only the rows in sight, and all of them on paper', async () => {
    const { page } = main
    expect(await rows(page).count()).toBeLessThan(50)
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
    expect(await rows(page).count()).toBe(data.trades.length)
    await page.evaluate(() => dispatchEvent(new Event('afterprint')))
    expect(await rows(page).count()).toBeLessThan(50)
  })

  it('tells the story of a refusal and of the open position', async () => {
    const { page } = main
    await page.locator('.refusals').evaluate((details) => details.setAttribute('open', ''))
    const refused = data.stories.find(({ outcome }) => outcome === 'refused')
    await page.getByRole('grid', { name: 'Refused decisions' }).locator('tr[data-place="0"]').click()
    await page.locator('#story .step').first().waitFor()
    expect(await page.locator('pre[aria-label="User text of the prompt"]').textContent()).toBe(refused?.prompt?.user)
    expect(await page.locator('.verdicts li').first().getAttribute('class')).toBe('failed')
    await close(page)
    await page.getByRole('button', { name: 'Show on the chart, with its story' }).click()
    await page.locator('#story .step').first().waitFor()
    expect(await page.locator('#story').innerText()).toContain(data.openPosition?.tradeId.slice(0, -7))
    await close(page)
  })

  it('shows every number of the metrics, the gates, the baselines and the evidence', async () => {
    await unfold(main.page)
    const text = (await main.page.locator('#page').textContent()) ?? ''
    const { metrics, baselines, gates, data: source, counts } = data
    for (const group of [metrics.bySide, metrics.byRegime, metrics.byExitReason])
      for (const name of Object.keys(group)) expect(text).toContain(name.replaceAll('_', ' '))
    for (const { reason } of gates) expect(text).toContain(reason)
    for (const rule of Object.keys(counts?.refusalsByRule ?? {})) expect(text).toContain(rule.replaceAll('_', ' '))
    for (const value of [source?.candlesHash, source?.fundingHash, data.trialId, data.promptHash, data.codeVersion])
      expect(text).toContain(value)
    expect(text).toContain(`beats ${Math.round((baselines?.random?.percentile ?? 0) * 100)}\u202f%`)
    expect(text).toContain(`Trials on this market${metrics.evidence.trials}`)
    expect(text).toContain('"maxLeverage": 3')
  })

  it('a number that does not exist is a dash that says why', async () => {
    const dash = main.page.locator('#evidence .none').first()
    expect(await dash.innerText()).toContain('–')
    expect(await dash.getAttribute('title')).toBe('no reference history was given')
  })

  it('ids are unique and every control has a name', async () => {
    const faults = await main.page.evaluate(() => {
      const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
      const nameless = [
        ...document.querySelectorAll('button, select, a, input, [role]:not([role="grid"]):not([role="note"])'),
      ].filter(
        (element) =>
          (
            (element.getAttribute('aria-label') ?? '') +
            (element.getAttribute('aria-labelledby') ?? '') +
            (element.textContent ?? '') +
            (element.closest('label')?.textContent ?? '')
          ).trim() === '',
      )
      return [...ids.filter((id, place) => ids.indexOf(id) !== place), ...nameless.map((element) => element.outerHTML)]
    })
    expect(faults).toEqual([])
  })

  it('is dark where the system is, or where one chooses, with contrast in both', async () => {
    const { page } = main
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const light = await ground()
    const colours = ['text', 'muted', 'accent', 'gain', 'loss', 'unsure']
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme })
      const contrasts = await page.evaluate((names) => {
        const probe = document.body.appendChild(document.createElement('i'))
        const luminance = (name: string) => {
          probe.style.color = `var(--${name})`
          const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map((part) => {
            const share = Number(part) / 255
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
          })
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue
        }
        const contrast = (a: string, b: string) => {
          const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
          return (high + 0.05) / (low + 0.05)
        }
        const pairs = [
          ...names.flatMap((name) => [
            [name, 'surface'],
            [name, 'raised'],
            [name, 'ground'],
          ]),
          ['gain', 'gain-soft'],
          ['loss', 'loss-soft'],
          ['unsure', 'unsure-soft'],
          ['accent', 'accent-soft'],
          ['text', 'loss-soft'],
          ['text', 'accent-soft'],
        ]
        const found = pairs.map(([a = '', b = '']) => [`${a} on ${b}`, contrast(a, b)] as const)
        probe.remove()
        return found
      }, colours)
      expect(contrasts.filter(([, ratio]) => ratio < 4.5)).toEqual([])
    }
    const dark = await ground()
    expect(dark).not.toBe(light)
    await page.getByRole('button', { name: 'Switch to light colours' }).click()
    expect(await ground()).toBe(light)
    await page.emulateMedia({ colorScheme: 'light' })
    expect(main.problems).toEqual([])
  })

  it('fits a phone: only tables scroll sideways, the story covers the page', async () => {
    const { page, problems } = await openReport(browser, path.join(folder, 'main.html'), {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    })
    const width = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth, innerWidth))
    expect(await width()).toBe(360)
    await unfold(page)
    expect(await width()).toBe(360)
    await row(page, 1).click({ position: { x: 20, y: 10 } })
    await page.locator('#story .step').first().waitFor()
    await unfold(page)
    expect(await width()).toBe(360)
    expect(
      await page.locator('#story').evaluate((story) => [story.clientWidth, story.scrollWidth, story.clientHeight]),
    ).toEqual([360, 360, 740])
    expect(await page.locator('#bar').evaluate((bar) => bar.hasAttribute('inert'))).toBe(true)
    await close(page)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-place'))).toBe('1')
    expect(problems).toEqual([])
    await page.close()
  })

  it('hostile words stay words', async () => {
    const hostile = withHostileWords(makeReportData({ days: 5, trades: 12, halted: true }))
    const { page, problems } = await openReport(browser, fileOf('hostile', hostile))
    await row(page, 0).click()
    await page.locator('#story .step').first().waitFor()
    await unfold(page)
    expect(
      await page.evaluate(() => ['owned' in globalThis, document.querySelectorAll('img, b b, script').length]),
    ).toEqual([false, 4 + Math.ceil(hostile.stories.length / 40)])
    const story = await page.locator('#story').evaluate((element) => element.textContent ?? '')
    expect(story.split(HOSTILE).length - 1).toBeGreaterThan(30)
    expect(await page.locator('pre[aria-label="Answer 1 of the model"]').textContent()).toBe(HOSTILE)
    expect(await page.locator('h1').textContent()).toContain(HOSTILE)
    expect(await page.title()).toContain(HOSTILE)
    expect(await page.locator('#page').evaluate((element) => element.textContent ?? '')).toContain(`1 × ${HOSTILE}`)
    expect(problems).toEqual([])
    await page.close()
  })

  const bare = makeReportData({ days: 4, trades: 0, model: null })
  it.each<[string, ReportData, string[]]>([
    ['no trades at all', bare, ['There were no trades.', 'No knowledge cutoff is stated']],
    ['no stories', makeReportData({ days: 5, trades: 10, stories: false }), ['No stories are kept in this report.']],
    [
      'halted',
      makeReportData({ days: 5, trades: 10, halted: true, stories: false }),
      ['Halted', 'by the guard, rule drawdown', 'equity is 15.2 % below its peak'],
    ],
    [
      'a stored record with nothing judged',
      {
        ...makeReportData({ days: 5, trades: 10 }),
        kind: 'record',
        mode: 'live',
        data: null,
        counts: null,
        baselines: null,
        attribution: null,
        cutoff: null,
        trialId: null,
        gates: [],
      },
      ['stored record', 'No gates were judged.', 'No baselines were played.', 'It was not attributed'],
    ],
    [
      'no bars, no equity, no decisions',
      {
        ...bare,
        bars: { ...bare.bars, time: [], open: [], high: [], low: [], close: [], volume: [] },
        equity: { time: [], value: [] },
        decisions: { time: [], action: [], outcome: [], confidence: [], refusedBy: [] },
      },
      ['No decisions are on record.'],
    ],
  ])('shows %s', async (name, content, words) => {
    const { page, problems } = await openReport(browser, fileOf(name.replaceAll(/\W+/g, '-'), content))
    expect(await page.evaluate(() => document.documentElement.dataset['state'])).toBe('ready')
    if (content.trades.length > 0) await row(page, 0).click()
    for (const part of words) await page.getByText(part).first().waitFor()
    expect(problems).toEqual([])
    await page.close()
  })
})
