import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Metafile } from 'esbuild'
import { afterAll, describe, expect, test } from 'vitest'
import { type Bundle, bundleFunctions } from '../../lib/stack/bundle.ts'
import { HANDLERS } from '../../lib/stack/hourhand-stack.ts'

const root = path.resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-bundle-'))
const sources = mkdtempSync(path.join(tmpdir(), 'hourhand-entries-'))
// Packages are resolved from where the importing file is.
symlinkSync(path.join(root, 'node_modules'), path.join(sources, 'node_modules'))
afterAll(() => {
  for (const directory of [scratch, sources]) rmSync(directory, { recursive: true, force: true })
})

const bundle = (name: string, source: string, directory = path.join(scratch, name)) => {
  const entry = path.join(sources, `${name}.ts`)
  writeFileSync(entry, source)
  return bundleFunctions({ root, entries: { [name]: entry }, directory, exchange: 'coinbase' })
}

/** Runs a script where no package can be found: what is bundled must do. */
async function run(directory: string, script: string): Promise<unknown> {
  const env = { PATH: process.env['PATH'], AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: directory,
    env,
  })
  return JSON.parse(stdout) as unknown
}

describe('a bundle', () => {
  test('is the same for the same sources, wherever it is written', async () => {
    const source = `import { z } from 'zod'; export const handler = async () => z.string().parse('x')`
    const first = await bundle('same', source, path.join(scratch, 'one'))
    const second = await bundle('same', source, path.join(scratch, 'two'))
    expect(second.fingerprint).toBe(first.fingerprint)
    expect((await bundle('same', source.replace("'x'", "'y'"), path.join(scratch, 'two'))).fingerprint).not.toBe(
      first.fingerprint,
    )
  })

  test('leaves nothing of an earlier bundle behind', async () => {
    const directory = path.join(scratch, 'stale')
    mkdirSync(directory)
    writeFileSync(path.join(directory, 'old.mjs'), '')
    await bundle('fresh', 'export const handler = async () => {}', directory)
    expect(readdirSync(directory)).toEqual(['fresh.mjs'])
  })

  test('has its source maps beside it, not in it', async () => {
    const { directory } = await bundle('mapped', 'export const handler = async () => {}')
    expect(readdirSync(directory, { recursive: true }).filter((file) => String(file).endsWith('.map'))).toEqual([])
    expect(existsSync(path.join(`${directory}.maps`, 'mapped.mjs.map'))).toBe(true)
  })

  test('carries one exchange class, without what it does not use, and it signs and parses', async () => {
    const { directory } = await bundle(
      'exchange',
      `export const handler = async () => {
      const { default: ccxt } = await import('ccxt')
      const exchange = new ccxt.coinbase({ apiKey: 'k', secret: 's' })
      return { classes: Object.keys(ccxt), id: exchange.id, hmac: exchange.hmac('a', new TextEncoder().encode('b'), (await import('@noble/hashes/sha2.js')).sha256) }
    }`,
    )
    const result = await run(
      directory,
      `import { handler } from './exchange.mjs'; console.log(JSON.stringify(await handler()))`,
    )
    expect(result).toMatchObject({ classes: ['coinbase'], id: 'coinbase' })
    expect(sizeOf(directory, /chunks.coinbase-/)).toBeLessThan(500_000)
  })

  test('carries no exchange class where the venue has a transport of its own', async () => {
    const entry = path.join(sources, 'bare.ts')
    writeFileSync(entry, `export const handler = async () => Object.keys((await import('ccxt')).default)`)
    const directory = path.join(scratch, 'bare')
    await bundleFunctions({ root, entries: { bare: entry }, directory, exchange: null })
    expect(
      await run(directory, `import { handler } from './bare.mjs'; console.log(JSON.stringify(await handler()))`),
    ).toEqual([])
  })

  test('still says in English what a schema refuses', async () => {
    const { directory } = await bundle(
      'english',
      `import { StrategyConfig } from '${path.join(root, 'schemas/strategy-config.ts')}'
      export const handler = async () => StrategyConfig.safeParse({ id: 4 }).error?.issues[0]?.message`,
    )
    expect(
      await run(directory, `import { handler } from './english.mjs'; console.log(JSON.stringify(await handler()))`),
    ).toMatch(/expected string/)
  })

  test('runs CommonJS packages, which ask for require', async () => {
    const { directory } = await bundle(
      'cjs',
      `import Parser from 'rss-parser'
      export const handler = async () => (await new Parser().parseString('<rss version="2.0"><channel><item><title>t</title></item></channel></rss>')).items[0]?.title`,
    )
    expect(
      await run(directory, `import { handler } from './cjs.mjs'; console.log(JSON.stringify(await handler()))`),
    ).toBe('t')
  })

  test('keeps names in stack traces', async () => {
    const { directory } = await bundle(
      'names',
      `const breakTheLedger = () => { throw new Error('x') }
      export const handler = async () => { try { breakTheLedger() } catch (error) { return (error as Error).stack } }`,
    )
    expect(
      await run(directory, `import { handler } from './names.mjs'; console.log(JSON.stringify(await handler()))`),
    ).toContain('breakTheLedger')
  })

  test('of a missing handler is refused by name', async () => {
    await expect(
      bundleFunctions({
        root,
        entries: { cycle: 'functions/absent.ts' },
        directory: path.join(scratch, 'absent'),
        exchange: 'coinbase',
      }),
    ).rejects.toThrow(/functions\/absent\.ts/)
  })

  test('of an exchange that ccxt does not have is refused by name', async () => {
    await expect(
      bundleFunctions({ root, entries: {}, directory: path.join(scratch, 'nowhere'), exchange: 'nowhere' }),
    ).rejects.toThrow(/market\.exchange = nowhere/)
  })
})

