import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { PlainRecording, Recording, RecordingIdentity } from '../../schemas/recording.ts'
import type { DeciderConfig } from '../../schemas/strategy-config.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { UsageError } from '../core/invariant.ts'
import type { Decider } from './decider.ts'
import { holdBecause } from './hold-because.ts'
import { parseDecision } from './parse-decision.ts'
import { promptHashOf } from './prompt.ts'
import { readRecordings, type RecordingIndex } from './read-recordings.ts'
import { DECISION_SCHEMA_HASH, describeIdentity, publicUrl, recordingKeyOf } from './recording-key.ts'

export type RecordedConfig = Extract<DeciderConfig, { kind: 'recorded' }>

/**
 * Replays what a model once answered to the same question: same provider, model, parameters, prompt, decision schema
 * and sample. Asks nobody.
 *
 * The outcome is the recorded one, tokens and cost included, so that evidence from a replay shows what its answers
 * cost, as the run that recorded them did; nothing is paid again. Only `decider` says `recorded`, because that is who
 * decided. Of plain `{promptHash, raw}` lines the answer is parsed anew and the cost is unknown.
 *
 * A question without an answer is a hold with failure `missing_recording` that names key, prompt, identity and file: a
 * cycle must go on, a replay can fail on it. Throws {@link UsageError} for a file that cannot be read, and where
 * the file holds the answers of several and the configuration does not say whose, naming the choices.
 */
export async function createRecordedDecider(config: RecordedConfig): Promise<Decider> {
  const { index, isTorn } = readRecordings(config.file)
  const answer = chooseAnswers(index, config)
  return {
    name: 'recorded',
    asksModel: true,
    async decide({ prompt }) {
      const found = answer(promptHashOf(prompt))
      if (typeof found !== 'string') return found
      const problem = `${found}${isTorn ? '; the last line of the file is cut off and was left out' : ''}`
      return {
        decider: 'recorded',
        model: null,
        usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
        attempts: [],
        ...holdBecause('missing_recording', problem),
      }
    },
  }
}

/** Gives the outcome to a prompt, or says what is missing. */
type Answers = (promptHash: string) => DecisionOutcome | string

function chooseAnswers(index: RecordingIndex, config: RecordedConfig): Answers {
  const all = identitiesIn(index)
  const { sample } = config
  const chosen = all.filter((identity) => matches(identity, config))
  const isSelective = [config.provider, config.model, config.temperature, config.maxOutputTokens, config.baseUrl].some(
    (selector) => selector !== null,
  )
  if (all.length === 0 && (!isSelective || index.plain.size === 0))
    return (promptHash) => answerPlain(index, promptHash)
  const [identity] = chosen
  if (identity === undefined || chosen.length > 1 || (index.plain.size > 0 && !isSelective))
    throw new UsageError(describeChoice(index, all, chosen))
  const samples = samplesOf(index, identity)
  return (promptHash) => {
    const question = { ...identity, promptHash, schemaHash: DECISION_SCHEMA_HASH, sample }
    const key = recordingKeyOf(question)
    const recording = index.find(key)
    if (recording !== undefined) return { ...recording.outcome, decider: 'recorded' }
    return `no recorded answer in ${index.file} to prompt ${promptHash} by ${describeIdentity(identity)}, sample ${sample} (key ${key})${describeNeighbours(samples.get(promptHash) ?? [], sample)}`
  }
}

/** What there is for a prompt that the key did not find: another decision schema, other samples. */
function describeNeighbours(others: readonly Recording[], sample: number): string {
  const outdated = others.find((other) => other.sample === sample && other.schemaHash !== DECISION_SCHEMA_HASH)
  if (outdated !== undefined)
    return `; it was recorded with another decision schema (${outdated.schemaHash.slice(0, 12)}, now ${DECISION_SCHEMA_HASH.slice(0, 12)}): record it again`
  const samples = others.filter((other) => other.schemaHash === DECISION_SCHEMA_HASH).map((other) => other.sample)
  return samples.length === 0 ? '' : `; there are its samples ${samples.sort((a, b) => a - b).join(', ')}`
}

