import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { App } from 'aws-cdk-lib'
import { Annotations, Template } from 'aws-cdk-lib/assertions'
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import { deployableVenues } from '../../lib/compose/deployable-venues.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { DEFAULT_STRATEGY } from '../../lib/config/strategies.ts'
import { readJsonFile } from '../../lib/files/read-json-file.ts'
import { type DeploymentReading, readDeployment } from '../../lib/stack/deployment.ts'
import { HourhandStack } from '../../lib/stack/hourhand-stack.ts'

export type Json = Record<string, unknown>
export type Resource = { Type: string; Properties: Json; DeletionPolicy?: string; UpdateReplacePolicy?: string }

/** A deployment read from context; a `config` object stands for the file of that content. */
export function read(context: Json): DeploymentReading {
  return readDeployment({
    context: (key) => (key === 'config' && typeof context[key] === 'object' ? 'strategy.json' : context[key]),
    readJson: (file) => {
      if (file !== 'strategy.json') return readJsonFile(file, 'context config =')
      return context['config']
    },
    venues: deployableVenues(),
    defaultStrategy: DEFAULT_STRATEGY,
    loadConfig,
  })
}

/** The library's own checks of a template take longer than all else: they are made by `npm run synth`. */
export const DEFAULT_RULES = '@aws-cdk/core:validateAgainstDefaultRules'

const synthesised = new Map<string, ReturnType<typeof synthesiseAnew>>()

/** The synthesised stack of a context, with handlers that do nothing; made once for each. To be read only. */
export function synthesise(context: Json = {}): ReturnType<typeof synthesiseAnew> {
  const key = JSON.stringify(context)
  const known = synthesised.get(key) ?? synthesiseAnew(context)
  synthesised.set(key, known)
  return known
}

/** The same, made now: in the environment of this moment. */
export function synthesiseAnew(context: Json = {}) {
  const reading = read(context)
  if ('refusals' in reading) throw new Error(reading.refusals.join('\n'))
  const directory = mkdtempSync(path.join(tmpdir(), 'hourhand-stack-'))
  for (const name of ['cycle', 'enforce'])
    writeFileSync(path.join(directory, `${name}.mjs`), 'export const handler = async () => {}')
  const app = new App({
    analyticsReporting: false,
    context: { ...recommendedFlags, [DEFAULT_RULES]: false },
    outdir: mkdtempSync(path.join(tmpdir(), 'hourhand-cdk-')),
  })
  const stack = new HourhandStack(app, 'Test', {
    ...reading,
    bundle: { directory, fingerprint: 'abcdef0123456789' },
    version: '0.1.0',
  })
  const template = Template.fromStack(stack)
  return {
    template,
    annotations: Annotations.fromStack(stack),
    resources: template.toJSON()['Resources'] as Record<string, Resource>,
  }
}

export const ofType = (resources: Record<string, Resource>, type: string): Resource[] =>
  Object.values(resources).filter((resource) => resource.Type === type)

export type Statement = {
  Effect: string
  Action: string | string[]
  Resource?: unknown
  Principal?: unknown
  Sid?: string
}

/** Every policy statement anywhere in the template, including those hidden in strings. */
export function statementsIn(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(statementsIn)
  if (typeof value === 'string' && value.startsWith('{"Statement"')) return statementsIn(JSON.parse(value) as unknown)
  if (typeof value !== 'object' || value === null) return []
  const joined = joinedText(value)
  if (joined?.startsWith('{"Statement"')) return statementsIn(joined)
  const own = 'Effect' in value && 'Action' in value ? [value as Statement] : []
  return [...own, ...Object.values(value).flatMap(statementsIn)]
}

/** Text of an `Fn::Join`, with what it refers to by name. */
function joinedText(value: object): string | undefined {
  const join = (value as Json)['Fn::Join']
  if (!Array.isArray(join)) return undefined
  return (join[1] as unknown[])
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll('"', "'")))
    .join(String(join[0]))
}
