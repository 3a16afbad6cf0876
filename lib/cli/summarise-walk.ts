import type { Agreement } from '../decision/agreement.ts'
import { answersIn } from '../evidence/answers.ts'
import type { AgreementSummary, WalkSummary } from '../../schemas/cli.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { amount, signedPercent } from './format.ts'
import { metricsOfWalk, type Walk, type WalkRequest } from './walk-history.ts'

/** A walk in a line of a comparison. */
export function summariseWalk(
  name: string,
  sample: number | null,
  walk: Walk,
  history: WalkRequest['history'],
  trialId: string,
): WalkSummary {
  const { totalReturn, sharpe, maxDrawdown, trades, winRate, averageR, fees, funding, tokens, tokenCostUsd } =
    metricsOfWalk(walk, history)
  return {
    name,
    decider: walk.decider,
    model: modelOf(history.config),
    sample,
    totalReturn,
    sharpe,
    maxDrawdown,
    trades,
    winRate,
    averageR,
    fees,
    funding,
    refusals: walk.lines.filter(({ outcome }) => outcome === 'refused').length,
    failures: answersIn(walk.lines).failed,
    trialId,
    tokens,
    tokenCostUsd,
    haltedAt: walk.state?.halt?.at ?? null,
  }
}

export const modelOf = ({ decider }: StrategyConfig): string | null => ('model' in decider ? decider.model : null)

/** What was decided at each slot; null where no decision was made. */
export const actionsOf = ({ lines }: Pick<Walk, 'lines'>): (string | null)[] =>
  lines.map(({ action }) => (action === 'none' ? null : action))

export const summariseAgreement = ({ compared, meanShare, unanimousShare, kappa }: Agreement): AgreementSummary => ({
  compared,
  meanShare,
  unanimousShare,
  kappa,
})

/** Columns of a walk's results, for people. */
export const walkColumns = ({
  name,
  totalReturn,
  sharpe,
  maxDrawdown,
  trades,
  winRate,
  averageR,
  fees,
  tokens,
  tokenCostUsd,
  haltedAt,
  failures,
}: WalkSummary): string[] => [
  name,
  signedPercent(totalReturn),
  `Sharpe ${sharpe === null ? '-' : sharpe.toFixed(2)}`,
  `drawdown ${(maxDrawdown * 100).toFixed(2)} %`,
  `${trades} trades`,
  `won ${winRate === null ? '-' : `${(winRate * 100).toFixed(0)} %`}`,
  averageR === null ? '' : `${averageR.toFixed(2)} R`,
  `fees ${amount(fees)}`,
  tokens.input + tokens.output === 0
    ? ''
    : `${amount(tokens.input + tokens.output, 0)} tokens${tokenCostUsd === null ? '' : `, $${amount(tokenCostUsd)}`}`,
  haltedAt === null ? '' : `halted ${haltedAt.slice(0, 10)}`,
  failures === 0 ? '' : `${failures} answers failed`,
]
