import { loadConfig } from '../../lib/config/load-config.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { decodeText, isText } from '../../lib/files/decode-text.ts'
import { parseJsonText } from '../../lib/files/parse-json.ts'
import { StrategyConfig } from '../../schemas/strategy-config.ts'
import { chance, damage, pick, type Random, whole } from './harness/random.ts'
import type { FuzzTarget } from './harness/target.ts'

const SPLINTERS = [
  '"',
  ',',
  '{',
  '}',
  '[',
  ']',
  ':',
  '\\',
  '\0',
  '\uFEFF',
  'null',
  'NaN',
  'Infinity',
  '1e999',
  '-',
  '//x',
  '"__proto__":{"mode":"live"},',
  '"constructor":1,',
  '"mode":"paper",',
  '"guard":{},',
  '{"a":',
  '[[[[[[',
  '\u2028',
] as const

const VALUES: readonly [unknown, ...unknown[]] = [
  0,
  -1,
  1,
  2,
  30,
  60,
  1e308,
  0.5,
  '',
  '5',
  '10000',
  'live',
  'sim',
  'rules',
  'openai',
  'x.csv',
  'America/New_York',
  'percent/8h',
  null,
  true,
  [],
  {},
  [1, 2],
  ['a.csv', 'b.csv'],
  { kind: 'openai' },
  { kind: 'oracle' },
  { from: 5, to: 20 },
  'https://example.org/',
  '../../etc',
]
const KEYS: readonly [string, ...string[]] = [
  'id',
  'mode',
  'interval',
  'market',
  'decider',
  'guard',
  'sizing',
  'exits',
  'news',
  'paper',
  'live',
  'gates',
  'source',
  'symbol',
  'kind',
  'maxLeverage',
  'maxDailyLoss',
  'riskPerTrade',
  'stopAtr',
  'timeZone',
  'fundingUnit',
  'feeds',
  'product',
  'initialCash',
  'toString',
  'hasOwnProperty',
  '',
  'ключ',
]

function valueOf(random: Random, depth: number): unknown {
  if (depth === 0 || chance(random, 0.5)) return pick(random, VALUES)
  return Object.fromEntries(
    Array.from({ length: whole(random, 0, 4) }, () => [pick(random, KEYS), valueOf(random, depth - 1)]),
  )
}

/**
 * Configurations, wrong ones and damaged ones: each becomes a whole configuration, or is refused as a {@link
 * UsageError}.
 */
export const configuration: FuzzTarget = {
  name: 'configuration',
  make(random): Uint8Array {
    const object = Object.fromEntries(
      Array.from({ length: whole(random, 0, 5) }, () => [pick(random, KEYS), valueOf(random, 3)]),
    )
    const text = chance(random, 0.01)
      ? '['.repeat(whole(random, 1, 50_000))
      : JSON.stringify(object, null, chance(random, 0.5) ? 2 : 0)
    const damaged = chance(random, 0.5) ? damage(random, text, SPLINTERS) : text
    return pick(random, [
      () => Buffer.from(damaged),
      () => Buffer.from(`\uFEFF${damaged}`, 'utf16le'),
      () => Buffer.from(damaged, 'latin1'),
    ])()
  },
  run(input) {
    const { text } = decodeText(input as Uint8Array)
    if (!isText(text)) return 'no text'
    try {
      const overrides = parseJsonText(text, 'my.json')
      const config = loadConfig({ overrides, origin: 'my.json' })
      StrategyConfig.parse(config)
      if (({} as { mode?: unknown }).mode !== undefined) throw new Error('the prototype of all objects was changed')
      return 'a configuration'
    } catch (error) {
      if (error instanceof UsageError) return 'refused'
      throw error
    }
  },
}
