import type { StoredKind } from './stored-kinds.ts'

/** The body of an item as JSON gives it. */
export type Body = Readonly<Record<string, unknown>>

/** Brings bodies of one version to the next, kind by kind; a kind that is not named stays as it is. Pure. */
export type Migration = { to: number; change: Partial<Record<StoredKind, (body: Body) => Body>> }

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A position of version 1 may be older than the mark of an unacknowledged close. */
const positionTo2 = (position: unknown): unknown =>
  isBody(position) ? { isCloseUnheard: false, ...position } : position

const phaseTo2 = (phase: unknown): unknown =>
  isBody(phase) && 'position' in phase ? { ...phase, position: positionTo2(phase['position']) } : phase

const accountingTo2 = (accounting: unknown): unknown =>
  isBody(accounting) ? { tradesClosed: 0, ...accounting } : accounting

/** The one override of version 1 concerned the number of paper trades. */
const clearanceTo2 = ({ override, ...body }: Body): Body => ({
  figures: [],
  waivers: isBody(override) ? [{ gate: 'paper_trades', ...override }] : [],
  ...body,
})

/** Every migration, oldest first. One is never changed after its release; the next one is added. */
export const MIGRATIONS: readonly Migration[] = [
  {
    // Version 2 says of every item which readers may act on it, and spells out what version 1 left to defaults.
    to: 2,
    change: {
      clearance: clearanceTo2,
      state: (body) => ({
        suspicions: [],
        outbox: null,
        ...body,
        phase: phaseTo2(body['phase']),
        accounting: accountingTo2(body['accounting']),
      }),
      cycle: (body) => ({
        ...body,
        phaseAfter: phaseTo2(body['phaseAfter']),
        guardFacts: isBody(body['guardFacts'])
          ? {
              ...body['guardFacts'],
              phase: phaseTo2(body['guardFacts']['phase']),
              accounting: accountingTo2(body['guardFacts']['accounting']),
            }
          : body['guardFacts'],
      }),
    },
  },
]

/** The body as the present version has it; one of this version or a later one comes back as it is. */
export function migrate(kind: StoredKind, body: Body, schemaVersion: number): Body {
  let migrated = body
  for (const { to, change } of MIGRATIONS)
    if (schemaVersion < to) migrated = { ...(change[kind]?.(migrated) ?? migrated), schemaVersion: to, minReader: to }
  return migrated
}
