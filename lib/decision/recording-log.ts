import { existsSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import type { Recording } from '../../schemas/recording.ts'
import { UsageError } from '../core/invariant.ts'
import { decodeText } from '../files/decode-text.ts'
import { kindOf, readFileBytes } from '../files/read-file.ts'
import { codeOf, isTornLine, recordingLine, RecordingIndex } from './read-recordings.ts'
import { type Sleep, sleepFor } from './sleep.ts'

/** A file of recorded answers that grows. Several logs, in one process or in several, may stand on one file. */
export type RecordingLog = {
  readonly file: string
  /** The answer under a key, as far as this log has read or written the file. */
  find(key: string): Recording | undefined
  /**
   * Adds an answer and resolves when it is on the disk. Gives back what the file now holds under its key: an answer
   * that somebody else wrote in the meantime stands, and this one is let go. Rejects with the system's error when
   * the file cannot be written.
   */
  append(recording: Recording): Promise<Recording>
  /** Takes in what others have added. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export type RecordingLogOptions = {
  /** Told of a last line that was cut off, and that it was dropped. */
  readonly onNotice?: (message: string) => void
  readonly sleep?: Sleep
}

/** A line that is still being written is whole after this long; one that is not will never be. */
const WRITE_PATIENCE_MS = 100

/**
 * Opens a file of recordings to add to it, and makes it if need be; its folder must be there.
 *
 * A line is one write at the end of the file (O_APPEND) and then a sync: writers do not mix, and what was answered once
 * survives a crash. A last line that a crash cut off is overwritten with line breaks, never truncated, since
 * somebody else may append at that moment; its question is asked again. Two processes that ask the same question in
 * the same instant can still store two answers, which the next reader refuses by name.
 *
 * Throws {@link UsageError} for a file that cannot be opened, holds something else, or holds plain lines.
 */
export async function openRecordingLog(
  file: string,
  { onNotice = () => undefined, sleep = sleepFor }: RecordingLogOptions = {},
): Promise<RecordingLog> {
  const handle = await openToAppend(file)
  const log = new FileLog(file, handle, onNotice, sleep)
  try {
    await log.refresh()
    await log.endLastLine()
  } catch (error) {
    await handle.close()
    throw error
  }
  return log
}

async function openToAppend(file: string): Promise<FileHandle> {
  requireFile(file)
  try {
    const handle = await open(file, 'a+')
    await syncFolder(path.dirname(file))
    return handle
  } catch (cause) {
    throw new UsageError(
      `recordings ${JSON.stringify(file)} cannot be opened (${codeOf(cause)}): give the path of a file that may be written, in a folder that is there`,
      { cause },
    )
  }
}

/** A pipe or a device is never opened: it would be waited for. Neither is a file in two bytes a character added to. */
function requireFile(file: string): void {
  if (!existsSync(file)) return
  const label = `recordings ${JSON.stringify(file)}`
  const remedy = 'give the path of a file that may be written, in a folder that is there'
  const kind = kindOf(statSync(file))
  if (kind !== 'file') throw new UsageError(`${label}: this is ${kind}, not a file; ${remedy}`)
  const { encoding } = decodeText(readFileBytes({ file, label, remedy }).subarray(0, 1_024))
  if (encoding.startsWith('UTF-16'))
    throw new UsageError(`${label} is in ${encoding}: save it as UTF-8, or record into a file of its own`)
}

/**
 * A new file survives a crash only with its folder's entry. Systems that let no folder be opened see to that
 * themselves.
 */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null)
  try {
    await handle?.sync()
  } finally {
    await handle?.close()
  }
}

class FileLog implements RecordingLog {
  readonly file: string
  readonly #handle: FileHandle
  readonly #onNotice: (message: string) => void
  readonly #sleep: Sleep
  readonly #index: RecordingIndex
  /** Bytes read so far. */
  #offset = 0
  /** One thing at a time: what reads and writes the file waits for what was asked before. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(file: string, handle: FileHandle, onNotice: (message: string) => void, sleep: Sleep) {
    this.file = file
    this.#handle = handle
    this.#onNotice = onNotice
    this.#sleep = sleep
    this.#index = new RecordingIndex(file)
  }

  find(key: string): Recording | undefined {
    return this.#index.find(key)
  }

  refresh(): Promise<void> {
    return this.#inTurn(() => this.#readOn())
  }

  append(recording: Recording): Promise<Recording> {
    const line = Buffer.from(recordingLine(recording))
    return this.#inTurn(async () => {
      await this.#readOn()
      const earlier = this.#index.find(recording.key)
      if (earlier !== undefined) return earlier
      await this.#endLine()
      const { bytesWritten } = await this.#handle.write(line)
      if (bytesWritten < line.length)
        throw new Error(`only ${bytesWritten} of ${line.length} bytes could be written to ${this.file}`)
      await this.#handle.sync()
      await this.#readOn()
      return this.#index.find(recording.key) ?? recording
    })
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#handle.close())
  }

  endLastLine(): Promise<void> {
    return this.#inTurn(() => this.#endLine())
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  /** Reads whole lines only; what follows the last line break may still be on its way. */
  async #readOn(): Promise<void> {
    const bytes = await this.#tail()
    const end = bytes.lastIndexOf('\n') + 1
    if (end > 0) this.#take(bytes.subarray(0, end))
  }

  /** Reads the next bytes as lines; those that cannot be read are met again by whoever asks next. */
  #take(bytes: Buffer): void {
    this.#index.read(bytes.toString('utf8'))
    if (this.#index.plain.size > 0)
      throw new UsageError(
        `recordings ${this.file} holds plain {"promptHash", "raw"} lines, which say nothing of who answered: record into a file of its own`,
      )
    this.#offset += bytes.length
  }

  /**
   * Makes the file end in a line break, so that the next line stands alone: completes a whole last line, drops a torn
   * one.
   */
  async #endLine(): Promise<void> {
    for (;;) {
      const before = await this.#tail()
      if (before.length === 0 || before.at(-1) === LINE_BREAK) return
      await this.#sleep(WRITE_PATIENCE_MS, NEVER)
      const bytes = await this.#tail()
      if (bytes.length !== before.length) continue
      const start = bytes.lastIndexOf(LINE_BREAK) + 1
      const text = bytes.toString('utf8', start)
      if (!isTornLine(text)) {
        // First judged as a line: to a file that is not ours nothing is added.
        this.#take(bytes)
        await this.#handle.write('\n')
        return
      }
      await blank(this.file, this.#offset + start, bytes.length - start)
      this.#onNotice(
        `${this.file}: its last line was cut off, by a crash or a full disk; the line is dropped (${bytes.length - start} bytes) and its question will be asked again`,
      )
    }
  }

  async #tail(): Promise<Buffer> {
    const { size } = await this.#handle.stat()
    const bytes = Buffer.alloc(Math.max(0, size - this.#offset))
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, this.#offset)
    return bytes.subarray(0, bytesRead)
  }
}

const LINE_BREAK = 0x0a
const NEVER = new AbortController().signal

/** Overwrites a stretch of a file with line breaks. On a handle of its own: one that appends cannot write elsewhere. */
async function blank(file: string, from: number, length: number): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.write(Buffer.alloc(length, LINE_BREAK), 0, length, from)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
