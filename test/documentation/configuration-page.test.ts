import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { StrategyConfig } from '../../schemas/strategy-config.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { listSettings, PAGE, renderConfigurationPage } from './configuration-page.ts'

describe('docs/configuration.md', () => {
  it('docs/configuration.md says of each setting what the schema says', () => {
    const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''
    expect(page, 'the schema has changed: run `npm run configuration-page` and commit docs/configuration.md').toBe(
      renderConfigurationPage(),
    )
  })

  it('every setting of a complete configuration stands on the page of settings', () => {
    const paths = new Set(listSettings().map(({ path }) => path.split(' ')[0]))
    const leaves = (value: unknown, path: string): string[] =>
      paths.has(path) || value === null || typeof value !== 'object' || Array.isArray(value)
        ? [path]
        : Object.entries(value).flatMap(([key, each]) => leaves(each, path === '' ? key : `${path}.${key}`))
    const missing = leaves(loadConfig() satisfies StrategyConfig, '').filter(
      (path) => !paths.has(path) && path !== 'decider.kind',
    )
    expect(missing).toEqual([])
    expect(paths.size).toBeGreaterThan(80)
  })

  it('every setting has a doc comment in the schema that gives its meaning', () => {
    expect(
      listSettings()
        .filter(({ meaning }) => meaning.length < 10)
        .map(({ path }) => path),
    ).toEqual([])
  })
})
