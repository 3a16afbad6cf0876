import { durationText } from '../core/interval.ts'
import { MINUTE_MS } from '../core/time.ts'
import { CATALOGUE, findInstrument } from '../instrument/catalogue.ts'
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

/** Version 3 calls the units of the underlying in a contract its multiplier. */
const positionTo3 = (position: unknown): unknown => {
  if (!isBody(position) || !('contractSize' in position)) return position
  const { contractSize, ...rest } = position
  return { multiplier: contractSize, ...rest }
}

const phaseTo3 = (phase: unknown): unknown =>
  isBody(phase) && 'position' in phase ? { ...phase, position: positionTo3(phase['position']) } : phase

/** The contract facts of versions 1 and 2, which were those of one perp at Coinbase, as an instrument. */
function instrumentTo3(product: Body, symbol: unknown): Body {
  const {
    base,
    quote,
    contractSize,
    initialMarginRate,
    maintenanceMarginRate,
    symbol: own,
    session: _,
    ...rest
  } = product
  const venueSymbol = own ?? symbol
  return {
    kind: 'perp',
    id: `coinbase:${String(venueSymbol)}`,
    venue: 'coinbase',
    venueSymbol,
    underlying: base,
    unit: base,
    quoteCurrency: quote,
    multiplier: contractSize,
    margin: { perNotional: { initial: initialMarginRate, maintenance: maintenanceMarginRate } },
    calendar: 'always-open',
    ...rest,
  }
}

/** Version 3 has an interval such as "30m", where version 2 had a number of minutes. */
function intervalTo3(config: Body): Body {
  const { intervalMinutes, ...rest } = config
  return typeof intervalMinutes === 'number' ? { interval: durationText(intervalMinutes * MINUTE_MS), ...rest } : config
}

function configTo3(given: unknown): unknown {
  if (!isBody(given)) return given
  const config = intervalTo3(given)
  if (!isBody(config['paper']) || !isBody(config['paper']['product'])) return config
  const { product, ...paper } = config['paper'] as Body & { product: Body }
  const market = config['market']
  return { ...config, instrument: instrumentTo3(product, isBody(market) ? market['symbol'] : undefined), paper }
}

function guardFactsTo3(facts: unknown): unknown {
  if (!isBody(facts) || !isBody(facts['product'])) return facts
  const { product, ...rest } = facts as Body & { product: Body }
  return {
    ...rest,
    phase: phaseTo3(rest['phase']),
    instrument: instrumentTo3(product, undefined),
    session: product['session'],
  }
}

/** The instrument that the orders of a state are in, by its symbol, or the first of the catalogue. */
function instrumentIn({ phase }: Body): unknown {
  const text = JSON.stringify(phase) ?? ''
  const symbol = /"symbol":"([^"]+)"/.exec(text)?.[1]
  return (symbol === undefined ? null : findInstrument(symbol)) ?? CATALOGUE[0]
}

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
  {
    // Version 3 has an instrument in the configuration, where version 2 had the facts of the paper venue's one
    // contract.
    to: 3,
    change: {
      // Versions 1 and 2 knew one product for each symbol; a state without one is of the default strategy.
      state: (body) => ({ ...body, instrument: instrumentIn(body), phase: phaseTo3(body['phase']) }),
      deployment: (body) => ({ ...body, config: configTo3(body['config']) }),
      cycle: (body) => ({
        ...body,
        config: configTo3(body['config']),
        phaseAfter: phaseTo3(body['phaseAfter']),
        guardFacts: guardFactsTo3(body['guardFacts']),
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
