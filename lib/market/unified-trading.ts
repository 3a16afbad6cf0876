import type { Exchange } from 'ccxt'
import { z } from 'zod'
import { type EpochMs, MINUTE_MS } from '../core/time.ts'
import { callExchange, HttpStatusError } from './exchange-call.ts'
import type { ReportedTrading } from './exchange-reader.ts'

const instant = z.number().nullish().catch(null)
const Market = z.looseObject({ active: z.boolean().nullish().catch(null), expiry: instant }).nullish()
const Status = z.looseObject({ status: z.string().nullish().catch(null) })
const Trades = z.array(z.looseObject({ timestamp: instant }))
const Ticker = z.looseObject({ timestamp: instant })

/** The list of markets says which are tradable; it is long, and read anew this often. */
const MARKETS_LIFE_MS = 10 * MINUTE_MS

/** What an exchange answers when it does not offer something: everything else that fails is not knowing. */
const NOT_OFFERED = new Set(['NotSupported', 'AuthenticationError', 'PermissionDenied', 'BadRequest'])

/**
 * What an exchange says about trading through ccxt's unified methods: whether it lists the market as active, how it
 * says it is itself, and when somebody last traded. What it does not offer says nothing; what it offers and cannot be
 * read rejects, and the caller takes that for closed.
 */
export function createTradingReader(
  exchange: Exchange,
  timeoutMs: number,
): (symbol: string, at: EpochMs) => Promise<ReportedTrading> {
  let loadedAt: EpochMs | null = null
  const has = (method: string): boolean => exchange.has[method] === true
  const ask = <T>(method: string, symbol: string, schema: z.ZodType<T>, send: () => Promise<unknown>): Promise<T> =>
    callExchange(`${exchange.id} ${method} of ${symbol}`, timeoutMs, async () => schema.parse(await send()))
  const askIfOffered = async <T>(...question: Parameters<typeof ask<T>>): Promise<T | null> => {
    if (!has(question[0])) return null
    return ask(...question).catch((error: unknown) => {
      if (isNotOffered(error)) return null
      throw error
    })
  }

  return async (symbol, at) => {
    const isOld = loadedAt === null || at - loadedAt >= MARKETS_LIFE_MS || at < loadedAt
    const market = await ask('loadMarkets', symbol, Market, async () => (await exchange.loadMarkets(isOld))[symbol])
    if (isOld) loadedAt = at
    const [status, trades, ticker] = await Promise.all([
      askIfOffered('fetchStatus', symbol, Status, () => exchange.fetchStatus()),
      askIfOffered('fetchTrades', symbol, Trades, () => exchange.fetchTrades(symbol, undefined, 1)),
      askIfOffered('fetchTicker', symbol, Ticker, () => exchange.fetchTicker(symbol)),
    ])
    const expiry = market?.expiry ?? null
    const word = status?.status ?? 'ok'
    const blocks = [
      ...(market === undefined || market === null ? [`${exchange.id} does not list ${symbol}`] : []),
      ...(market?.active === false ? [`${exchange.id} says that ${symbol} is not active`] : []),
      ...(word === 'ok' ? [] : [`${exchange.id} says of itself: ${word}`]),
      ...(expiry !== null && expiry <= at ? ['the contract has expired'] : []),
    ]
    const times = [...(trades ?? []), ...(ticker === null ? [] : [ticker])].flatMap(({ timestamp }) => timestamp ?? [])
    return {
      blocks,
      nextClose: expiry !== null && expiry > at ? expiry : null,
      // A ticker's own time is when it was made on some exchanges: a trade says more.
      lastTradeAt: latest(trades?.flatMap(({ timestamp }) => timestamp ?? []) ?? []) ?? latest(times),
    }
  }
}

function isNotOffered(error: unknown): boolean {
  const { cause } = error as { cause?: unknown }
  if (cause instanceof HttpStatusError) return cause.status < 500 && cause.status !== 429
  return cause instanceof Error && NOT_OFFERED.has(cause.name)
}

const latest = (times: readonly EpochMs[]): EpochMs | null => (times.length === 0 ? null : Math.max(...times))
