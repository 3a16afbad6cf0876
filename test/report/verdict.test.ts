import { describe, expect, it } from 'vitest'
import { judgeReport } from '../../lib/report/verdict.ts'
import type { Gate } from '../../schemas/metrics.ts'
import { makeReportData } from '../support/report/report-data.ts'

const data = makeReportData({ days: 3, trades: 3, stories: false })
const gate = (name: Gate['gate'], result: Gate['result']): Gate => ({
  gate: name,
  result,
  limit: 1,
  actual: 1,
  reason: '',
})
const judge = (gates: Gate[], hold = data.baselines?.hold ?? null) =>
  judgeReport({
    gates,
    metrics: { ...data.metrics, totalReturn: -0.1234, trades: 1 },
    baselines:
      data.baselines === null
        ? null
        : { ...data.baselines, hold: hold === null ? null : { ...hold, totalReturn: 0.1 } },
  })

describe('the verdict', () => {
  it.each<[string, Gate[], string, string]>([
    [
      'all passed',
      [gate('sharpe', 'pass'), gate('trades', 'pass')],
      'pass',
      '2 of 2 gates passed. It returned −12.3 % with 1 trade; holding returned +10.0 %.',
    ],
    [
      'one without evidence keeps it from passing',
      [gate('sharpe', 'pass'), gate('deflated_sharpe', 'not_enough_evidence')],
      'not_enough_evidence',
      '1 of 2 gates passed. Too little evidence: deflated Sharpe. It returned −12.3 % with 1 trade; holding returned +10.0 %.',
    ],
    [
      'one that failed fails the whole',
      [gate('max_drawdown', 'fail'), gate('beats_holding', 'fail'), gate('trades', 'not_enough_evidence')],
      'fail',
      '0 of 3 gates passed. Failed: max drawdown, beats holding. Too little evidence: trades. It returned −12.3 % with 1 trade; holding returned +10.0 %.',
    ],
    ['no gates', [], 'not_judged', 'No gates were judged. It returned −12.3 % with 1 trade; holding returned +10.0 %.'],
  ])('%s', (_name, gates, result, sentence) => {
    expect(judge(gates)).toEqual({ result, sentence })
  })

  it('says nothing of holding where it was not played', () => {
    expect(judge([], null).sentence).toBe('No gates were judged. It returned −12.3 % with 1 trade.')
  })
})
