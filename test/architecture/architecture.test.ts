import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { VERSION } from '../../lib/core/version.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/**
 * The layers, lowest first: a module imports from its own layer and from those before it, never from one after.
 * `schemas` stands on `core` alone and is open to all.
 */
const LAYERS = [
  'lib/core',
  'schemas',
  'lib/files',
  'lib/net',
  'lib/calendar',
  'lib/instrument',
  'lib/ledger',
  'lib/market',
  'lib/indicators',
  'lib/news',
  'lib/snapshot',
  'lib/decision',
  'lib/guard',
  'lib/telemetry',
  'lib/store',
  'lib/venue',
  'lib/execution',
  'lib/cycle',
  'lib/replay',
  'lib/report',
  'lib/config',
  'lib/evidence',
  'lib/compose',
  'lib/cli',
  'functions',
  'bin',
]

/** Exceptions, each with its reason. */
const ALLOWED = new Set([
  // The stack reads the configuration that it deploys.
  'bin -> lib/stack',
])

type Source = { file: string; text: string; imports: string[] }

const sources: Source[] = ['bin', 'functions', 'lib', 'schemas']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.posix.join(folder, name),
    ),
  )
  .filter((file) => (file.endsWith('.ts') && !file.endsWith('.d.ts')) || file.endsWith('.js'))
  .map((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    const specifiers = [...text.matchAll(/(?:from|import\()\s*'(?<specifier>[^']+)'/g)].map(
      (match) => match.groups?.['specifier'] ?? '',
    )
    const imports = specifiers.map((specifier) =>
      specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), specifier) : specifier,
    )
    return { file, text, imports }
  })

const layerOf = (file: string): string =>
  file.startsWith('lib/') ? file.split('/').slice(0, 2).join('/') : (file.split('/')[0] ?? '')

/** The first circle of imports, from a module back to itself; null where there is none. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return null
    for (const target of imports.get(file) ?? []) {
      const circle = visit(target, [...path, file])
      if (circle !== null) return circle
    }
    done.add(file)
    return null
  }
  for (const file of imports.keys()) {
    const circle = visit(file, [])
    if (circle !== null) return circle
  }
  return null
}

describe('architecture', () => {
  it('sees the files it judges, and their imports', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(400)
    const layers = new Set(sources.map(({ file }) => layerOf(file)))
    for (const layer of ['lib/core', 'lib/guard', 'lib/cycle', 'schemas', 'functions', 'bin'])
      expect(layers).toContain(layer)
  })

  it('dependencies run one way', () => {
    const wrong = sources.flatMap(({ file, imports }) => {
      const from = layerOf(file)
      if (from === 'lib/stack') return []
      return imports
        .filter(
          (target) =>
            target.startsWith('lib/') ||
            target.startsWith('schemas/') ||
            target.startsWith('functions/') ||
            target.startsWith('bin/'),
        )
        .filter((target) => LAYERS.indexOf(layerOf(target)) > LAYERS.indexOf(from) || !LAYERS.includes(layerOf(target)))
        .filter((target) => !ALLOWED.has(`${from} -> ${layerOf(target)}`))
        .map((target) => `${file} imports ${target}`)
    })
    expect(wrong).toEqual([])
  })

  it('no module imports itself by way of others', () => {
    const imports = new Map(sources.map((source) => [source.file, source.imports]))
    expect(findCircle(imports)).toBeNull()
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a']],
        ]),
      ),
    ).toEqual(['a', 'b', 'c', 'a'])
  })

  it('the stack imports no runtime code but the pure core', () => {
    const wrong = sources
      .filter(({ file }) => file.startsWith('lib/stack/'))
      .flatMap(({ file, imports }) =>
        imports
          .filter(
            (target) =>
              (target.startsWith('lib/') && !/^lib\/(?:stack|core)\//.test(target)) || target.startsWith('functions/'),
          )
          .map((target) => `${file} imports ${target}`),
      )
    expect(wrong).toEqual([])
  })

  it('only entry points know the real world', () => {
    const REAL = /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\brandomUUID\b|\bprocess\.env\b|\bperformance\.now\b/
    const wrong = sources
      .filter(({ file }) => file.startsWith('lib/') || file.startsWith('schemas/'))
      .flatMap(({ file, text }) =>
        text
          .split('\n')
          .flatMap((line, index) =>
            REAL.test(line) && !line.trimStart().startsWith('*') && !line.trimStart().startsWith('//')
              ? [`${file}:${index + 1} ${line.trim()}`]
              : [],
          ),
      )
    expect(wrong).toEqual([])
    // And the pattern does find what it looks for.
    expect(
      sources.filter(({ file, text }) => (file.startsWith('bin/') || file.startsWith('functions/')) && REAL.test(text))
        .length,
    ).toBeGreaterThanOrEqual(3)
  })

  it('no test replaces modules or changes its process for good: files share one', () => {
    const LASTING =
      /\bvi\.(?:mock|doMock|stubGlobal|stubEnv|resetModules|hoisted)\b|\bprocess\.chdir\b|\bprocess\.exit\b|\bglobalThis\.\w+ =/
    const tests = readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.test.ts') && !name.startsWith('architecture'),
    )
    expect(tests.length).toBeGreaterThan(90)
    const texts = tests.map((name) => ({ name, text: readFileSync(path.join(ROOT, 'test', name), 'utf8') }))
    // In a process of its own a script may end it.
    expect(
      texts
        .filter(({ text }) => LASTING.test(text.replaceAll(/^ {4}process\.exit\(0\)`$/gm, '')))
        .map(({ name }) => name),
    ).toEqual([])
    expect(
      texts
        .filter(({ text }) => text.includes('useFakeTimers') && !text.includes('useRealTimers'))
        .map(({ name }) => name),
    ).toEqual([])
  })

  it('the version in the code is the one of package.json', () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect(VERSION).toBe(version)
  })
})
