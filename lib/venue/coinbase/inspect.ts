import { initialMarginRate } from '../../instrument/margin.ts'
import { canonical, dec, ROUND_DOWN, ROUND_UP } from '../../core/decimal.ts'
import type { Clock } from '../../core/time.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { isFlat, toAccount } from './account.ts'
import { messageOf } from './answer.ts'
import { askBalanceSummary } from './endpoints/balance-summary.ts'
import { askKeyPermissions } from './endpoints/key-permissions.ts'
import { askPosition } from './endpoints/position.ts'
import { askPositions } from './endpoints/positions.ts'
import { askProduct } from './endpoints/product.ts'
import { askServerTime } from './endpoints/server-time.ts'
import { askFuturesFees } from './endpoints/transaction-summary.ts'
import { createOrders } from './orders.ts'
import { type InstrumentFacts, toInstrument } from './instrument.ts'
import { createReader } from './read.ts'
import type { VenueCheck, VenueInspection } from '../venue.ts'
import type { Transport } from './wire.ts'

type Finding = Omit<VenueCheck, 'check'>
type Options = {
  transport: Transport
  symbol: string
  config: Pick<StrategyConfig, 'id' | 'live' | 'guard'>
  clock: Clock
}

/**
 * Reads what live trading needs of the venue and changes nothing. Never rejects: what cannot be read is a check that
 * failed.
 */
