import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const rows = readFileSync(path.join(ROOT, 'docs/promises.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (?:\d+|[a-z]\d|fuzz)\. /i.test(line))
const nameOf = (row: string): string => (row.split('.')[0] ?? '').replace('| ', '').toLowerCase()
/** What stands in backquotes in the second and third column and looks like a path from the root. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/`((?:lib|test|schemas|functions|bin|docs)\/[^`{]*)`/g)].map(([, found]) => found ?? '')

/** The promises by number: 1 to 24, the additions a1 to a4, the clause c1 that stands alone, the fuzz. */
const NAMES = [...Array.from({ length: 24 }, (_, index) => String(index + 1)), 'a1', 'a2', 'a3', 'a4', 'c1', 'fuzz']

describe('the page of promises', () => {
  it('has one line for each promise', () => {
    expect(rows.map(nameOf)).toEqual(NAMES)
  })

  it.each(rows)('%s', (row) => {
    const [, , enforced = '', tested = ''] = row.split(' | ').length >= 3 ? ['', ...row.split(' | ')] : ['', row]
    for (const column of [enforced, tested]) expect(pathsIn(column)).not.toEqual([])
    for (const file of pathsIn(row)) expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true])
  })

  it('names every file of tests in this folder', () => {
    const page = rows.join('\n')
    const unnamed = readdirSync(import.meta.dirname)
      .filter((name) => name !== 'promises.test.ts' && !name.endsWith('.md'))
      .filter((name) => !page.includes(`test/promises/${name}`))
    expect(unnamed).toEqual([])
  })
})
