import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../../lib/cli/run-cli.ts'
import { rssOf, startFakeFeeds } from '../support/fake-feeds.ts'

const NOW = '2026-11-02T10:00:00Z'
const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-feeds-tried-'))
const config = path.join(folder, 'my.json')
let server: Awaited<ReturnType<typeof startFakeFeeds>>

beforeAll(async () => {
  server = await startFakeFeeds({
    '/good': rssOf([{ title: 'SEC does not approve the fund', pubDate: 'Mon, 02 Nov 2026 09:00:00 GMT' }]),
  })
  const feeds = ['good', 'not-found'].map((name) => ({ name, url: server.url(`/${name}`) }))
  writeFileSync(config, JSON.stringify({ news: { feeds, timeoutMs: 10_000 } }))
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function hourhand(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  let ids = 0
  const exitCode = await runCli([...args, '--config', config, '--data-dir', path.join(folder, 'data'), '--at', NOW], {
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    env: {},
    clock: () => Date.parse(NOW),
    sleep: async () => {},
    newId: () => `feeds-${ids++}`,
  })
  return { exitCode, out: out.join(''), err: err.join('') }
}

test('doctor reads each feed on the simulated market too, and names the dead one with what to do', async () => {
  const { exitCode, out } = await hourhand('doctor')
  expect(exitCode).toBe(1)
  expect(out).toContain('good: 1 items')
  expect(out).toContain(
    'not-found: 0 items, HTTP 404: there is no feed at this address; correct or remove it in news.feeds',
  )
})

test('a dry run with --feeds shows the headlines of today on the simulated market, and the dead feed', async () => {
  const { exitCode, out } = await hourhand('cycle', '--dry-run', '--feeds')
  expect(exitCode).toBe(0)
  expect(out).toContain('1 headlines')
  expect(out).toContain('! feed not-found: HTTP 404')
})

test('without --feeds the simulated market has no headlines', async () => {
  expect((await hourhand('cycle', '--dry-run')).out).toContain('0 headlines')
})

test('--feeds on the simulated market without --dry-run is refused: nothing of it is to be kept', async () => {
  const { exitCode, err } = await hourhand('cycle', '--feeds')
  expect(exitCode).toBe(2)
  expect(err).toMatch(/--feeds with market\.source sim: .*add --dry-run/)
})
