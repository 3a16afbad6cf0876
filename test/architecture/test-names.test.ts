import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const TESTS = path.resolve(import.meta.dirname, '..')
/** A name in a log stands alone: fewer words than this do not say what holds. */
const LEAST_WORDS = 4

const names = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) =>
    [...readFileSync(path.join(TESTS, file), 'utf8').matchAll(/^ *(?:it|test)\((['`])(?<name>(?:(?!\1).)*)\1/gm)].map(
      ({ groups }) => ({ file, name: groups?.['name'] ?? '' }),
    ),
  )

it('every test that is written out has a name of at least four words', () => {
  expect(names.length).toBeGreaterThan(1_000)
  expect(names.filter(({ name }) => name.split(' ').length < LEAST_WORDS)).toEqual([])
})
