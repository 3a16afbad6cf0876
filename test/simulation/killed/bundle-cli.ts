import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { deployOneExchange, leaveOutUnused } from '../../../lib/stack/bundle-plugins.ts'
import type { Sabotage } from './sabotages.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The database finds its own files by their place: it stays where it is installed. */
const leaveDatabase: Plugin = {
  name: 'leave-database',
  setup({ onResolve }) {
    onResolve({ filter: /^(?:dynalite|classic-level)$/ }, ({ path: wanted }) => ({
      path: createRequire(import.meta.url).resolve(wanted),
      external: true,
    }))
  },
}

const replaceLine = ({ file, from, to }: Sabotage): Plugin => ({
  name: 'sabotage',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path: loaded }) => {
      if (path.relative(ROOT, loaded) !== file) return null
      const text = readFileSync(loaded, 'utf8')
      if (!text.includes(from)) throw new Error(`${file} has changed: there is nothing to replace`)
      return { contents: text.replace(from, to), loader: 'ts' }
    })
  },
})

/**
 * Bundles `bin/hourhand.ts` into `directory`; answers with the file to run with plain `node`. The same code
 * starts in half the time that compiling it anew takes (0.2 s for 0.5 s), which counts when it is started by the
 * hundred.
 */
export async function bundleCli(directory: string, sabotage: Sabotage | null = null): Promise<string> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: { hourhand: 'bin/hourhand.ts' },
    outdir: directory,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    outExtension: { '.js': '.mjs' },
    banner: {
      js: "import{createRequire as createRequireForBundle}from'node:module';const require=createRequireForBundle(import.meta.url);",
    },
    plugins: [
      deployOneExchange(ROOT, 'coinbase'),
      leaveOutUnused,
      leaveDatabase,
      ...(sabotage === null ? [] : [replaceLine(sabotage)]),
    ],
    logLevel: 'error',
  })
  return path.join(directory, 'hourhand.mjs')
}
