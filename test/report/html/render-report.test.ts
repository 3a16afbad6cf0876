import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { renderReport } from '../../../lib/report/html/render-report.ts'
import { ReportData } from '../../../schemas/report.ts'
import { makeReportData } from '../../support/report/report-data.ts'

const data = makeReportData({ days: 10, trades: 20, open: true })
const html = renderReport(data)
const elements = [...html.matchAll(/<(?<tag>script|style)(?<attributes>[^>]*)>(?<content>[\s\S]*?)<\/\k<tag>>/g)].map(
  ({ groups }) => ({
    tag: groups?.['tag'],
    attributes: groups?.['attributes'] ?? '',
    content: groups?.['content'] ?? '',
  }),
)
const policy = /Content-Security-Policy" content="(?<policy>[^"]*)"/.exec(html)?.groups?.['policy'] ?? ''

describe('the report', () => {
  it('is made from data that the schema accepts', () => {
    expect(ReportData.parse(data)).toEqual(data)
  })

  it('is the same for the same data', () => {
    expect(renderReport(makeReportData({ days: 10, trades: 20, open: true }))).toBe(html)
  })

  it('lets through by hash exactly the code and the style that are in it, and nothing from anywhere', () => {
    const code = elements.filter(({ tag, attributes }) => tag === 'script' && attributes === '')
    const style = elements.filter(({ tag }) => tag === 'style')
    expect([code.length, style.length]).toEqual([2, 1])
    const hashes = [...code, ...style].map(
      ({ content }) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`,
    )
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hashes.slice(0, 2).join(' ')}`,
      `style-src ${hashes[2]}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
  })

  it('names no file outside itself', () => {
    const markup = elements.reduce((text, { content }) => text.replace(content, ''), html)
    expect(
      [...markup.matchAll(/\b(?:src|href)="(?<target>[^"]*)"/g)]
        .map((match) => match.groups?.['target'])
        .filter((target) => !/^(?:#|data:)/.test(target ?? '')),
    ).toEqual([])
    expect(
      elements
        .filter(({ tag }) => tag === 'style')
        .map(({ content }) => content)
        .join(''),
    ).not.toMatch(/url\(|@import/)
  })

  it('says once that it is no advice, and passes on the licences of what it embeds', () => {
    expect(html.match(/financial advice/gi)).toHaveLength(1)
    expect(html).toContain('Apache License')
    expect(html).toContain('Copyright (c) 2026 TradingView, Inc.')
    expect(html).toContain('The above copyright notice and this permission notice')
  })

  it('words that look like markup are not', () => {
    const hostile = '</script><script>alert(1)</script><img src=x onerror=alert(1)>"\'&\u2028'
    const page = renderReport({
      ...data,
      title: hostile,
      decider: hostile,
      baselines: null,
      attribution: null,
      halt: { at: data.metrics.to, by: 'guard', rule: null, reason: hostile },
      trades: data.trades.map((trade) => ({ ...trade, regime: hostile })),
    })
    expect(page).not.toContain('<img')
    expect(page.match(/<script/g)).toHaveLength(html.match(/<script/g)?.length ?? 0)
    expect(page.match(/<\/script/g)).toHaveLength(html.match(/<\/script/g)?.length ?? 0)
  })
})
