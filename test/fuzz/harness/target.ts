import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * One kind of input that strangers bring. `make` builds an input from a stream of numbers in [0, 1) and nothing else,
 * so that a case can be had again from its seed. `run` reads that input as the program would and answers with a label
 * of few kinds ("refused", "12 bars" would be too many kinds); it throws when a law is broken.
 */
export type FuzzTarget = {
  name: string
  make(random: () => number): unknown
  run(input: unknown): Promise<string> | string
}

const TARGETS = path.resolve(import.meta.dirname, '..')

const isTarget = (value: unknown): value is FuzzTarget =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'make' in value &&
  typeof value.make === 'function' &&
  'run' in value &&
  typeof value.run === 'function'

/** Every target that a file of test/fuzz exports, by name. Throws when a file exports none or two share a name. */
export async function loadTargets(folder = TARGETS): Promise<FuzzTarget[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'fuzz.ts')
  const targets: FuzzTarget[] = []
  for (const file of files.sort()) {
    const exported = Object.values((await import(pathToFileURL(path.join(folder, file)).href)) as object)
    const found = [...new Set(exported.flat())].filter(isTarget)
    if (found.length === 0) throw new Error(`test/fuzz/${file} exports no { name, make, run }`)
    targets.push(...found)
  }
  const names = targets.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new Error(`two fuzz targets are called ${twice}`)
  return targets
}
