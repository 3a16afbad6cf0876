import { toRows } from './columns.js'
import { byId } from './dom.js'

/** @typedef {import('../page-data.ts').Summary} Summary */
/** @typedef {import('../page-data.ts').Series} Series */
/** @typedef {import('../page-data.ts').PackedStory} PackedStory */
/** @typedef {import('../../../../schemas/replay.ts').Story} Story */
/** @typedef {Series['trades'][number]} Trade */

/** Chunks kept inflated: some five megabytes. */
const KEPT_CHUNKS = 6

/** @returns {Summary} */
export const readSummary = () => JSON.parse(byId('summary').textContent ?? '')

/** @returns {Promise<Series>} */
export async function readSeries() {
  /** @type {import('../page-data.ts').PackedSeries} */
  const packed = await inflate('series')
  return { ...packed, trades: /** @type {Series['trades']} */ (/** @type {unknown} */ (toRows(packed.trades))) }
}

/**
 * Base64 of zlib of JSON, as pack-report.ts makes it.
 *
 * @param {string} id
 */
async function inflate(id) {
  const text = atob(byId(id).textContent ?? '')
  const bytes = new Uint8Array(text.length)
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place)
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).json()
}

/**
 * Stories by cycle id; inflated when asked for.
 *
 * @param {Series} series
 */
export function createStories({ stories, systemPrompts }) {
  const places = new Map(stories.cycleId.map((cycleId, place) => [cycleId, place]))
  /** @type {Map<number, Promise<PackedStory[]>>} */
  const chunks = new Map()

  /** @param {number} number */
  function chunkOf(number) {
    const chunk =
      chunks.get(number) ??
      parsed
        .then(() => inflate(`stories-${number}`))
        .then((columns) => /** @type {PackedStory[]} */ (/** @type {unknown} */ (toRows(columns))))
    // Last used, last in the map; the first goes when there are too many.
    chunks.delete(number)
    chunks.set(number, chunk)
    const oldest = chunks.keys().next().value
    if (chunks.size > KEPT_CHUNKS && oldest !== undefined) chunks.delete(oldest)
    return chunk
  }

  return {
    count: places.size,
    /** @param {string} cycleId */
    has: (cycleId) => places.has(cycleId),
    /** @param {(cycleId: string, outcome: Story['outcome'], slot: string) => boolean} wanted */
    find: (wanted) =>
      stories.cycleId.findLast((cycleId, place) =>
        wanted(cycleId, stories.outcome[place] ?? 'failed', stories.slot[place] ?? ''),
      ) ?? null,
    /**
     * @param {string} cycleId
     * @returns {Promise<Story | null>}
     */
    async read(cycleId) {
      const place = places.get(cycleId)
      if (place === undefined) return null
      const story = (await chunkOf(Math.floor(place / stories.perChunk)))[place % stories.perChunk]
      if (story === undefined) return null
      return {
        ...story,
        prompt: story.prompt === null ? null : { ...story.prompt, system: systemPrompts[story.prompt.system] ?? '' },
      }
    },
  }
}

/** The stories stand behind this script in the page. */
const parsed = new Promise((resolve) => {
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', resolve, { once: true })
  else resolve(null)
})
