/** Words up to this long are a token in the common byte-pair vocabularies; longer ones a token or two more. */
const LETTERS_PER_TOKEN = 5
/** Those vocabularies cut numbers into groups of three digits. */
const DIGITS_PER_TOKEN = 3

/**
 * About how many tokens a model will count, meant to err on the high side: a run of digits counts a token for
 * every three begun, a run of ASCII letters one for every 5 begun, any other visible character one each, a
 * space one before a digit (elsewhere it belongs to what follows), a line break one.
 */
export function estimateTokens(text: string): number {
  let tokens = 0
  for (const [run] of text.matchAll(/\d+|[A-Za-z]+|(?<! ) +(?=\d)|\n|[^\sA-Za-z\d]/gu)) {
    if (/^\d/.test(run)) tokens += Math.ceil(run.length / DIGITS_PER_TOKEN)
    else if (/^[A-Za-z]/.test(run)) tokens += Math.ceil(run.length / LETTERS_PER_TOKEN)
    else tokens += 1
  }
  return tokens
}

/**
 * The least that the common vocabularies make of a text: as {@link estimateTokens}, but a token for a word however
 * long, and one for a run of other characters with the line break after it.
 */
export function leastTokens(text: string): number {
  let tokens = 0
  for (const [run] of text.matchAll(/\d+|[A-Za-z]+|(?<! ) +(?=\d)|[^\sA-Za-z\d]+\n*|\n+/gu))
    tokens += /^\d/.test(run) ? Math.ceil(run.length / DIGITS_PER_TOKEN) : 1
  return tokens
}
