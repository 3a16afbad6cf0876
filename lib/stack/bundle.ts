import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { type BuildOptions, type Metafile, build } from 'esbuild'
import { deployOneExchange, leaveOutUnused } from './bundle-plugins.ts'

/** What came out: a directory to deploy, a fingerprint of its bytes, and esbuild's account of what is in it. */
export type Bundle = { readonly directory: string; readonly fingerprint: string; readonly metafile: Metafile }

/** `entries` maps a handler's module name to its source file, relative to `root`, the repository. */
export type BundleOptions = {
  root: string
  entries: Readonly<Record<string, string>>
  directory: string
  /** The ccxt class to take in; null leaves ccxt out. */
  exchange: string | null
}

/**
 * Bundles the handlers into `directory`, emptied first, as ES modules that share their chunks. What the source
 * imports lazily stays in a chunk of its own, so a function pays at its cold start only for what its
 * configuration asks for. No network, no Docker. Equal sources give equal bytes.
 *
 * Source maps go beside the directory (`<directory>.maps`), not into it: reading them would slow the start.
 * Names of functions and classes are kept, so a stack trace can be read without them.
 *
 * Rejects with esbuild's BuildFailure when a handler is missing or does not compile, and with Error on any
 * warning.
 */
export async function bundleFunctions({ root, entries, directory, exchange }: BundleOptions): Promise<Bundle> {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const { metafile, warnings } = await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: directory,
    plugins: [deployOneExchange(root, exchange), leaveOutUnused],
  })
  if (warnings.length > 0) throw new Error(`the bundler warns: ${warnings.map((warning) => warning.text).join('; ')}`)
  moveMaps(directory, `${directory}.maps`)
  return { directory, fingerprint: fingerprintOf(directory), metafile }
}

const OPTIONS = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  // `module` before `main`: the AWS SDK's ES modules shake, its CommonJS does not.
  mainFields: ['module', 'main'],
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  minify: true,
  keepNames: true,
  sourcemap: 'external',
  sourcesContent: false,
  legalComments: 'none',
  charset: 'utf8',
  metafile: true,
  logLevel: 'silent',
  // CommonJS dependencies call `require` for Node's own modules, which an ES module does not have.
  banner: {
    js: "import{createRequire as createRequireForBundle}from'node:module';const require=createRequireForBundle(import.meta.url);",
  },
} as const satisfies BuildOptions

function moveMaps(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  for (const file of filesIn(from).filter((name) => name.endsWith('.map'))) {
    mkdirSync(path.dirname(path.join(to, file)), { recursive: true })
    renameSync(path.join(from, file), path.join(to, file))
  }
}

/** SHA-256 over names and bytes of every file, in order of name. */
function fingerprintOf(directory: string): string {
  const hash = createHash('sha256')
  for (const file of filesIn(directory))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(directory, file)))
      .update('\0')
  return hash.digest('hex')
}

/** Files below a directory, relative to it, in order of name. */
function filesIn(directory: string): string[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name))).sort()
}