const handlersExist = Object.values(HANDLERS).every((file) => existsSync(path.join(root, file)))

describe.skipIf(!handlersExist)('the deployed functions', () => {
  const directory = path.join(scratch, 'functions')
  let built: Promise<Bundle> | undefined
  const functions = () => (built ??= bundleFunctions({ root, entries: HANDLERS, directory, exchange: 'coinbase' }))

  test.each(Object.keys(HANDLERS))('%s starts small', async (name) => {
    const { metafile } = await functions()
    const script = `const start = performance.now()
      const { handler } = await import('./${name}.mjs')
      console.log(JSON.stringify({ kind: typeof handler, importMs: performance.now() - start }))`
    const { kind, importMs } = (await run(directory, script)) as { kind: string; importMs: number }
    const { atStart, later } = loadOf(metafile, `${name}.mjs`)
    console.log(
      `${name}: ${kilobytes(atStart)} at start in ${importMs.toFixed(0)} ms, of ${kilobytes(sizeOf(directory, /./))} deployed; later on demand: ${later}`,
    )
    expect(kind).toBe('function')
    expect(atStart).toBeLessThan(1_500_000)
  })
})

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1_000)} kB`

/** Bytes an entry loads by static imports, and the chunks that it or they may load later, largest first. */
function loadOf(metafile: Metafile, entry: string): { atStart: number; later: string } {
  const outputs = Object.entries(metafile.outputs)
  const start = outputs.find(([file]) => path.basename(file) === entry)?.[0]
  if (start === undefined) throw new Error(`no ${entry} among ${outputs.map(([file]) => file).join(', ')}`)
  const loaded = new Set<string>()
  const later = new Set<string>()
  const visit = (file: string): void => {
    const output = metafile.outputs[file]
    if (output === undefined || loaded.has(file)) return
    loaded.add(file)
    for (const { path: imported, kind } of output.imports) {
      if (kind === 'import-statement') visit(imported)
      if (kind === 'dynamic-import' && metafile.outputs[imported] !== undefined) later.add(imported)
    }
  }
  visit(start)
  const bytesOf = (file: string): number => metafile.outputs[file]?.bytes ?? 0
  const largest = [...later].filter((file) => !loaded.has(file)).sort((a, b) => bytesOf(b) - bytesOf(a))
  return {
    atStart: [...loaded].reduce((sum, file) => sum + bytesOf(file), 0),
    later: largest
      .map((file) => `${path.basename(file).replace(/-[A-Z0-9]{8}\.mjs$/, '')} ${kilobytes(bytesOf(file))}`)
      .join(', '),
  }
}

const sizeOf = (directory: string, pattern: RegExp): number =>
  readdirSync(directory, { recursive: true })
    .map((file) => path.join(directory, String(file)))
    .filter((file) => pattern.test(file) && statSync(file).isFile())
    .reduce((sum, file) => sum + statSync(file).size, 0)