function samplesOf(index: RecordingIndex, identity: RecordingIdentity): Map<string, Recording[]> {
  const form = canonicalJson(identity)
  const byPrompt = new Map<string, Recording[]>()
  for (const recording of index.recordings) {
    if (canonicalJson(pickIdentity(recording)) !== form) continue
    const known = byPrompt.get(recording.promptHash)
    if (known === undefined) byPrompt.set(recording.promptHash, [recording])
    else known.push(recording)
  }
  return byPrompt
}

const pickIdentity = ({ provider, model, parameters }: RecordingIdentity): RecordingIdentity => ({
  provider,
  model,
  parameters,
})

/** The different identities of a file, in the order of their first answers. */
function identitiesIn(index: RecordingIndex): RecordingIdentity[] {
  const found = new Map<string, RecordingIdentity>()
  for (const recording of index.recordings) {
    const identity = pickIdentity(recording)
    const form = canonicalJson(identity)
    if (!found.has(form)) found.set(form, identity)
  }
  return [...found.values()]
}

function matches({ provider, model, parameters }: RecordingIdentity, config: RecordedConfig): boolean {
  const baseUrl = config.baseUrl === null || config.baseUrl === 'default' ? config.baseUrl : publicUrl(config.baseUrl)
  return (
    isChosen(config.provider, provider) &&
    isChosen(config.model, model) &&
    isChosen(config.temperature, parameters.temperature ?? 'default') &&
    isChosen(config.maxOutputTokens, parameters.maxOutputTokens) &&
    isChosen(baseUrl, parameters.baseUrl ?? 'default')
  )
}

const isChosen = <T>(selector: T | null, value: T): boolean => selector === null || selector === value

/** Identities named in a message before it says how many more there are. */
const MAX_CHOICES = 8

function describeChoice(
  index: RecordingIndex,
  all: readonly RecordingIdentity[],
  chosen: readonly RecordingIdentity[],
): string {
  const named = chosen.length > 1 ? chosen : all
  const choices = named
    .slice(0, MAX_CHOICES)
    .map(({ provider, model, parameters: { temperature, maxOutputTokens, baseUrl } }) =>
      JSON.stringify({
        provider,
        model,
        temperature: temperature ?? 'default',
        maxOutputTokens,
        baseUrl: baseUrl ?? 'default',
      }),
    )
  const more = named.length > MAX_CHOICES ? `; and ${named.length - MAX_CHOICES} more` : ''
  const plain =
    index.plain.size > 0
      ? ` It also holds ${index.plain.size} plain {"promptHash", "raw"} lines, which say nothing of who answered: keep them in a file of their own.`
      : ''
  const problem =
    chosen.length > 1
      ? `holds answers of ${chosen.length} models or settings`
      : chosen.length === 0
        ? 'holds no answers of the provider, model and settings named in decider'
        : 'holds answers of two kinds'
  return `decider.file ${index.file} ${problem}. Choose by decider.provider, model, temperature, maxOutputTokens, baseUrl: ${choices.join('; ') || 'there are none'}${more}.${plain}`
}

function answerPlain(index: RecordingIndex, promptHash: string): DecisionOutcome | string {
  const line = index.plain.get(promptHash)
  return line === undefined
    ? `no recorded answer in ${index.file} to prompt ${promptHash}${index.plain.size === 0 ? ': the file holds none' : ''}`
    : replayPlain(line)
}

function replayPlain({ raw, model }: PlainRecording): DecisionOutcome {
  const common = {
    decider: 'recorded',
    model: model ?? null,
    usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
  }
  const parsed = parseDecision(raw)
  if (!parsed.ok)
    return {
      ...common,
      ...holdBecause(parsed.kind, parsed.problem),
      attempts: [{ raw, problem: parsed.problem, note: null }],
    }
  const note = parsed.notes.length === 0 ? null : parsed.notes.join('; ')
  return { ...common, decision: parsed.decision, failure: null, attempts: [{ raw, problem: null, note }] }
}
