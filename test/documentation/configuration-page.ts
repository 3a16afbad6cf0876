import { readFileSync } from 'node:fs'
import { z } from 'zod'
import * as schemas from '../../schemas/strategy-config.ts'
import { readMeanings } from './read-meanings.ts'

/** One line of the page. `fallback` is what counts where the setting is left out; empty where it has to be given. */
export type Setting = { path: string; type: string; fallback: string; meaning: string }

const ROOT = new URL('../../', import.meta.url)
export const PAGE = new URL('docs/configuration.md', ROOT)

/** What a configuration may say in a short form, which the loader completes before the schema judges it. */
const SHORT_FORMS: Readonly<Record<string, { type: string; fallback: string }>> = {
  id: { type: 'text', fallback: 'name of the strategy' },
  instrument: { type: 'id, contract code, or facts', fallback: 'the one of market.symbol' },
}

const meanings = readMeanings(readFileSync(new URL('schemas/strategy-config.ts', ROOT), 'utf8'))
const owners = new Map<unknown, string>(Object.entries(schemas).map(([name, schema]) => [schema, name]))

/** A schema, as far as the page looks into it. */
type Any = z.core.$ZodType & {
  def: { type: string; defaultValue?: unknown; innerType?: Any; options?: z.ZodObject[] }
}

/** The schema inside wrappers, and the default that the outermost of them gives as JSON; undefined where none does. */
function unwrap(schema: Any): { inner: Any; fallback: string | undefined; isNullable: boolean } {
  let inner = schema
  let fallback: string | undefined
  let isNullable = false
  while (['default', 'prefault', 'nullable', 'optional', 'readonly'].includes(inner.def.type)) {
    const { type, defaultValue, innerType } = inner.def
    if (type === 'default') fallback ??= JSON.stringify(defaultValue)
    isNullable ||= type === 'nullable'
    if (!innerType) break
    inner = innerType
  }
  return { inner, fallback, isNullable }
}

/** Every setting of a strategy, in the order of the schema. */
export const listSettings = (): Setting[] =>
  settingsOf(schemas.StrategySettings as unknown as Any, '', 'StrategySettings')

function settingsOf(schema: Any, prefix: string, owner: string): Setting[] {
  const shape = (schema as unknown as z.ZodObject).shape as unknown as Record<string, Any>
  return Object.entries(shape).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`
    const { inner, fallback, isNullable } = unwrap(value)
    const meaning = meaningOf(owner, key)
    const short = SHORT_FORMS[path]
    if (short) return [{ path, ...short, meaning }]
    const { def } = inner
    if (def.type === 'object' && fallback === undefined && !owners.has(inner) && isNullable === false)
      return settingsOf(inner, path, `${owner}.${key}`)
    if (def.type === 'object' && owners.has(inner))
      return [
        ...(isNullable ? [{ path, type: 'object or null', fallback: fallback ?? '', meaning }] : []),
        ...settingsOf(inner, path, owners.get(inner) ?? ''),
      ]
    if (def.type === 'union' && owners.has(inner))
      return (def.options ?? []).flatMap((option) => {
        const kind = String((option.shape['kind'] as z.ZodLiteral).value)
        return settingsOf(option as unknown as Any, path, `${owners.get(inner)}[${kind}]`)
          .filter((setting) => setting.path !== `${path}.kind`)
          .map((setting) => ({ ...setting, path: `${setting.path} (${kind})` }))
      })
    return [{ path, type: typeOf(value), fallback: fallback ?? '', meaning }]
  })
}

/** Settings that several kinds of a union share stand in constants of their own. */
const SHARED = ['modelCommon', 'promptCommon']
const meaningOf = (owner: string, key: string): string =>
  [owner, ...SHARED].map((name) => meanings.get(`${name}.${key}`)).find((text) => text !== undefined) ?? ''

type JsonSchema = z.core.JSONSchema.BaseSchema
const typeOf = (schema: Any): string =>
  describeType(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema)

function describeType(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(', ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.anyOf) return [...new Set(schema.anyOf.map((each) => describeType(each as JsonSchema)))].join(' or ')
  if (Array.isArray(schema.type)) return schema.type.map((type) => describeType({ ...schema, type })).join(' or ')
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'null':
      return 'null'
    case 'array':
      return `list of ${describeType(schema.items as JsonSchema)}`
    case 'object':
      return `{ ${Object.entries(schema.properties ?? {})
        .map(([key, each]) => `${key}: ${describeType(each as JsonSchema)}`)
        .join(', ')} }`
    case 'string':
      return schema.format === 'uri' ? 'URL' : schema.format === 'date' ? 'date' : 'text'
    case 'integer':
      return `whole number${rangeOf(schema)}`
    case 'number':
      return `number${rangeOf(schema)}`
    default:
      throw new Error(`the page of settings has no words for the type ${JSON.stringify(schema)}; add them here`)
  }
}

function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  const isOpen = (limit: unknown) => limit === undefined || Math.abs(Number(limit)) === Number.MAX_SAFE_INTEGER
  const low = exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : isOpen(minimum) ? '' : `from ${minimum}`
  const high = exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : isOpen(maximum) ? '' : `to ${maximum}`
  return [low, high]
    .filter((part) => part !== '')
    .map((part) => ` ${part}`)
    .join('')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
const row = ({ path, type, fallback, meaning }: Setting): string => {
  const [name, kind] = path.split(' ')
  return `| \`${name}\`${kind ? ` ${kind}` : ''} | ${cell(type)} | ${fallback === '' ? 'required' : `\`${cell(fallback)}\``} | ${cell(meaning)} |`
}

/** The text of docs/configuration.md. */
export function renderConfigurationPage(settings: readonly Setting[] = listSettings()): string {
  const groups = new Map<string, Setting[]>()
  for (const setting of settings) {
    const group = setting.path.includes('.') ? (setting.path.split('.')[0] ?? '') : ''
    groups.set(group, [...(groups.get(group) ?? []), setting])
  }
  const tables = [...groups].map(([group, rows]) =>
    [
      group === '' ? '## Strategy' : `## ${group}`,
      '',
      '| setting | type | default | meaning |',
      '|---|---|---|---|',
      ...rows.map(row),
    ].join('\n'),
  )
  return `${INTRODUCTION}\n${tables.join('\n\n')}\n`
}

const INTRODUCTION = `# Configuration

<!-- Generated from schemas/strategy-config.ts by \`npm run configuration-page\`; do not edit by hand. -->

A configuration is JSON in which comments (\`//\` and \`/* */\`) may stand. It is merged over a named strategy: objects key by key, lists and values as a whole, a decider of another \`kind\` as a whole. A setting left out has its default. A key that no setting has, and a key that stands twice, is an error that names it and its line.

The command line reads it from \`--config FILE\`, otherwise from the environment variable \`HOURHAND_CONFIG\`, otherwise from what a deployment has stored in its table; \`npx cdk deploy -c config=FILE\` deploys it. One reader reads all of them. Complete files with comments are in [examples](../examples).

Money and rates that have to be exact are decimal texts (\`"10000"\`). Fractions are between 0 and 1, never percents. Names that end in \`Ms\`, \`Minutes\`, \`Hours\`, \`Days\`, \`Bps\`, \`Atr\` carry their unit. A kind in brackets says for which \`decider.kind\` a setting counts; \`decider.kind\` is \`"rules"\` where it is left out.
`
