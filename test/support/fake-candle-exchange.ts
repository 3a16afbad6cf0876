import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type FakeBar = { time: number; open: number; high: number; low: number; close: number; volume: number }

/** How the server answers one request instead of properly. */
export type Misbehaviour =
  | { kind: 'status'; status: number; body?: string }
  /** Sends headers and half a body, then nothing more. */
  | { kind: 'stall' }
  /** A complete answer that is not JSON. */
  | { kind: 'truncated' }
  /** Announces more bytes than it sends and hangs up. */
  | { kind: 'cut' }
  /** Drops the connection without an answer. */
  | { kind: 'reset' }

export type FakeCandleExchange = {
  readonly baseUrl: string
  /** Paths with query of the requests received, oldest first. */
  readonly requests: readonly string[]
  /** Applied to the next requests, one each. */
  misbehave(...next: Misbehaviour[]): void
  close(): Promise<void>
}

export type FakeCandleExchangeOptions = {
  /** Every bar that exists, for a product and granularity; the server picks the range. */
  bars?: (productId: string, granularity: string) => FakeBar[]
  /** Changes the wire candles of a page before they go out: duplicates, a forming bar, disorder. */
  tamper?: (candles: WireCandle[]) => WireCandle[]
  ticker?: object
  book?: object
  product?: (productId: string) => object
}

export type WireCandle = { start: string; low: string; high: string; open: string; close: string; volume: string }

const PREFIX = '/api/v3/brokerage/market/'
/** A span this long or longer is refused, as the venue is reported to do. */
const MAX_BARS = 350
const GRANULARITY_S: Readonly<Record<string, number>> = {
  ONE_MINUTE: 60,
  FIVE_MINUTE: 300,
  FIFTEEN_MINUTE: 900,
  THIRTY_MINUTE: 1_800,
  ONE_HOUR: 3_600,
  ONE_DAY: 86_400,
}

/** Coinbase Advanced Trade's public market endpoints on a loopback port: newest first, strings, unset values empty. */
export async function startFakeCandleExchange(options: FakeCandleExchangeOptions = {}): Promise<FakeCandleExchange> {
  const requests: string[] = []
  const queue: Misbehaviour[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    const misbehaviour = queue.shift()
    if (misbehaviour === undefined) answer(request, response, options)
    else misbehaveWith(misbehaviour, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    misbehave: (...next) => void queue.push(...next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(request: IncomingMessage, response: ServerResponse, options: FakeCandleExchangeOptions): void {
  const url = new URL(request.url ?? '', 'http://127.0.0.1')
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  if (!url.pathname.startsWith(PREFIX)) return send(404, { error: 'NOT_FOUND', message: url.pathname })
  const [collection, productId = '', action] = url.pathname.slice(PREFIX.length).split('/')
  if (collection === 'product_book')
    return send(
      200,
      options.book ?? { pricebook: { product_id: url.searchParams.get('product_id'), bids: [], asks: [] } },
    )
  if (action === 'ticker') return send(200, options.ticker ?? { trades: [], best_bid: '', best_ask: '' })
  if (action === 'candles') return sendCandles(url, productId, options, send)
  return send(200, options.product?.(productId) ?? { product_id: productId, price: '', future_product_details: null })
}

function sendCandles(
  url: URL,
  productId: string,
  options: FakeCandleExchangeOptions,
  send: (status: number, body: unknown) => void,
): void {
  const granularity = url.searchParams.get('granularity') ?? ''
  const stepS = GRANULARITY_S[granularity]
  const start = Number(url.searchParams.get('start'))
  const end = Number(url.searchParams.get('end'))
  if (stepS === undefined)
    return send(400, { error: 'INVALID_ARGUMENT', message: `unknown granularity ${granularity}` })
  if ((end - start) / stepS >= MAX_BARS)
    return send(400, { error: 'INVALID_ARGUMENT', message: 'number of candles requested should be less than 350' })
  const bars = (options.bars?.(productId, granularity) ?? []).filter(
    (bar) => bar.time >= start * 1_000 && bar.time <= end * 1_000,
  )
  const candles = bars
    .sort((a, b) => b.time - a.time)
    .map((bar) => ({
      start: String(bar.time / 1_000),
      low: String(bar.low),
      high: String(bar.high),
      open: String(bar.open),
      close: String(bar.close),
      volume: String(bar.volume),
    }))
  send(200, { candles: options.tamper?.(candles) ?? candles })
}

function misbehaveWith(misbehaviour: Misbehaviour, request: IncomingMessage, response: ServerResponse): void {
  switch (misbehaviour.kind) {
    case 'status':
      response
        .writeHead(misbehaviour.status, { 'content-type': 'application/json' })
        .end(misbehaviour.body ?? '{"error":"unknown","message":"try again"}')
      return
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"candles":[')
      return
    case 'truncated':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"candles":[{"start":"17')
      return
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"candles":[')
      setTimeout(() => request.socket.destroy(), 20)
      return
    case 'reset':
      request.socket.destroy()
      return
    default:
      misbehaviour satisfies never
  }
}
