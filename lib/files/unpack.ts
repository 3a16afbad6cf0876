import { gunzipSync } from 'node:zlib'
import { unzipSync, type UnzipFileInfo } from 'fflate'
import { UsageError } from '../core/invariant.ts'
import { MAX_TEXT_BYTES } from './read-file.ts'

/** Some bytes and what they are called in messages: a path, and after it the name within an archive. */
export type NamedBytes = { readonly name: string; readonly bytes: Uint8Array }

/** Beginnings of formats that hold tables or archives and are not read, with what to do instead. */
const FOREIGN: readonly { readonly what: string; readonly begins: readonly number[]; readonly remedy: string }[] = [
  { what: 'a Parquet file', begins: [0x50, 0x41, 0x52, 0x31], remedy: 'export the table as CSV' },
  { what: 'an Arrow or Feather file', begins: [0x41, 0x52, 0x52, 0x4f, 0x57], remedy: 'export the table as CSV' },
  { what: 'an old Excel workbook', begins: [0xd0, 0xcf, 0x11, 0xe0], remedy: 'save the sheet as CSV' },
  { what: 'an SQLite database', begins: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], remedy: 'export the table as CSV' },
  { what: 'a PDF document', begins: [0x25, 0x50, 0x44, 0x46], remedy: 'fetch the data as CSV' },
  { what: 'an HDF5 file', begins: [0x89, 0x48, 0x44, 0x46], remedy: 'export the table as CSV' },
  { what: 'an image', begins: [0x89, 0x50, 0x4e, 0x47], remedy: 'give a data file' },
  { what: 'an image', begins: [0xff, 0xd8, 0xff], remedy: 'give a data file' },
  { what: 'an xz archive', begins: [0xfd, 0x37, 0x7a, 0x58], remedy: 'unpack it, or pack it with gzip or zip' },
  { what: 'a zstd archive', begins: [0x28, 0xb5, 0x2f, 0xfd], remedy: 'unpack it, or pack it with gzip or zip' },
  { what: 'a bzip2 archive', begins: [0x42, 0x5a, 0x68], remedy: 'unpack it, or pack it with gzip or zip' },
  { what: 'a 7z archive', begins: [0x37, 0x7a, 0xbc, 0xaf], remedy: 'unpack it, or pack it with gzip or zip' },
  { what: 'a RAR archive', begins: [0x52, 0x61, 0x72, 0x21], remedy: 'unpack it, or pack it with gzip or zip' },
  { what: 'a pickle of Python', begins: [0x80, 0x04, 0x95], remedy: 'export the table with to_csv' },
]

/** An archive in an archive in an archive is somebody's joke. */
const MAX_DEPTH = 3
const MAX_ENTRIES = 5_000

/**
 * What a file holds when every gzip and zip around it is taken off, told by the bytes and not by the name; a zip gives
 * its entries in the order of their names. Throws {@link UsageError} naming file and remedy for a damaged archive, one
 * that unpacks to more than `maxBytes`, and formats that are not read.
 */
export function unpack({ name, bytes }: NamedBytes, maxBytes = MAX_TEXT_BYTES, depth = 0): NamedBytes[] {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] ?? 0) <= 7
  if ((isGzip || isZip) && depth >= MAX_DEPTH)
    throw new UsageError(`${name}: archives within archives; unpack the innermost and give that`)
  if (isGzip) return unpack({ name, bytes: gunzip(name, bytes, maxBytes) }, maxBytes, depth + 1)
  if (isZip) return unzip(name, bytes, maxBytes).flatMap((entry) => unpack(entry, maxBytes, depth + 1))
  const foreign = FOREIGN.find(({ begins }) => begins.every((byte, index) => bytes[index] === byte))
  if (foreign !== undefined) throw new UsageError(`${name}: this is ${foreign.what}, not text; ${foreign.remedy}`)
  if (isTar(bytes))
    throw new UsageError(`${name}: this is a tar archive; unpack it and give the files, or a zip of them`)
  return [{ name, bytes }]
}

function gunzip(name: string, bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    throw (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
      ? tooLarge(name, maxBytes)
      : new UsageError(`${name}: damaged gzip (${(cause as Error).message}); fetch or pack the file again`, { cause })
  }
}

function unzip(name: string, bytes: Uint8Array, maxBytes: number): NamedBytes[] {
  let total = 0
  let count = 0
  const wanted = (entry: UnzipFileInfo): boolean => {
    if (!isData(entry.name)) return false
    total += entry.originalSize
    count += 1
    if (total > maxBytes) throw tooLarge(name, maxBytes)
    if (count > MAX_ENTRIES)
      throw new UsageError(`${name}: more than ${MAX_ENTRIES} files in one zip; unpack some of them`)
    return true
  }
  let entries: Record<string, Uint8Array>
  try {
    entries = unzipSync(bytes, { filter: wanted })
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(
      `${name}: damaged or encrypted zip (${(cause as Error).message}); fetch or pack the file again, without a password`,
      { cause },
    )
  }
  const names = Object.keys(entries).sort()
  if (names.some((each) => each === '[Content_Types].xml' || each.startsWith('xl/')))
    throw new UsageError(`${name}: this is a spreadsheet (Excel or the like), not text; save the sheet as CSV`)
  if (names.length === 0) throw new UsageError(`${name}: the zip holds no file; pack it again`)
  return names.map((each) => ({ name: `${name}, ${each}`, bytes: entries[each] ?? new Uint8Array() }))
}

/** Folders, and what systems and download sites put beside the data. */
export const isData = (entry: string): boolean =>
  !entry.endsWith('/') &&
  !/(?:^|\/)(?:__MACOSX\/|\.)|(?:^|\/)(?:readme|licen[cs]e|thumbs\.db)[^/]*$|\.(?:checksum|md5|sha256|md|pdf)$/i.test(
    entry,
  )

const isTar = (bytes: Uint8Array): boolean =>
  bytes.length > 262 && String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar'

const tooLarge = (name: string, maxBytes: number): UsageError =>
  new UsageError(`${name}: unpacked this is more than ${Math.round(maxBytes / 1e6)} MB; split it, or give coarser bars`)
