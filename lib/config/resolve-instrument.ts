import type { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import type { EpochMs } from '../core/time.ts'
import { CATALOGUE, findInstrument } from '../instrument/catalogue.ts'
import { contractNamed } from '../instrument/contract-code.ts'
import { Instrument } from '../../schemas/instrument.ts'
import { describeIssues } from './describe-issues.ts'
import { isObject, type Json, merge } from './merge.ts'

type Named = {
  /** `instrument` as the configuration gives it: a name, facts, or nothing. */
  instrument: unknown
  /** `market.symbol` as the configuration gives it; undefined where it is left out. */
  symbol: unknown
  /** The symbol that counts where the configuration names nothing. */
  defaultSymbol: string
  /** The instant as of which a code without a month or a decade is read; null where it is not known. */
  at: EpochMs | null
  origin: string
}

/**
 * The one instrument that a configuration means. `instrument` names it (its id, the venue's own symbol, or a contract's
 * code) or gives facts: those are laid over the instrument of the same id or symbol, and have to be complete where the
 * catalogue has none. Without it `market.symbol` names it. Throws {@link UsageError} where that is none or two.
 */
export function resolveInstrument({ instrument: given, symbol, defaultSymbol, at, origin }: Named): Instrument {
  const named = typeof symbol === 'string' ? symbol : defaultSymbol
  if (given === undefined) return find(named, 'market.symbol', at, origin) ?? refuse(origin, 'market.symbol', named)
  if (typeof given === 'string')
    return agreed(find(given, 'instrument', at, origin) ?? refuse(origin, 'instrument', given), symbol, origin)
  if (!isObject(given)) throw new UsageError(`${origin}: instrument = ${JSON.stringify(given)}: ${HOW_TO_NAME}`)
  const name = String(given['id'] ?? given['venueSymbol'] ?? named)
  const base = find(name, 'instrument', at, origin)
  const facts = base === null ? given : withFacts(base, given)
  const parsed = Instrument.safeParse(facts)
  if (parsed.success) return agreed(parsed.data, symbol, origin)
  const sentence = describeIssues(origin, parsed.error as z.ZodError, { instrument: facts }, ['instrument'])
  const remedy =
    base === null
      ? `\n  The catalogue has no ${JSON.stringify(name)}, so every fact has to be given. ${HOW_TO_NAME}`
      : ''
  throw new UsageError(sentence + remedy)
}

/** Facts given over those known; a margin of the other kind replaces the whole. */
export function withFacts(base: Instrument, given: Json): Json {
  const { margin } = given
  const isOtherMargin = isObject(margin) && Object.keys(margin).some((key) => !(key in base.margin))
  return isOtherMargin ? { ...merge(base, given), margin } : merge(base, given)
}

/**
 * The instrument of a name; null where nothing is called so. Throws {@link UsageError} for a code that is no one
 * contract.
 */
function find(name: string, field: string, at: EpochMs | null, origin: string): Instrument | null {
  const known = findInstrument(name)
  if (known !== null) return known
  const contract = contractNamed(name, at)
  if (contract?.kind === 'refused')
    throw new UsageError(`${origin}: ${field} = ${JSON.stringify(name)}: ${contract.why}`)
  return contract?.instrument ?? null
}

const HOW_TO_NAME = `name one of ${CATALOGUE.map(({ id }) => id).join(', ')} or a contract such as ESH26 with "instrument", or give its facts there (docs/configuration.md)`

function refuse(origin: string, field: string, value: string): never {
  throw new UsageError(
    `${origin}: ${field} = ${JSON.stringify(value)}: no instrument of this name is known, so nothing says how much a contract is, what it costs and in which steps its price moves; ${HOW_TO_NAME}`,
  )
}

function agreed(instrument: Instrument, symbol: unknown, origin: string): Instrument {
  if (typeof symbol === 'string' && symbol !== instrument.venueSymbol && !isCodeOf(symbol, instrument))
    throw new UsageError(
      `${origin}: market.symbol = ${JSON.stringify(symbol)}, but instrument is ${instrument.id}, whose symbol is ${JSON.stringify(instrument.venueSymbol)}; leave market.symbol out, or give both the same`,
    )
  return instrument
}

/** Whether a code in another spelling names the contract. */
function isCodeOf(symbol: string, { id, ...instrument }: Instrument): boolean {
  if (instrument.kind === 'perp') return false
  // Inside the contract's own time its year of one digit is clear.
  const named = contractNamed(symbol, Date.parse(instrument.lastEntry) - 1)
  return named?.kind === 'found' && named.instrument.id === id
}
