import { fromIso } from '../../core/time.ts'
import { successorOf } from '../../instrument/contract-code.ts'
import { type ConditionRule, finding } from '../rule.ts'

export const contractExpiry: ConditionRule = {
  name: 'contract_expiry',
  applies: 'entry',
  purpose: 'nothing is opened in a contract that is about to end, or to be delivered',
  limit: ({ instrument }) =>
    instrument.kind === 'future' ? `before ${instrument.lastEntry}` : 'none for a contract without end',
  check: ({ facts: { instrument, now } }) => {
    if (instrument.kind === 'perp') return finding(true, null, null, 'the contract has no end', '')
    const { lastEntry, venueSymbol } = instrument
    const isEarly = fromIso(now) < fromIso(lastEntry)
    return finding(
      isEarly,
      lastEntry,
      now,
      () => `${venueSymbol} takes entries until ${lastEntry}`,
      () => {
        const next = successorOf(instrument, fromIso(now))
        const remedy = next === null ? '' : `; name the month that trades: "instrument": "${next.id}"`
        return `${venueSymbol} takes no entries since ${lastEntry}: it stops trading at ${instrument.lastTrade}${remedy}`
      },
    )
  },
}
