import { cancelOrders, closePosition, editOrder, placeOrder, type PlacementQuirk, previewOrder } from './place.ts'
import { notFound, problem, type VenueAnswer, type VenueRequest } from './request.ts'
import type { VenueState } from './state.ts'
import {
  balanceSummary,
  getPosition,
  keyPermissions,
  listAccounts,
  listPositions,
  listSweeps,
  marginSetting,
  marginWindow,
  transactionSummary,
} from './wire-account.ts'
import { getBestBidAsk, getBook, getProduct, getTicker, getTime, listCandles, listProducts } from './wire-market.ts'
import { getOrder, listFills, listOrders } from './wire-orders.ts'

/** Scope a request needs; null: public, unsigned. */
export function scopeOf(method: string, path: string): 'view' | 'trade' | null {
  if (path === 'time' || path.startsWith('market/')) return null
  if (method === 'POST' && path !== 'orders/preview' && path !== 'orders/edit_preview') return 'trade'
  return 'view'
}

/** The answer of the endpoint that a method and path name. */
export function route(state: VenueState, request: VenueRequest, quirk: PlacementQuirk | null): VenueAnswer {
  const scope = scopeOf(request.method, request.path)
  if (scope !== null && !state.switches.permissions[scope])
    return problem(403, 'PERMISSION_DENIED', 'Missing required scopes')
  if (request.method === 'GET') return read(state, request)
  if (request.method === 'POST') return write(state, request, quirk)
  return unknownPath(request)
}

const unknownPath = ({ method, path }: VenueRequest): VenueAnswer => notFound(`no ${method} ${path}`)

function write(state: VenueState, request: VenueRequest, quirk: PlacementQuirk | null): VenueAnswer {
  switch (request.path) {
    case 'orders':
      return placeOrder(state, request.body, quirk)
    case 'orders/preview':
      return previewOrder(state, request.body, quirk)
    case 'orders/close_position':
      return closePosition(state, request.body, quirk)
    case 'orders/batch_cancel':
      return cancelOrders(state, request.body, quirk)
    case 'orders/edit':
    case 'orders/edit_preview':
      return editOrder()
    default:
      return unknownPath(request)
  }
}

function read(state: VenueState, request: VenueRequest): VenueAnswer {
  const { path, query } = request
  switch (path) {
    case 'time':
      return getTime(state)
    case 'key_permissions':
      return keyPermissions(state)
    case 'transaction_summary':
      return transactionSummary(state)
    case 'accounts':
      return listAccounts(state)
    case 'cfm/balance_summary':
      return balanceSummary(state)
    case 'cfm/positions':
      return listPositions(state)
    case 'cfm/sweeps':
      return listSweeps()
    case 'cfm/intraday/margin_setting':
      return marginSetting()
    case 'cfm/intraday/current_margin_window':
      return marginWindow(state)
    case 'orders/historical/batch':
      return listOrders(state, query)
    case 'orders/historical/fills':
      return listFills(state, query)
    case 'best_bid_ask':
      return getBestBidAsk(state, query)
    default:
      return readVariable(state, request)
  }
}

/** A path segment without its escapes; as it is where they are none. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Paths with a variable in them, and those with a public twin below `market/`. */
function readVariable(state: VenueState, request: VenueRequest): VenueAnswer {
  const { query } = request
  const segments = request.path.split('/').map(decoded)
  if (segments[0] === 'orders' && segments[1] === 'historical' && segments.length === 3)
    return getOrder(state, segments[2] ?? '')
  if (segments[0] === 'cfm' && segments[1] === 'positions' && segments.length === 3)
    return getPosition(state, segments[2] ?? '')
  const [collection, productId, action, ...rest] = segments[0] === 'market' ? segments.slice(1) : segments
  if (collection === 'product_book' && productId === undefined) return getBook(state, query)
  if (collection !== 'products' || rest.length > 0) return unknownPath(request)
  if (productId === undefined) return listProducts(state, query)
  if (action === undefined) return getProduct(state, productId)
  if (action === 'candles') return listCandles(state, productId, query)
  if (action === 'ticker') return getTicker(state, productId, query)
  return unknownPath(request)
}
