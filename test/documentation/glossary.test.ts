import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')
const terms = [...read('docs/glossary.md').matchAll(/^\| \*\*(?<term>[^*]+)\*\* \| (?<meaning>.+) \|$/gm)].map(
  ({ groups }) => groups?.['term'] ?? '',
)

/**
 * Code and documents beside the glossary as words: `settingsHashOf`, `quiet-slot` and a broken line are three and two.
 */
const wordsOf = (text: string): string =>
  text
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .replace(/[^A-Za-z]+/g, ' ')
    .toLowerCase()

const files = ['lib', 'schemas', 'docs']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  )
  .concat('README.md', 'ARCHITECTURE.md')
  .filter((file) => /\.(?:ts|md)$/.test(file) && file !== 'docs/glossary.md')
const everything = ` ${files.map((file) => wordsOf(read(file))).join(' ')} `
const isUsed = (term: string): boolean => new RegExp(` ${wordsOf(term).trim()}s? `).test(everything)

describe('docs/glossary.md', () => {
  it('the glossary is a short table in the order of the alphabet, each word once', () => {
    expect(terms.length).toBeGreaterThan(20)
    expect(terms.length).toBeLessThan(50)
    const folded = terms.map((term) => term.toLowerCase())
    expect(new Set(folded).size).toBe(terms.length)
    expect(folded).toEqual([...folded].sort())
  })

  it('every word of the glossary is used in the code or in the documents', () => {
    expect(files.length).toBeGreaterThan(200)
    expect(isUsed('unheard-of zebra')).toBe(false)
    expect(terms.filter((term) => !isUsed(term))).toEqual([])
  })
})
