import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'esbuild'

/**
 * Puts one exchange class in the place of the whole of `ccxt`: 0.4 MB instead of 6. The package's export map
 * hides the class's file, hence the path. The deployed module has the class as the only member of its default
 * export and as its only named export. With `null` no class at all is deployed.
 */
export const deployOneExchange = (root: string, exchange: string | null): Plugin => ({
  name: 'one-exchange',
  setup(build) {
    if (exchange === null) {
      build.onResolve({ filter: /^ccxt$/ }, () => ({ path: 'none', namespace: 'one-exchange' }))
      build.onLoad({ filter: /.*/, namespace: 'one-exchange' }, () => ({ contents: 'export default {}' }))
      return
    }
    const file = path.join(root, 'node_modules/ccxt/js/src', `${exchange}.js`)
    if (!existsSync(file))
      throw new Error(`market.exchange = ${exchange}: the installed ccxt has no such exchange; choose another`)
    build.onResolve({ filter: /^ccxt$/ }, () => ({ path: exchange, namespace: 'one-exchange' }))
    build.onLoad({ filter: /.*/, namespace: 'one-exchange' }, () => ({
      contents: `import { default as exchange } from ${JSON.stringify(file)}; export { exchange as ${exchange} }; export default { ${exchange}: exchange }`,
      resolveDir: root,
    }))
  },
})

/** What packages import for features that are not used here, by importing package and imported path. */
const UNUSED: readonly { importer: RegExp; imported: RegExp }[] = [
  // Websockets, Starknet, zkLink, dYdX and MEXC signatures: other exchanges' business.
  {
    importer: /[\\/]node_modules[\\/]ccxt[\\/]/,
    imported: /^ws$|^@scure\/starknet$|zklink-sdk-web|protobuf\/mexc|dydx-v4-client\/(registry|cosmos)/,
  },
  // Error messages in fifty languages; English is imported by its own name.
  { importer: /[\\/]node_modules[\\/]zod[\\/]/, imported: /locales\/index\.js$/ },
]

/**
 * Replaces unused imports by a module in which every name exists and every call says that it is left out.
 * CommonJS, because only that can have every name.
 */
export const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  setup(build) {
    build.onResolve({ filter: /^ws$|starknet|zklink|protobuf|dydx|locales/ }, ({ path: imported, importer }) => {
      const isUnused = UNUSED.some((unused) => unused.importer.test(importer) && unused.imported.test(imported))
      return isUnused ? { path: imported, namespace: 'left-out' } : null
    })
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path: name }) => ({
      contents: `const refuse = () => { throw new Error(${JSON.stringify(`${name} is left out of the deployed bundle: see lib/stack/bundle-plugins.ts`)}) }
        module.exports = new Proxy(refuse, { get: (target, name) => (name === '__esModule' ? false : refuse) })`,
    }))
  },
}
