import type { Answers, SlotLine } from '../../schemas/replay.ts'

/** With a larger share of failed answers a run is no evidence of anything. */
const MAX_FAILED_SHARE = 0.01

/** What became of the questions of a run. A slot at which nobody was asked (halted, no market) is none of them. */
export function answersIn(lines: readonly Pick<SlotLine, 'action' | 'deciderFailure'>[]): Answers {
  const byKind: Record<string, number> = {}
  let asked = 0
  for (const { action, deciderFailure } of lines) {
    if (action !== 'none' || deciderFailure !== null) asked += 1
    if (deciderFailure !== null) byKind[deciderFailure] = (byKind[deciderFailure] ?? 0) + 1
  }
  const failed = Object.values(byKind).reduce((total, count) => total + count, 0)
  return {
    asked,
    failed,
    byKind: Object.fromEntries(Object.entries(byKind).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))),
  }
}

/** Whether enough was answered for the run to be a result. */
export const areUsable = ({ asked, failed }: Answers): boolean => failed <= asked * MAX_FAILED_SHARE

/** `48 of 48 answers failed (unauthorized 48)` */
export const describeAnswers = ({ asked, failed, byKind }: Answers): string =>
  `${failed} of ${asked} answers failed (${Object.entries(byKind)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')})`

/** What a run is whose answers are not usable. */
export const describeUnusable = (answers: Answers): string =>
  `${describeAnswers(answers)}, more than ${MAX_FAILED_SHARE * 100} %: there is no result, no trial and no evidence`
