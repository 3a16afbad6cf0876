import { z } from 'zod'
import { IsoTime, Mode, StrategyId } from './primitives.ts'
import { Halt } from './state.ts'

/** Who wrote a deployment item: the functions of a stack, or a person's command line. */
export const Writer = z.enum(['lambda', 'cli'])
export type Writer = z.infer<typeof Writer>

/**
 * What runs on a table, written down by itself: one item a strategy and mode. Commands learn from it what they act on,
 * so that nobody has to repeat a configuration or set names by hand.
 */
export const DeploymentItem = z.strictObject({
  strategyId: StrategyId,
  mode: Mode,
  /**
   * The whole configuration as it runs, parsed by whoever uses it: a halt needs none of it. It holds no credentials.
   */
  config: z.record(z.string(), z.unknown()),
  /** The rule that wakes the decision cycle, and the bus that domain events go to; null where there is none. */
  cycleRule: z.string().min(1).nullable(),
  bus: z.string().min(1).nullable(),
  /** Where both are reached, if not at AWS's own address. */
  eventsEndpoint: z.url().nullable(),
  /** Names of the SSM parameters that hold the venue's credentials, by environment variable. */
  credentialParameters: z.record(z.string(), z.string()),
  codeVersion: z.string(),
  writtenBy: Writer,
  writtenAt: IsoTime,
  region: z.string().nullable(),
  /** A halt from before there was a state to keep it: the first state takes it over. */
  halt: Halt.nullable(),
})
export type DeploymentItem = z.infer<typeof DeploymentItem>
