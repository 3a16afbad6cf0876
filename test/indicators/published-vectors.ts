import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Candle } from '../../schemas/market.ts'

/**
 * Quotes and results of an independent reference (DaveSkender/Stock.Indicators), read where they lie and never copied.
 */
const ARCHIVE = path.resolve(import.meta.dirname, '../../../shared/data/indicators/skender.tar.gz')
export const hasVectors = existsSync(ARCHIVE)
export const WHY_SKIPPED = 'published vectors are absent: ../shared/data/indicators/skender.tar.gz'

const PREFIX = 'skender/tests/indicators/_testdata/'
const BLOCK = 512

let files: Map<string, string> | null = null

function readVector(name: string): string {
  files ??= untar(gunzipSync(readFileSync(ARCHIVE)))
  const text = files.get(PREFIX + name)
  if (text === undefined) throw new Error(`${name} is not in ${ARCHIVE}`)
  return text
}

/** Regular files of a POSIX ustar archive whose names fit their field, by name. */
function untar(archive: Buffer): Map<string, string> {
  const found = new Map<string, string>()
  const field = (at: number, from: number, length: number) =>
    archive
      .toString('utf8', at + from, at + from + length)
      .replace(/\0.*$/s, '')
      .trim()
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const size = Number.parseInt(field(at, 124, 12) || '0', 8)
    const prefix = field(at, 257, 5) === 'ustar' ? field(at, 345, 155) : ''
    const name = prefix === '' ? field(at, 0, 100) : `${prefix}/${field(at, 0, 100)}`
    const kind = field(at, 156, 1)
    if (kind === '' || kind === '0')
      found.set(name.replace(/^\.\//, ''), archive.toString('utf8', at + BLOCK, at + BLOCK + size))
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return found
}

/** Results of one indicator, a row a quote. */
export const readResults = (name: string): Record<string, number | null>[] =>
  JSON.parse(readVector(`results/${name}.standard.json`)) as Record<string, number | null>[]

/** Quotes as bars a day apart: the indicators look at order, not at dates. Unparsed: some are bad on purpose. */
export function readQuotes(name: string): Candle[] {
  const [, ...rows] = readVector(`quotes/${name}.csv`).trim().split(/\r?\n/)
  return rows.map((row, index) => {
    const [, open = 0, high = 0, low = 0, close = 0, volume = 0] = row.split(',').map(Number)
    return { time: index * 86_400_000, open, high, low, close, volume }
  })
}
