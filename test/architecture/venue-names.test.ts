import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { VENUES } from '../../lib/venue/registry.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** Names and product-code words of venues, besides the registry's own ids. `paper` is a mode as well, and no brand. */
const WORDS = ['ETP', 'BIP', 'CDE', 'CFM', 'INTX']
const PATTERN = new RegExp(
  `${VENUES.filter(({ kind }) => kind === 'live')
    .map(({ id }) => id)
    .join('|')}|(?<![A-Za-z])(?:${WORDS.join('|')})(?![A-Za-z])`,
  'i',
)

/** Where a venue may be named, each with its reason. */
const ALLOWED = new Map([
  ['lib/venue/registry.ts', 'the registry is the list of venues'],
  ['lib/instrument/', 'the catalogue holds what venues list'],
  ['lib/config/strategies.ts', 'a named strategy names its market'],
  ['schemas/default-market.ts', 'the default market is that of the first named strategy'],
  ['lib/store/migrations.ts', 'versions 1 and 2 were written when there was one venue'],
])

const files = ['bin', 'functions', 'lib', 'schemas']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.posix.join(folder, name),
    ),
  )
  .filter((file) => /\.(?:ts|js)$/.test(file))
  .map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }))

const linesNaming = (within: (file: string) => boolean): string[] =>
  files
    .filter(({ file }) => within(file))
    .flatMap(({ file, text }) =>
      text.split('\n').flatMap((line, index) => (PATTERN.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
    )

describe('only its own folder and the registry know a venue by name', () => {
  it('the search sees the files, and the pattern finds the names inside the folders of the venues', () => {
    expect(files.length).toBeGreaterThan(300)
    for (const folder of ['bin/', 'functions/', 'lib/cli/', 'lib/stack/', 'lib/guard/', 'schemas/'])
      expect(files.some(({ file }) => file.startsWith(folder))).toBe(true)
    for (const { id, kind } of VENUES)
      if (kind === 'live') expect(linesNaming((file) => file.startsWith(`lib/venue/${id}/`)).length).toBeGreaterThan(10)
    for (const allowed of ALLOWED.keys())
      expect(linesNaming((file) => file.startsWith(allowed)).length, allowed).toBeGreaterThan(0)
  })

  it('no other file names a venue or one of its products', () => {
    const isOutside = (file: string) =>
      !VENUES.some(({ id }) => file.startsWith(`lib/venue/${id}/`)) &&
      ![...ALLOWED.keys()].some((allowed) => file.startsWith(allowed))
    expect(linesNaming(isOutside)).toEqual([])
  })
})

it('every venue has a name of its own, and the folder of that name', () => {
  expect(new Set(VENUES.map(({ id }) => id)).size).toBe(VENUES.length)
  for (const { id } of VENUES) expect(files.some(({ file }) => file === `lib/venue/${id}/venue.ts`)).toBe(true)
})
