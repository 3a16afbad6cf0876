import { PlainRecording, Recording } from '../../schemas/recording.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { UsageError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { decodeText } from '../files/decode-text.ts'
import { readFileBytes } from '../files/read-file.ts'
import { recordingKeyOf } from './recording-key.ts'

/** How each of our lines begins; what is left of one that was cut off begins so too. */
const LINE_START = '{"schemaVersion":1,"key":"'

/** One recording as a line of text, its line break included. Members stand in the schema's order, the key up front. */
export const recordingLine = (recording: Recording): string => `${JSON.stringify(Recording.parse(recording))}\n`

/**
 * Whether a text is the beginning of one of our lines and no more: all that reached the disk when a recording was
 * killed. A file system may pad it with zero bytes.
 */
export function isTornLine(text: string): boolean {
  const written = text.replace(/(?<!\0)\0+$/, '')
  return (
    text !== '' && (LINE_START.startsWith(written) || written.startsWith(LINE_START)) && jsonOf(written) === undefined
  )
}

/** The answers of one file, line by line. */
export class RecordingIndex {
  readonly file: string
  readonly #recordings = new Map<string, { recording: Recording; line: number }>()
  readonly #plain = new Map<string, PlainRecording>()
  /** Line breaks read so far. */
  #breaks = 0

  constructor(file: string) {
    this.file = file
  }

  get recordings(): Recording[] {
    return [...this.#recordings.values()].map(({ recording }) => recording)
  }

  /** Plain lines by prompt hash. */
  get plain(): ReadonlyMap<string, PlainRecording> {
    return this.#plain
  }

  find(key: string): Recording | undefined {
    return this.#recordings.get(key)?.recording
  }

  /**
   * Takes in the text that follows what was read before. Throws {@link UsageError} naming file and line for one that
   * is neither form, for a key that does not belong to its line, and for a second, different answer: a replay could
   * not tell which was meant.
   */
  read(text: string): void {
    const lines = (this.#breaks === 0 ? text.replace(/^\uFEFF/, '') : text).split('\n')
    for (const [index, line] of lines.entries()) if (line.trim() !== '') this.#add(line, this.#breaks + index + 1)
    this.#breaks += lines.length - 1
  }

  #add(text: string, line: number): void {
    const refuse = (problem: string): UsageError => new UsageError(`${this.file}, line ${line}: ${problem}`)
    const value = parseJson(text, refuse)
    if (typeof value !== 'object' || value === null || 'raw' in value || !('outcome' in value)) {
      const parsed = PlainRecording.safeParse(value)
      if (!parsed.success)
        throw refuse(`expected a recording or {"promptHash": text, "raw": text}: ${describe(parsed.error)}`)
      const known = this.#plain.get(parsed.data.promptHash)
      if (known !== undefined && known.raw !== parsed.data.raw)
        throw refuse(`a second, different answer to prompt ${parsed.data.promptHash}; keep one of them`)
      this.#plain.set(parsed.data.promptHash, parsed.data)
      return
    }
    const parsed = Recording.safeParse(value)
    if (!parsed.success) throw refuse(`expected a recording of schemaVersion 1: ${describe(parsed.error)}`)
    const recording = parsed.data
    if (recordingKeyOf(recording) !== recording.key)
      throw refuse(
        `the key ${recording.key} is not that of the line's question: it was changed by hand; delete the line and record it again`,
      )
    const known = this.#recordings.get(recording.key)
    if (known === undefined) this.#recordings.set(recording.key, { recording, line })
    else if (canonicalJson(known.recording.outcome) !== canonicalJson(recording.outcome))
      throw refuse(`a second, different answer under the key ${recording.key} of line ${known.line}; keep one of them`)
  }
}

const describe = (error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string =>
  error.issues.map(({ path, message }) => `${path.join('.') || 'line'}: ${message}`).join('; ')

function parseJson(line: string, refuse: (problem: string) => UsageError): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw refuse(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** What a file of recordings holds; `isTorn` when its last line was cut off, which is then left out. */
export type ReadRecordings = { readonly index: RecordingIndex; readonly isTorn: boolean }

/** Reads a whole file of recordings. Throws {@link UsageError} naming file, line and remedy. */
export function readRecordings(file: string): ReadRecordings {
  const bytes = readFileBytes({
    file,
    label: `decider.file ${JSON.stringify(file)}`,
    remedy: 'give the path of a file of recorded answers (JSON Lines)',
  })
  // A crash may have cut a character in two: that must not make another encoding of all the rest.
  const { text } = decodeText(bytes, 'UTF-8')
  const index = new RecordingIndex(file)
  const start = text.lastIndexOf('\n') + 1
  const isTorn = isTornLine(text.slice(start))
  index.read(isTorn ? text.slice(0, start) : text)
  return { index, isTorn }
}

/** The system's name for an error of a file, such as ENOENT. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)
