import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const folder = path.resolve(import.meta.dirname, '../../lib/decision')

/** Packages a module loads at once: its static imports of values, followed through relative paths. */
function packagesLoadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return new Set()
  seen.add(file)
  const found = new Set<string>()
  for (const [, target] of readFileSync(file, 'utf8').matchAll(/^import (?!type )[^\n]*? from '([^']+)'/gm)) {
    if (target === undefined) continue
    if (!target.startsWith('.')) found.add(target)
    else for (const name of packagesLoadedBy(path.resolve(path.dirname(file), target), seen)) found.add(name)
  }
  return found
}

/** The SDKs among them. */
const loadedBy = (name: string) =>
  [...packagesLoadedBy(path.join(folder, name))].filter(
    (target) => target === 'openai' || target === '@anthropic-ai/sdk',
  )

test('an SDK is loaded only by the decider that needs it', () => {
  expect(loadedBy('openai-decider.ts')).toEqual(['openai'])
  expect(loadedBy('anthropic-decider.ts')).toEqual(['@anthropic-ai/sdk'])
  for (const name of [
    'create-decider.ts',
    'rules-decider.ts',
    'recorded-decider.ts',
    'recording-decider.ts',
    'recording-log.ts',
    'estimate-question.ts',
    'prompt.ts',
  ])
    expect(loadedBy(name)).toEqual([])
})
