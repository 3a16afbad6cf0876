import type { HaltReport } from '../../schemas/cli.ts'
import type { Session } from './session.ts'

/** The schedule as the document tells it. */
export const scheduleOf = ({ schedule: { rule, isSwitched } }: Session): HaltReport['schedule'] =>
  rule === null ? null : { rule, isSwitched: isSwitched === true }

/** What became of the schedule that wakes the decision cycle, and what to do where it could not be switched. */
export function scheduleWords({ schedule: { rule, isSwitched }, target }: Session, to: 'on' | 'off'): string[] {
  if (rule === null)
    return target.store === 'AWS'
      ? [
          `The rule that wakes it is not written down in the table and was not switched ${to}; a cycle that it wakes looks at the halt first. By hand: aws events ${verb(to)} --name hourhand-${target.strategyId}-cycle`,
        ]
      : []
  return isSwitched === true
    ? [`The schedule ${rule} is ${to}.`]
    : [
        `The schedule ${rule} could NOT be switched ${to}; ${to === 'off' ? 'a cycle that it wakes finds the halt and does nothing' : 'no cycle runs until it is'}. By hand: aws events ${verb(to)} --name ${rule}`,
      ]
}

const verb = (to: 'on' | 'off'): string => (to === 'off' ? 'disable-rule' : 'enable-rule')
