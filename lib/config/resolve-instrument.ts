import type { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import { CATALOGUE, findInstrument } from '../instrument/catalogue.ts'
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
  origin: string
}

/**
 * The one instrument that a configuration means. `instrument` names it (its id, or the venue's own symbol) or gives facts:
 * those are laid over the instrument of the same id or symbol, and have to be complete where the catalogue has none.
 * Without it `market.symbol` names it. Throws {@link UsageError} where that is none or two.
 */
export function resolveInstrument({ instrument: given, symbol, defaultSymbol, origin }: Named): Instrument {
  const named = typeof symbol === 'string' ? symbol : defaultSymbol
  if (given === undefined) return findInstrument(named) ?? refuse(origin, 'market.symbol', named)
  if (typeof given === 'string')
    return agreed(findInstrument(given) ?? refuse(origin, 'instrument', given), symbol, origin)
  if (!isObject(given)) throw new UsageError(`${origin}: instrument = ${JSON.stringify(given)}: ${HOW_TO_NAME}`)
  const base = findInstrument(String(given['id'] ?? given['venueSymbol'] ?? named))
  const facts = base === null ? given : withFacts(base, given)
  const parsed = Instrument.safeParse(facts)
  if (parsed.success) return agreed(parsed.data, symbol, origin)
  const sentence = describeIssues(origin, parsed.error as z.ZodError, { instrument: facts }, ['instrument'])
  const isStranger =
    base === null
      ? `\n  The catalogue has no ${JSON.stringify(given['id'] ?? given['venueSymbol'] ?? named)}, so every fact has to be given. ${HOW_TO_NAME}`
      : ''
  throw new UsageError(sentence + isStranger)
}

/** Facts given over those known; a margin of the other kind replaces the whole. */
export function withFacts(base: Instrument, given: Json): Json {
  const { margin } = given
  const isOtherMargin = isObject(margin) && Object.keys(margin).some((key) => !(key in base.margin))
  return isOtherMargin ? { ...merge(base, given), margin } : merge(base, given)
}

const HOW_TO_NAME = `name one of ${CATALOGUE.map(({ id }) => id).join(', ')} with "instrument", or give its facts there (docs/configuration.md)`

function refuse(origin: string, field: string, value: string): never {
  throw new UsageError(
    `${origin}: ${field} = ${JSON.stringify(value)}: no instrument of this name is known, so nothing says how much a contract is, what it costs and in which steps its price moves; ${HOW_TO_NAME}`,
  )
}

function agreed(instrument: Instrument, symbol: unknown, origin: string): Instrument {
  if (typeof symbol === 'string' && symbol !== instrument.venueSymbol)
    throw new UsageError(
      `${origin}: market.symbol = ${JSON.stringify(symbol)}, but instrument is ${instrument.id}, whose symbol is ${JSON.stringify(instrument.venueSymbol)}; leave market.symbol out, or give both the same`,
    )
  return instrument
}
