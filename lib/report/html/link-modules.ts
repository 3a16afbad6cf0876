import { invariant } from '../../core/invariant.ts'

const IMPORT = /^import \{(?<names>[^}]*)\} from '\.\/(?<file>[a-z-]+\.js)'$/
const EXPORT = /^export (?=(?:async )?function\*? (?<callable>\w+)|const (?<constant>\w+))/

/**
 * One script out of a page's modules, so that the page needs no server to import from: each module becomes a
 * function that returns its exports, in the order in which they need each other.
 *
 * It understands what our modules use and refuses the rest by name: `import { a, b as c } from './file.js'`
 * and `export` before a function or a const. `read` gives a module's text. Throws InvariantError on anything else
 * and on a circle.
 */
export function linkModules(entry: string, read: (file: string) => string): string {
  const linked = new Map<string, string>()
  const link = (file: string, path: readonly string[]): void => {
    if (linked.has(file)) return
    invariant(!path.includes(file), `modules import each other in a circle: ${[...path, file].join(' > ')}`)
    const exported: string[] = []
    const lines = read(file)
      .replace(/^import \{[^}]*\} from/gm, (names) => names.replaceAll(/\s+/g, ' ').replace(', }', ' }'))
      .split('\n')
      .map((line) => {
        const imports = IMPORT.exec(line)?.groups
        if (imports !== undefined) {
          const { names = '', file: target = '' } = imports
          link(target, [...path, file])
          return `const {${names.replaceAll(' as ', ': ')}} = ${nameOf(target)}`
        }
        const exports = EXPORT.exec(line)
        if (exports !== null) {
          exported.push(exports.groups?.['callable'] ?? exports.groups?.['constant'] ?? '')
          return line.slice('export '.length)
        }
        invariant(!/^(?:import|export)\b/.test(line), `${file}: this form of import or export is not linked: ${line}`)
        return line
      })
    linked.set(file, `const ${nameOf(file)} = (() => {\n${lines.join('\n')}\nreturn { ${exported.join(', ')} }\n})()`)
  }
  link(entry, [])
  return `(() => {\n'use strict'\n${[...linked.values()].join('\n')}\n})()`
}

/** `trade-list.js` -> `$trade_list`: no module declares a name with a dollar sign. */
const nameOf = (file: string): string => `$${file.replace('.js', '').replaceAll('-', '_')}`
