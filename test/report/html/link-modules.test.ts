import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { linkModules } from '../../../lib/report/html/link-modules.ts'

const link = (files: Record<string, string>) => linkModules('main.js', (file) => files[file] ?? '')
const run = (files: Record<string, string>): unknown => {
  const context = { result: null }
  runInNewContext(link(files), context)
  return context.result
}

describe('modules linked into one script', () => {
  it('run in the order in which they need each other, each with names of its own', () => {
    expect(
      run({
        'main.js':
          "import { twice, one as first } from './a.js'\nimport { base } from './base.js'\nconst one = 100\nresult = twice(first) + base + one",
        'a.js':
          "import { base } from './base.js'\nexport const one = 1\nconst hidden = base\nexport function twice(value) {\n  return 2 * value + hidden\n}",
        'base.js': 'const hidden = 10\nexport const base = hidden',
      }),
    ).toBe(122)
  })

  it('a module that two need runs once', () => {
    expect(
      run({
        'main.js': "import { next } from './a.js'\nimport { count } from './counter.js'\nresult = [next(), count()]",
        'a.js': "import { count } from './counter.js'\nexport const next = () => count()",
        'counter.js': 'let runs = 0\nexport const count = () => (runs += 1)',
      }),
    ).toEqual([1, 2])
  })

  it.each([
    ['a default export', { 'main.js': 'export default 1' }],
    ['an export of something that can change', { 'main.js': 'export let a = 1' }],
    ['an import of everything', { 'main.js': "import * as all from './a.js'" }],
    ['an import from elsewhere', { 'main.js': "import { a } from 'package'" }],
    [
      'a circle',
      { 'main.js': "import { a } from './a.js'", 'a.js': "import { b } from './main.js'\nexport const a = 1" },
    ],
  ])('refuses %s', (_name, files) => {
    expect(() => link(files)).toThrow(/main\.js/)
  })
})
