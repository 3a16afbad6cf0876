/** What a model answered, apart from what it weighed before; or why there is no answer. */
export type FinalAnswer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly kind: 'empty' | 'truncated'; readonly problem: string }

/** Anything that looks like a tag or a special token, in any of the brackets that models use. */
const TAG = /(?:<|&lt;|＜|◁|\[)([^<>＜＞◁▷[\]\n]{1,200}?)(?:>|&gt;|＞|▷|\])/g

/** Parts of a tag's name that say that reasoning stands in it. */
const REASONING: ReadonlySet<string> = new Set(
  'think thinking thinks thought thoughts reason reasoning analysis analyse analyze reflect reflection scratchpad cot monologue deliberation planning plan draft commentary unused94 unused95 inner_prefix inner_suffix'.split(
    ' ',
  ),
)

/** Tags that hold the answer itself, or that only format it. */
const NO_REASONING: ReadonlySet<string> = new Set(
  'answer final final_answer output response result solution json decision br p b i em strong code pre div span s'.split(
    ' ',
  ),
)

/** Special tokens with which a turn ends, where a server leaves them in the text. */
const END_TOKEN =
  /<\|(?:return|end|im_end|eot_id|eom_id|endoftext|END_RESPONSE|end_of_turn)\|>$|<｜end▁of▁sentence｜>$|<\/s>$|<end_of_turn>$|<eos>$/i

/** The last channel of gpt-oss, up to where its text begins. */
const FINAL_CHANNEL = /^\s*final\b[^<]{0,40}(?:<\|constrain\|>[^<]{0,40})?(?:<\|message\|>)?/i

/** The same where a server has dropped the special tokens: `analysis...assistantfinal...`. */
const BARE_FINAL_CHANNEL = /assistant\s{0,4}final(?=\W|json|$)(?:\s{0,4}json(?=\s|\{))?/gi

/**
 * A first channel without its special tokens (`analysisWe need`), and the line with which command lines of local
 * servers begin.
 */
const BARE_OPENING = /^\s*((?:analysis|commentary)(?=[A-Z{"]|\s*\n|\s+to=)|(?:Thinking|thinking)(?:\.\.\.|…))/
const DONE_THINKING = /(?:\.\.\.|…) ?done thinking\.?/gi

/**
 * Cuts reasoning off a model's text, in whatever spelling it comes. The answer is what follows the last end of
 * reasoning, whether or not its beginning is in the text (chat templates often write the beginning into the prompt).
 * Reasoning that begins and does not end leaves no answer. Linear in the text.
 */
export function finalAnswerOf(raw: string): FinalAnswer {
  const { answerStart, openedBy } = lookForReasoning(raw)
  if (openedBy !== null)
    return {
      ok: false,
      kind: 'truncated',
      problem: `the reasoning that begins with ${openedBy} never ends, so there is no answer; give the answer alone`,
    }
  const text = withoutEndTokens(raw.slice(answerStart))
  if (text === '' && answerStart > 0)
    return { ok: false, kind: 'empty', problem: 'there is only reasoning, and no answer after it' }
  return { ok: true, text }
}

/** Whether tags of reasoning stand in the text, wherever. */
export function hasReasoning(text: string): boolean {
  const { answerStart, openedBy } = lookForReasoning(text)
  return answerStart > 0 || openedBy !== null
}

function lookForReasoning(raw: string): { answerStart: number; openedBy: string | null } {
  let answerStart = 0
  let openedBy: string | null = null
  const end = (at: number): void => {
    if (at < answerStart) return
    answerStart = at
    openedBy = null
  }
  openedBy = BARE_OPENING.exec(raw)?.[1] ?? null
  if (/^\s*(?:analysis|commentary)/i.test(raw))
    for (const match of raw.matchAll(BARE_FINAL_CHANNEL)) end(match.index + match[0].length)
  for (const match of raw.matchAll(DONE_THINKING)) end(match.index + match[0].length)
  for (const match of raw.matchAll(TAG)) {
    const after = match.index + match[0].length
    if (match.index < answerStart) continue
    const meaning = meaningOf(match[0], match[1] ?? '', raw, after)
    if (meaning === 'opens') openedBy ??= match[0]
    else if (meaning !== null) end(meaning.answerStart)
  }
  return { answerStart, openedBy }
}

type Meaning = 'opens' | { readonly answerStart: number } | null

function meaningOf(whole: string, inside: string, raw: string, after: number): Meaning {
  // DeepSeek writes its special tokens with characters of another width.
  const token = inside.toLowerCase().replaceAll('｜', '|').replaceAll('▁', '_')
  const isSquare = whole.startsWith('[')
  const core = token.replaceAll('|', '').trim()
  const name = /^\/?\s*([a-z][\w:.-]{0,60})/.exec(core)?.[1]
  if (name === undefined) return null
  if (name === 'channel' && !isSquare && token.includes('|')) return meaningOfChannel(token, raw, after)
  const isReasoning = name.split(/[_:.-]/).some((part) => REASONING.has(part)) || REASONING.has(name)
  // Square brackets and a blank after the bracket are prose, unless there is nothing but the name.
  const isBare = core.replace(/^\/?\s*/, '') === name
  if ((isSquare || /^\s/.test(inside)) && !(isReasoning && isBare)) return null
  const isEnd = core.startsWith('/') || core.endsWith('/') || /^end[_-]/.test(name) || ENDS.has(name)
  if (isReasoning) return isEnd ? { answerStart: after } : 'opens'
  // A tag of an unknown name that ends is read as one more spelling: what stood in it is not the answer.
  return isEnd && core.startsWith('/') && !token.includes('|') && !NO_REASONING.has(name)
    ? { answerStart: after }
    : null
}

/** Tokens that end reasoning and do not look like it. */
const ENDS: ReadonlySet<string> = new Set(['unused95', 'inner_suffix'])

/**
 * `<|channel|>analysis<|message|>`, `<|channel|>final<|message|>`, and Gemma's `<|channel>thought` ... `<channel|>`.
 */
function meaningOfChannel(token: string, raw: string, after: number): Meaning {
  if (!token.startsWith('|')) return { answerStart: after }
  const final = FINAL_CHANNEL.exec(raw.slice(after, after + 200))
  return final === null ? 'opens' : { answerStart: after + final[0].length }
}

function withoutEndTokens(text: string): string {
  let rest = text.trim()
  for (;;) {
    const token = END_TOKEN.exec(rest.slice(-30))?.[0]
    if (token === undefined) return rest
    rest = rest.slice(0, -token.length).trimEnd()
  }
}
