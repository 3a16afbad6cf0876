import { canonicalJson } from '../core/canonical-json.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Most settings told of one trial. */
const MAX_TOLD = 40

/** In what `config` differs from `base`, as `path = value`, in the order of the paths; files are left out. */
export function changedSettings(config: StrategyConfig, base: StrategyConfig): string[] {
  const found: string[] = []
  walk(config, base, '', found)
  return found
    .filter((line) => !/^(?:market\.(?:source|.*File)|news\.file|decider\.file)\b/.test(line))
    .sort()
    .slice(0, MAX_TOLD)
}

function walk(value: unknown, base: unknown, path: string, found: string[]): void {
  if (canonicalJson(value) === canonicalJson(base)) return
  if (!isGroup(value) || !isGroup(base)) {
    found.push(`${path} = ${JSON.stringify(value)}`)
    return
  }
  for (const key of new Set([...Object.keys(value), ...Object.keys(base)]))
    walk(value[key] ?? null, base[key] ?? null, path === '' ? key : `${path}.${key}`, found)
}

const isGroup = (one: unknown): one is Record<string, unknown> =>
  typeof one === 'object' && one !== null && !Array.isArray(one)
