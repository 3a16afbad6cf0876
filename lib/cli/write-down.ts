import { filesOf } from '../market/create-market.ts'
import path from 'node:path'
import { writeDeployment } from '../compose/write-deployment.ts'
import { toIso } from '../core/time.ts'
import { VERSION } from '../core/version.ts'
import type { ExecutionPorts } from '../execution/ports.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Session } from './session.ts'

/** Before a run of the command line acts, it writes down what it is; a dry run does not. */
export async function writeDown({ config, environment, world }: Session, { store }: ExecutionPorts): Promise<void> {
  if (world.dryRun) return
  const running = { config: withWholePaths(config), environment, codeVersion: VERSION, writtenBy: 'cli' } as const
  await writeDeployment(store, { ...running, at: toIso(world.clock()) })
}

const whole = (file: string | null): string | null => (file === null ? null : path.resolve(file))

/** Files are named so that a command in another directory finds them. */
function withWholePaths(config: StrategyConfig): StrategyConfig {
  const { market, decider, news } = config
  const isFile = market.source !== 'sim' && market.source !== 'live'
  return {
    ...config,
    market: {
      ...market,
      source: isFile ? filesOf(market.source).map((file) => path.resolve(file)) : market.source,
      referenceFile: whole(market.referenceFile),
      fundingFile: whole(market.fundingFile),
    },
    decider: decider.kind === 'recorded' ? { ...decider, file: path.resolve(decider.file) } : decider,
    news: { ...news, file: whole(news.file) },
  }
}