export async function inspectVenue({ transport, symbol, config, clock }: Options): Promise<VenueInspection> {
  const { live, guard } = config
  // Tries are made at once: a person is waiting, and is told.
  const reader = createReader({ transport, timeoutMs: live.timeoutMs, clock, sleep: async () => undefined })
  const checks: VenueCheck[] = []
  /** Adds a finding; a question that fails is one too. */
  const look = async <T>(check: string, ask: () => Promise<T>, judge: (answer: T) => Finding): Promise<T | null> => {
    try {
      const answer = await ask()
      checks.push({ check, ...judge(answer) })
      return answer
    } catch (error) {
      checks.push({ check, ok: false, detail: messageOf(error), remedy: 'mend what the message says and look again' })
      return null
    }
  }
  const judgeMore = (check: string, finding: Finding): void => {
    checks.push({ check, ...finding })
  }

  const startedAt = clock()
  await look(
    'clock',
    () => reader.read(askServerTime()),
    (theirs) => {
      const ahead = Math.max(0, startedAt - theirs, theirs - clock())
      return verdict(
        ahead <= live.maxClockSkewMs,
        `${ahead} ms apart, ${live.maxClockSkewMs} ms allowed`,
        "set this machine's clock by NTP",
      )
    },
  )

  const permissions = await look(
    'key permissions',
    () => reader.read(askKeyPermissions()),
    ({ can_view: canView, can_trade: canTrade }) =>
      verdict(
        canView && canTrade,
        `view: ${yesNo(canView)}, trade: ${yesNo(canTrade)}`,
        'create an API key that may view and trade',
      ),
  )
  const portfolioUuid = permissions === null || permissions.portfolio_uuid === '' ? null : permissions.portfolio_uuid
  if (permissions !== null) {
    const { can_transfer: canTransfer, portfolio_type: type } = permissions
    const transfers = canTransfer ? 'the key may move money out of the portfolio' : 'the key may not move money'
    judgeMore(
      'key cannot transfer',
      verdict(!canTransfer, transfers, 'create an API key without the transfer permission'),
    )
    const portfolio =
      portfolioUuid === null ? 'the key names no portfolio' : `${portfolioUuid} (${type.toLowerCase() || 'no type'})`
    judgeMore(
      'portfolio',
      verdict(portfolioUuid !== null, portfolio, 'create an API key for the portfolio that trades futures'),
    )
  }

  const answer = await look(
    'product',
    async () => {
      const [found, fees] = await Promise.all([reader.read(askProduct(symbol)), reader.read(askFuturesFees())])
      return { found, ...toInstrument({ listing: found, fees, feePerContract: live.feePerContract, now: clock() }) }
    },
    ({ instrument: { multiplier, unit, tickSize, fees } }) =>
      verdict(
        true,
        `${symbol}: ${multiplier} ${unit} a contract, tick ${tickSize}, taker ${fees.taker} and ${fees.perContract} assumed a contract`,
        '',
      ),
  )
  if (answer !== null) {
    const { session, assumed } = answer
    judgeMore(
      'session',
      verdict(
        session.isOpen,
        `${session.reason}${session.nextClose === null ? '' : `, closes ${session.nextClose}`}`,
        'wait until the venue is open; entries wait too',
      ),
    )
    const [long, short] = ratesOf(answer)
    const highest = dec(long).gt(short) ? long : short
    const isCovered = dec(highest).times(guard.maxLeverage).lte(1)
    const bearable = canonical(dec(1).div(guard.maxLeverage).round(4, ROUND_DOWN))
    const rates = `${long} long, ${short} short; guard.maxLeverage ${guard.maxLeverage} needs at most ${bearable}`
    if (assumed.includes('margin'))
      judgeMore(
        'margin rates',
        verdict(
          false,
          'the venue tells no usable overnight margin rate: no entry will be made',
          'look again later, or choose another product',
        ),
      )
    else
      judgeMore(
        'margin rates',
        verdict(
          isCovered,
          rates,
          `lower guard.maxLeverage to ${canonical(dec(1).div(highest).round(2, ROUND_DOWN))} or less`,
        ),
      )
  }

  const balance = await look(
    'futures account',
    () => reader.read(askBalanceSummary()),
    (summary) => {
      const { equity, availableMargin } = toAccount(summary, clock())
      return verdict(
        dec(equity).gt(0),
        `equity ${equity} USD, available margin ${availableMargin} USD`,
        'transfer US dollars to the portfolio',
      )
    },
  )
  if (balance !== null && answer !== null && answer.found.price !== null) {
    const { minQuantity, multiplier } = answer.instrument
    const [long, short] = ratesOf(answer)
    const rate = dec(long).gt(short) ? long : short
    const needed = dec(minQuantity).times(multiplier).times(answer.found.price).times(rate).round(2, ROUND_UP)
    const has = balance.futures_buying_power ?? balance.available_margin
    judgeMore(
      'buying power',
      verdict(
        dec(has).gte(needed),
        `${has} USD; the smallest order needs ${canonical(needed)} USD of margin`,
        'transfer US dollars to the portfolio',
      ),
    )
  }

  await look(
    'no position',
    () => reader.find(askPosition(symbol)),
    (position) => {
      const size = isFlat(position)
        ? 'flat'
        : `${position.side.toLowerCase()} ${position.number_of_contracts ?? 'an unknown number of'} contracts`
      return verdict(isFlat(position), size, 'close it, or let the strategy that opened it do so')
    },
  )
  await look(
    'no other position',
    () => reader.read(askPositions()),
    (positions) => {
      const others = positions
        .filter(({ product_id: product, number_of_contracts: contracts }) => product !== symbol && contracts !== '0')
        .map(({ product_id: product }) => product)
      return verdict(
        others.length === 0,
        others.length === 0 ? 'nothing else is held in this account' : `held as well: ${others.join(', ')}`,
        "close it, or give the strategy a portfolio of its own: cash and margin are the account's, and it takes all of them for its own",
      )
    },
  )
  await look(
    'no foreign orders',
    () => createOrders(reader, config.id).open(symbol),
    (open) => {
      const foreign = open.filter(({ kind }) => kind === 'foreign')
      const detail =
        foreign.length === 0
          ? `${open.length} open orders, all of this strategy`
          : `${foreign.length} open orders in ${symbol} are not of this strategy`
      return verdict(
        foreign.length === 0,
        detail,
        'cancel them: they move a position that the strategy takes for its own',
      )
    },
  )
  return { checks, portfolioUuid }
}

const verdict = (ok: boolean, detail: string, remedy: string): Finding => ({ ok, detail, remedy: ok ? '' : remedy })
const yesNo = (is: boolean): string => (is ? 'yes' : 'no')

/** Initial margin of a long and a short as fractions of the notional at the product's last price. */
function ratesOf({ instrument, found }: InstrumentFacts & { found: { price: string | null } }): [string, string] {
  const at = dec(found.price ?? '1')
  return [canonical(initialMarginRate(instrument, 'long', at)), canonical(initialMarginRate(instrument, 'short', at))]
}
