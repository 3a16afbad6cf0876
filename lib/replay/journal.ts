import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { checkedJson } from '../files/checked-json.ts'
import { readFileText } from '../files/read-file.ts'
import { makeWritable } from '../store/make-writable.ts'
import { ReplayCheckpoint, SlotLine, Story } from '../../schemas/replay.ts'
import { Trade } from '../../schemas/trade.ts'
import type { ReplayStep } from './run-replay.ts'
import { storyOf } from './story.ts'

/** What a result directory holds of a run as it goes on: JSON Lines, one file a kind. */
const FILES = { slots: 'slots.jsonl', trades: 'trades.jsonl', stories: 'stories.jsonl' } as const
type Kind = keyof typeof FILES
const KINDS = Object.keys(FILES) as Kind[]
const CHECKPOINT = 'checkpoint.json'

/** Where a run stood, and how long its files were then: what was written after that is cut off and written again. */
const Saved = z.strictObject({
  key: z.string(),
  checkpoint: ReplayCheckpoint,
  lengths: z.strictObject({ slots: z.int(), trades: z.int(), stories: z.int() }),
})

/**
 * Which cycles' stories are kept: of those that opened or closed a position, halted or failed, or of all that were run.
 */
export type StoriesKept = 'acted' | 'all'

export type JournalOptions = {
  directory: string
  /** Names settings, data and code: only the same run is gone on with. */
  key: string
  stories: StoriesKept
  /** Slots between two checkpoints. */
  every: number
}

/** A run's memory on disk. */
export type Journal = {
  /**
   * Where an earlier, killed run of the same key got to, with what it had found out; null to begin at the beginning.
   */
  readonly resumed: { at: ReplayCheckpoint; lines: SlotLine[]; trades: Trade[] } | null
  write(step: ReplayStep): void
  /** All is done: the checkpoint goes, the files stay. */
  finish(): void
  /** Leaves everything as it is, to be gone on with; harmless after {@link finish}. */
  close(): void
}

/**
 * Opens the journal in `directory`. A run that was killed at any moment, also while it wrote, goes on from its last
 * checkpoint and leaves the same bytes as one that was not. Throws {@link UsageError} for a directory that cannot be
 * written.
 */
export function openJournal({ directory, key, stories, every }: JournalOptions): Journal {
  const pathOf = (name: string): string => path.join(directory, name)
  makeWritable(directory, '--out')
  const saved = readCheckpoint(pathOf(CHECKPOINT), key)
  const isUsable =
    saved !== null &&
    KINDS.every((kind) => existsSync(pathOf(FILES[kind])) && statSync(pathOf(FILES[kind])).size >= saved.lengths[kind])
  const descriptors = Object.fromEntries(
    KINDS.map((kind) => [kind, openSync(pathOf(FILES[kind]), isUsable ? 'r+' : 'w')]),
  ) as Record<Kind, number>
  const lengths: Record<Kind, number> = isUsable ? { ...saved.lengths } : { slots: 0, trades: 0, stories: 0 }
  for (const kind of KINDS) ftruncateSync(descriptors[kind], lengths[kind])
  const resumed = isUsable
    ? {
        at: saved.checkpoint,
        lines: readLines(pathOf(FILES.slots), SlotLine),
        trades: readLines(pathOf(FILES.trades), Trade),
      }
    : null
  if (!isUsable) rmSync(pathOf(CHECKPOINT), { force: true })

  let isOpen = true
  let sinceCheckpoint = 0
  const pending: Record<Kind, string> = { slots: '', trades: '', stories: '' }
  const flush = (): void => {
    for (const kind of KINDS) {
      const bytes = Buffer.from(pending[kind])
      pending[kind] = ''
      for (let written = 0; written < bytes.length;)
        written += writeSync(descriptors[kind], bytes, written, bytes.length - written, lengths[kind] + written)
      lengths[kind] += bytes.length
      fdatasyncSync(descriptors[kind])
    }
  }
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    for (const kind of KINDS) closeSync(descriptors[kind])
  }
  return {
    resumed,
    write(step) {
      const { line, record, trades } = step
      pending.slots += `${checkedJson(SlotLine, line, 'a slot of the replay')}\n`
      for (const trade of trades) pending.trades += `${checkedJson(Trade, trade, 'a trade of the replay')}\n`
      if (record !== null && (stories === 'all' || ACTED.has(line.outcome)))
        pending.stories += `${checkedJson(Story, storyOf(record), 'a story of the replay')}\n`
      sinceCheckpoint += 1
      // A slot that was not answered is gone on from, not over, should the run stop there.
      if (sinceCheckpoint < every || line.deciderFailure !== null) return
      sinceCheckpoint = 0
      flush()
      writeWhole(
        pathOf(CHECKPOINT),
        checkedJson(Saved, { key, checkpoint: step.checkpoint(), lengths }, 'the checkpoint of the replay'),
      )
    },
    finish() {
      flush()
      close()
      rmSync(pathOf(CHECKPOINT), { force: true })
    },
    close,
  }
}

const ACTED: ReadonlySet<SlotLine['outcome']> = new Set(['entered', 'closed', 'halted', 'failed'])

/** The stories of a finished run, oldest first. */
export const readStories = (directory: string): Story[] => readLines(path.join(directory, FILES.stories), Story)
export const readSlotLines = (directory: string): SlotLine[] => readLines(path.join(directory, FILES.slots), SlotLine)
export const readTrades = (directory: string): Trade[] => readLines(path.join(directory, FILES.trades), Trade)
/** Whether a run in `directory` was broken off and can be gone on with. */
export const isUnfinished = (directory: string): boolean => existsSync(path.join(directory, CHECKPOINT))

function readLines<T>(file: string, schema: z.ZodType<T>): T[] {
  const remedy = 'give a directory that hourhand replay --out has filled'
  const text = readFileText({ file, label: file, remedy })
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return []
    const parsed = schema.safeParse(jsonOf(line) ?? null)
    if (!parsed.success)
      throw new UsageError(
        `${file}, line ${index + 1} is not what a replay writes: ${z.prettifyError(parsed.error)}; run hourhand replay --out again`,
      )
    return [parsed.data]
  })
}

/** A checkpoint that cannot be understood, or is of another run, is none. */
function readCheckpoint(file: string, key: string): z.infer<typeof Saved> | null {
  if (!existsSync(file)) return null
  const parsed = Saved.safeParse(jsonOf(readFileSync(file, 'utf8')))
  return parsed.success && parsed.data.key === key ? parsed.data : null
}

/** The file is there as a whole or as it was before. */
function writeWhole(file: string, text: string): void {
  const draft = `${file}.draft`
  writeFileSync(draft, text, { flush: true })
  renameSync(draft, file)
}
