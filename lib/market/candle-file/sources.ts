import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../../core/invariant.ts'
import { decodeText, isText } from '../../files/decode-text.ts'
import { kindOf, readFileBytes } from '../../files/read-file.ts'
import { isData, type NamedBytes, unpack } from '../../files/unpack.ts'

/** A text of data with where it comes from. */
export type Source = { readonly name: string; readonly text: string; readonly notes: readonly string[] }

const DATA_FILE = /\.(?:csv|tsv|tab|txt|dat|prn|json|jsonl|ndjson|gz|zip)$/i
const REMEDY = 'give a CSV or JSON file, plain or packed with gzip or zip, or a folder of them'

/**
 * Files behind the paths of an option; a folder stands for the data files right inside it. Throws UsageError as
 * readFileBytes does.
 */
export function readSources(paths: readonly string[]): NamedBytes[] {
  return paths.flatMap((each) => {
    const files = filesOf(each)
    if (files.length === 0) throw new UsageError(`${each}: the folder holds no data file; ${REMEDY}`)
    return files.map((file) => ({ name: file, bytes: readFileBytes({ file, label: file, remedy: REMEDY }) }))
  })
}

function filesOf(given: string): string[] {
  if (!existsSync(given) || kindOf(statSync(given)) !== 'a directory') return [given]
  return readdirSync(given)
    .filter((name) => DATA_FILE.test(name) && isData(name))
    .sort()
    .map((name) => path.join(given, name))
    .filter((file) => kindOf(statSync(file)) === 'file')
}

/**
 * Every text in the files, out of its archives and its encoding. Throws {@link UsageError} for what is none, showing
 * nothing of it.
 */
export function textsOf(files: readonly NamedBytes[]): Source[] {
  return files.flatMap((file) =>
    unpack(file).map(({ name, bytes }) => {
      const { text, encoding } = decodeText(bytes)
      if (text.trim() === '') throw new UsageError(`${name}: the file is empty; expected a header and rows`)
      if (!isText(text)) throw new UsageError(`${name}: this is not text; ${REMEDY}`)
      if (/^\s*<(?:!doctype|html|\?xml)/i.test(text))
        throw new UsageError(`${name}: this is a web page or XML, not data; fetch the file itself, ${REMEDY}`)
      return { name, text, notes: encoding === 'UTF-8' ? [] : [encoding] }
    }),
  )
}
