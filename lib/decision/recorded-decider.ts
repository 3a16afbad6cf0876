import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import { UsageError } from '../core/invariant.ts'
import type { Decider } from './decider.ts'
import { holdBecause } from './hold-because.ts'
import { parseDecision } from './parse-decision.ts'

/** One line of a recording; other keys are theirs. */
const Recording = z.looseObject({
  promptHash: z.string().min(1),
  raw: z.string(),
  /** Who answered, where the recording says so. */
  model: z.string().nullish().catch(null),
})
type Recording = z.infer<typeof Recording>

/**
 * Replays what a model once answered, found by the prompt's hash. Throws {@link UsageError} naming file and line for
 * a recording that cannot be read.
 */
export async function createRecordedDecider(file: string): Promise<Decider> {
  const recordings = parseRecordings(await readText(file), file)
  return {
    name: 'recorded',
    asksModel: true,
    async decide({ prompt }) {
      return replay(recordings.get(prompt.hash), prompt.hash, file)
    },
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new UsageError(`decider.file ${JSON.stringify(file)} cannot be read (${code}): give the path of a JSON Lines file of {"promptHash", "raw"}`, { cause })
  }
}

/** Answers by prompt hash. Two different answers to one prompt are an error: a replay could not tell which was meant. */
export function parseRecordings(text: string, file: string): Map<string, Recording> {
  const recordings = new Map<string, Recording>()
  for (const [index, line] of text.replace(/^\uFEFF/, '').split('\n').entries()) {
    if (line.trim() === '') continue
    const refuse = (problem: string): UsageError => new UsageError(`decider.file ${file}, line ${index + 1}: ${problem}`)
    const parsed = Recording.safeParse(parseJson(line, refuse))
    if (!parsed.success) throw refuse(`expected {"promptHash": text, "raw": text}: ${parsed.error.issues.map((issue) => `${issue.path.join('.') || 'line'}: ${issue.message}`).join('; ')}`)
    const known = recordings.get(parsed.data.promptHash)
    if (known !== undefined && known.raw !== parsed.data.raw) throw refuse(`a second, different answer to prompt ${parsed.data.promptHash}; keep one of them`)
    recordings.set(parsed.data.promptHash, parsed.data)
  }
  return recordings
}

function parseJson(line: string, refuse: (problem: string) => UsageError): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw refuse(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Costs nothing: the answer was paid for when it was recorded. */
function replay(recording: Recording | undefined, hash: string, file: string): DecisionOutcome {
  const common = { decider: 'recorded', model: recording?.model ?? null, usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 } }
  if (recording === undefined) {
    const message = `no recorded answer to prompt ${hash} in ${file}`
    return { ...common, ...holdBecause('missing_recording', message), attempts: [] }
  }
  const parsed = parseDecision(recording.raw)
  if (parsed.ok) return { ...common, decision: parsed.decision, failure: null, attempts: [{ raw: recording.raw, problem: null }] }
  return { ...common, ...holdBecause(parsed.kind, parsed.problem), attempts: [{ raw: recording.raw, problem: parsed.problem }] }
}
