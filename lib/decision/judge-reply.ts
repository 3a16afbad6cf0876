import type { Prompt } from '../../schemas/cycle-record.ts'
import { type Decision, type DecisionFailure, isEntry } from '../../schemas/decision.ts'
import { leastTokens } from '../snapshot/estimate-tokens.ts'
import { finalAnswerOf } from './final-answer.ts'
import type { ModelReply } from './model-client.ts'
import { parseDecision } from './parse-decision.ts'
import { removeSecrets } from './redact.ts'

/** What comes of one exchange with a model. */
export type Judged =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly notes: readonly string[] }
  /** The model is shown its answer, without its reasoning, and what is wrong with it. */
  | { readonly kind: 'repair'; readonly failure: DecisionFailure; readonly answer: string }
  | { readonly kind: 'retry'; readonly failure: DecisionFailure; readonly retryAfterMs: number | null }
  | { readonly kind: 'final'; readonly failure: DecisionFailure }
  | { readonly kind: 'adapted'; readonly problem: string }

type Answer = Extract<ModelReply, { kind: 'answer' }>

/**
 * Whether a reply is a decision, and if not what to do next. Only a whole answer to the whole question is one. Pure.
 * The answer is read as it came; `secrets` are kept out of the words about it, before these are cut.
 */
export function judgeReply(
  reply: ModelReply,
  prompt: Pick<Prompt, 'system' | 'user'>,
  secrets: readonly string[] = [],
): Judged {
  switch (reply.kind) {
    case 'adapted':
      return { kind: 'adapted', problem: reply.problem }
    case 'failure': {
      const { failure, isTransient, retryAfterMs } = reply
      return isTransient ? { kind: 'retry', failure, retryAfterMs } : { kind: 'final', failure }
    }
    case 'answer':
      return judgeAnswer(reply, prompt, secrets)
    default:
      return reply satisfies never
  }
}

function judgeAnswer(answer: Answer, prompt: Pick<Prompt, 'system' | 'user'>, secrets: readonly string[]): Judged {
  const because = answer.note === null ? '' : `: ${answer.note}`
  switch (answer.stop) {
    case 'refusal':
      return { kind: 'final', failure: { kind: 'refusal', message: `the model refused${because}` } }
    case 'incomplete':
      return retry('incomplete', `the answer is not whole${because}`)
    case 'length':
      return repair(
        answer,
        'truncated',
        `the answer was cut off at the token limit (decider.maxOutputTokens)${because}`,
      )
    case 'rejected':
      return repair(answer, 'bad_json', `the server's own check of the JSON refused the answer${because}`)
    case 'tool':
      return repair(answer, 'empty', `there is no answer${because}`)
    case 'complete':
    case 'missing':
      return cutShort(answer, prompt) ?? readAnswer(answer, secrets)
    default:
      return answer.stop satisfies never
  }
}

function readAnswer(answer: Answer, secrets: readonly string[]): Judged {
  const text = answer.text ?? ''
  const parsed = parseDecision(text)
  const shown = removeSecrets(text, secrets)
  const said = shown === text ? parsed : parseDecision(shown)
  if (!parsed.ok) {
    const problem = said.ok ? 'the answer cannot be read' : said.problem
    const why = parsed.kind === 'empty' && answer.note !== null ? `: ${answer.note}` : ''
    return repair(answer, parsed.kind, `${problem}${why}`)
  }
  if (answer.stop === 'missing' && isEntry(parsed.decision))
    return retry('incomplete', 'the server does not say how the answer ended, so an entry in it does not count')
  const unsaid = answer.stop === 'missing' ? ['the server does not say how the answer ended'] : []
  const notes = [...(said.ok ? said.notes : []), ...unsaid, ...answer.oddities]
  return { kind: 'decided', decision: parsed.decision, notes }
}

/**
 * A server whose context is too small drops the beginning of the question without a word: rules, limits, the market. It
 * shows in its own count, far below the least that any tokenizer makes of the question. A count of 0 says nothing.
 */
function cutShort({ promptTokens }: Answer, { system, user }: Pick<Prompt, 'system' | 'user'>): Judged | null {
  if (promptTokens === null || promptTokens === 0) return null
  const least = leastTokens(system) + leastTokens(user)
  if (promptTokens >= least / 2) return null
  return retry(
    'prompt_cut',
    `the server read ${promptTokens} tokens of a question of at least ${least}: it cut the question short, so its answer does not count; give the model a larger context (with Ollama num_ctx)`,
  )
}

const retry = (kind: DecisionFailure['kind'], message: string): Judged => ({
  kind: 'retry',
  failure: { kind, message },
  retryAfterMs: null,
})

function repair({ text }: Answer, kind: DecisionFailure['kind'], message: string): Judged {
  const final = finalAnswerOf(text ?? '')
  return { kind: 'repair', failure: { kind, message }, answer: final.ok ? final.text : '' }
}
