import { readFileSync } from 'node:fs'
import path from 'node:path'
import { App } from 'aws-cdk-lib'
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import { deployableVenues } from '../lib/compose/deployable-venues.ts'
import { loadConfig } from '../lib/config/load-config.ts'
import { DEFAULT_STRATEGY } from '../lib/config/strategies.ts'
import { UsageError } from '../lib/core/invariant.ts'
import { readJsonFile } from '../lib/files/read-json-file.ts'
import { bundleFunctions } from '../lib/stack/bundle.ts'
import { exchangeToBundle, readDeployment } from '../lib/stack/deployment.ts'
import { HANDLERS, HourhandStack } from '../lib/stack/hourhand-stack.ts'

const root = path.resolve(import.meta.dirname, '..')

/** Synthesises the stack that CDK's context asks for: strategy, config, alarmEmail, live. */
async function main(): Promise<void> {
  // The behaviours the library recommends for new stacks, instead of a hundred lines in cdk.json; the lock file pins
  // them.
  const app = new App({ analyticsReporting: false, autoSynth: false, context: recommendedFlags })
  const reading = readDeployment({
    context: (key) => app.node.tryGetContext(key) as unknown,
    readJson: (file) => readJsonFile(file, 'context config ='),
    venues: deployableVenues(),
    defaultStrategy: DEFAULT_STRATEGY,
    loadConfig,
  })
  if ('refusals' in reading) throw new UsageError(reading.refusals.join('\n'))
  const { deployment, warnings } = reading
  const bundle = await bundleFunctions({
    root,
    entries: HANDLERS,
    directory: path.join(app.outdir, 'functions'),
    exchange: exchangeToBundle(deployment.config, deployableVenues()),
  })
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  new HourhandStack(app, `Hourhand-${deployment.config.id}`, {
    deployment,
    warnings,
    bundle,
    version,
    description: `Hourhand ${deployment.config.id}: trades ${deployment.config.market.symbol} (${deployment.config.mode})`,
  })
  app.synth()
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
