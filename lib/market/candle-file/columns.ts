/**
 * A column's name as names are compared: lower case, words joined by _, without brackets, units of display and
 * numbering.
 */
export const normalName = (name: string): string =>
  name
    .trim()
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[<>()[\]{}'"`#*%]/g, ' ')
    .trim()
    .replaceAll(/[\s\-./\\:,]+/g, '_')
    .replace(/^\d+_/, '')
    .replaceAll(/_+/g, '_')
    .replace(/^_|_$/g, '')

/** Names under which the open of a bar's time is found; the earlier in the list, the surer. */
const OPEN_TIMES =
  'open_time time_open kline_open_time open_timestamp time_period_start period_start start_time starttime start_timestamp start begins_at candle_begin_time candle_date_time_utc bar_start window_start opentime timeopen'
const TIMES =
  'timestamp_ms timestamp timestamp_utc unix unix_timestamp unixtime unix_time unix_ms epoch epoch_ms ts ts_event time_ms mts calc_time settlement_time funding_time time datetime date_time dateandtime date_and_time time_utc date_utc datetime_utc gmt_time utc_time utc local_time bar_time snapshot_time snapshottime date day dt t datum zeit fecha data horaire index'
const CLOSE_TIMES =
  'close_time closetime time_close timeclose kline_close_time close_timestamp time_period_end period_end end_time endtime end_timestamp end window_end'
const SYMBOLS =
  'symbol ticker instrument instrument_id inst_id instid pair market product_id product contract coin asset tic security'
const CONFIRMED = 'confirm confirmed is_closed closed complete is_final final x'

const PRICES = {
  open: 'open o open_price price_open opening_price first openprice opening eröffnung eröffnungskurs apertura abertura ouverture',
  high: 'high h high_price price_high highest max highprice hi hoch tageshoch höchst máximo maximo máxima haut',
  low: 'low l low_price price_low lowest min lowprice lo tief tagestief tiefst mínimo minimo mínima bas',
  close:
    'close c close_price price_close closing_price last close_last closeprice settle settlement latest price_last price schluss schlusskurs cierre fechamento clôture cloture',
} as const
const VOLUMES =
  'volume vol v base_volume volume_base basevolume volumefrom volume_from volume_coin quantity qty total_volume trade_volume traded_volume volume_traded vol_base volumen volumem'
/** Money is not what a bar's volume counts. */
const MONEY =
  /(?:^|_)(?:quote|usd|usdt|usdc|busd|fdusd|tusd|dai|eur|gbp|jpy|chf|aud|krw|try|currency|turnover|value|amount|to)(?:_|$)/

const listOf = (names: string): readonly string[] => names.split(' ')
const NAMES = {
  openTime: listOf(OPEN_TIMES),
  time: listOf(TIMES),
  closeTime: listOf(CLOSE_TIMES),
  symbol: listOf(SYMBOLS),
  confirmed: listOf(CONFIRMED),
  volume: listOf(VOLUMES),
}

/** Columns of a candle table by their place; null for one that is not there. */
export type CandleColumns = {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number | null
  readonly symbol: number | null
  readonly confirmed: number | null
  /** Columns that may hold the time, the surest first, and what their stamps mean. */
  readonly times: readonly TimeColumn[]
}
export type TimeColumn = { readonly column: number; readonly name: string; readonly means: 'open' | 'close' }

/** What a header lacks to be one of candles. */
export type MissingColumns = { readonly missing: readonly string[] }

/** Of `l` and `L` in one header, as in Binance's streams, only the first is the low. */
const namesOf = (header: readonly string[]): string[] =>
  header.map((name) =>
    /^[A-Z]$/.test(name) && header.includes(name.toLowerCase()) ? `other_${name.toLowerCase()}` : normalName(name),
  )

/** Finds the columns of candles by the names of a header. */
export function candleColumns(header: readonly string[]): CandleColumns | MissingColumns {
  const names = namesOf(header)
  const prices = Object.entries(PRICES).map(
    ([price, aliases]) => [price, priceColumn(names, price, listOf(aliases))] as const,
  )
  const missing = prices.filter(([, column]) => column === null).map(([price]) => price)
  if (missing.length > 0) return { missing }
  const columns = Object.fromEntries(prices) as Record<keyof typeof PRICES, number>
  return {
    ...columns,
    volume: volumeColumn(names),
    symbol: firstOf(names, NAMES.symbol),
    confirmed: firstOf(names, NAMES.confirmed),
    times: timeColumns(names, Object.values(columns)),
  }
}

/** Whether a line is a header of candles: it names at least three of the four prices. */
export const isCandleHeader = (cells: readonly string[]): boolean => {
  const found = candleColumns(cells)
  return !('missing' in found) || (found.missing.length === 1 && cells.length >= 4)
}

export function timeColumns(names: readonly string[], taken: readonly number[]): TimeColumn[] {
  const all = (wanted: readonly string[], means: TimeColumn['means']): TimeColumn[] =>
    wanted.flatMap((name) =>
      names.flatMap((each, column) => (each === name && !taken.includes(column) ? [{ column, name, means }] : [])),
    )
  const unnamed = names.flatMap((name, column) =>
    name === '' ? [{ column, name: 'without a name', means: 'open' as const }] : [],
  )
  const named = [...all(NAMES.openTime, 'open'), ...all(NAMES.time, 'open'), ...all(NAMES.closeTime, 'close')]
  return [...named, ...unnamed]
}

export const firstOf = (names: readonly string[], wanted: readonly string[]): number | null => {
  for (const name of wanted) {
    const column = names.indexOf(name)
    if (column >= 0) return column
  }
  return null
}
export const symbolColumn = (names: readonly string[]): number | null => firstOf(names, NAMES.symbol)

/** By a name of its own, or as the first word of one: `Open (USD)`, `open_eth_usd`. */
function priceColumn(names: readonly string[], price: string, aliases: readonly string[]): number | null {
  const exact = firstOf(names, aliases)
  if (exact !== null) return exact
  const column = names.findIndex(
    (name) => name.startsWith(`${price}_`) && !/_(?:time|interest|date|timestamp|ts|at|ms)$/.test(name),
  )
  return column < 0 ? null : column
}

function volumeColumn(names: readonly string[]): number | null {
  const exact = firstOf(names, NAMES.volume)
  if (exact !== null) return exact
  const column = names.findIndex(
    (name) =>
      /^vol(?:ume)?_/.test(name) && !MONEY.test(name.replace(/^vol(?:ume)?/, '')) && !/ma$|avg|change/.test(name),
  )
  return column < 0 ? null : column
}

/** Orders in which sites put the four prices where no header names them. */
const ORDERS: readonly (readonly ['open' | 'high' | 'low' | 'close', ...('open' | 'high' | 'low' | 'close')[]])[] = [
  ['open', 'high', 'low', 'close'],
  ['open', 'close', 'high', 'low'],
  ['low', 'high', 'open', 'close'],
  ['close', 'high', 'low', 'open'],
  ['open', 'close', 'low', 'high'],
]

/**
 * The order of four neighbouring columns of prices: one in which high and low enclose the others in every row. Of those
 * the one whose opens lie nearest to the closes of the row before; null where none fits.
 */
export function orderOfPrices(rows: readonly (readonly number[])[], newestFirst: boolean): readonly string[] | null {
  const fitting = ORDERS.filter((order) =>
    rows.every((row) => {
      const [open, high, low, close] = pick(row, order)
      return high >= Math.max(open, close) && low <= Math.min(open, close)
    }),
  )
  const jumps = fitting.map((order) => {
    const bars = rows.map((row) => pick(row, order))
    const timed = newestFirst ? bars.toReversed() : bars
    return timed.slice(1).reduce((sum, [open], index) => sum + Math.abs(open - (timed[index]?.[3] ?? open)), 0)
  })
  const least = Math.min(...jumps)
  return fitting.find((_, index) => (jumps[index] ?? 0) <= least * 1.000001) ?? null
}

const pick = (row: readonly number[], order: readonly string[]): [number, number, number, number] => {
  const of = (price: string): number => row[order.indexOf(price)] ?? Number.NaN
  return [of('open'), of('high'), of('low'), of('close')]
}
