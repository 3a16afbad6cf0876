import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
]

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

function problemOf(page: string, link: string): string | null {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path.join(ROOT, page) : path.join(ROOT, path.dirname(page), file)
  if (!existsSync(target)) return `${page}: ${link} does not exist`
  if (anchor === undefined || !target.endsWith('.md')) return null
  const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (?<heading>.+)$/gm)]
  const isThere = headings.some(({ groups }) => anchorOf(groups?.['heading'] ?? '') === anchor)
  return isThere ? null : `${page}: ${link} has no such heading`
}

const links = pages.flatMap((page) =>
  [...readFileSync(path.join(ROOT, page), 'utf8').matchAll(/\]\((?<link>[^)\s]+)\)/g)]
    .map(({ groups }) => ({ page, link: groups?.['link'] ?? '' }))
    .filter(({ link }) => !/^[a-z]+:/.test(link)),
)

describe('documents', () => {
  it('every relative link of a document leads to a file and a heading that exist', () => {
    expect(links.length).toBeGreaterThan(20)
    expect(problemOf('README.md', 'docs/nowhere.md')).toBe('README.md: docs/nowhere.md does not exist')
    expect(problemOf('README.md', '#no-such-heading')).toBe('README.md: #no-such-heading has no such heading')
    expect(links.map(({ page, link }) => problemOf(page, link)).filter((problem) => problem !== null)).toEqual([])
  })
})
