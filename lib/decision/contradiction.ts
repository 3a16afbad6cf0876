import type { Decision } from '../../schemas/decision.ts'

/** Longest text that may stand around an entry: more is an argument, and an argument can end elsewhere. */
export const MAX_PROSE_CHARACTERS = 200

const FAMILIES = {
  entry: 'open opens opened opening enter enters entered entering entry entries reenter trade trading',
  long: 'long longs longing buy buys buying bought kaufen comprar acheter comprare',
  short: 'short shorts shorting sell sells selling sold verkaufen vender vendre vendere',
  close:
    'close closes closed closing exit exits exited exiting flatten liquidate unwind cover schliessen cerrar fermer chiudere',
  hold: 'hold holds holding held wait waits waiting waited stay staying keep keeping sit sitting abstain halten halte warten warte abwarten mantener mantengo esperar espero espera tenir tiens attendre attends',
  // Out of the market: by closing, or by staying out of it.
  out: 'flat sideline sidelines aside',
} as const
type Family = keyof typeof FAMILIES

const FAMILY_OF: ReadonlyMap<string, Family> = new Map(
  (Object.keys(FAMILIES) as Family[]).flatMap((family) => FAMILIES[family].split(' ').map((word) => [word, family])),
)

/** `trade` alone says nothing of a direction: "my trade decision". */
const HARMLESS: ReadonlySet<string> = new Set(['trade', 'trading'])

/** Words with which a text takes back, doubts or only imagines what stands beside it. */
const DOUBTS: ReadonlySet<string> = new Set(
  'not no never cannot dont wont wouldnt shouldnt isnt doesnt but however instead although though unless drop dropped discard discarded reject rejected rejecting retract withdraw withdrawn ignore disregard scrap scrapped cancel cancelled abandon abandoned rather reconsider draft idea example hypothetical hypothetically would could might maybe perhaps avoid skip skipping pass passing against wrong mistake error actually neither nor thinking scratchpad preliminary tentative tentatively nicht kein keine nichts nein nada nunca jamais pas mai non ninguna'.split(
    ' ',
  ),
)

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replace(/['’`]/g, '')
    .match(/\p{L}+/gu) ?? []

/**
 * What speaks against reading the object beside this text as an entry, or null. Any word for an action is too much,
 * also the entry's own: "I would not go long" has no other. So is a word of doubt, and writing that is not Latin.
 */
export function objectionToEntry(prose: string): string | null {
  if (prose.length > MAX_PROSE_CHARACTERS)
    return `${prose.length} characters of text stand around the JSON object, at most ${MAX_PROSE_CHARACTERS} may`
  if (/[^\P{L}\p{Script=Latin}]/u.test(prose)) return 'the text around the JSON object cannot be judged'
  // Struck out or commented out.
  if (/~~|<!--|\/\*/.test(prose) || prose.split('\n').some((line) => line.trimStart().startsWith('//')))
    return 'the text around the JSON object takes it back'
  const word = wordsOf(prose).find((one) => DOUBTS.has(one) || (FAMILY_OF.has(one) && !HARMLESS.has(one)))
  return word === undefined ? null : `the text around the JSON object says "${word}"`
}

/** Words that make a clause a statement of what is done. */
const INTENT: ReadonlySet<string> = new Set(
  'i we ill lets decision action answer therefore instead actually will should must recommend verdict conclusion now'.split(
    ' ',
  ),
)
const NEGATIONS: ReadonlySet<string> = new Set(
  'no not never dont wont without neither nor cannot would could'.split(' '),
)

/**
 * What speaks against reading the object beside this text as a close or a hold, or null. Talk of the market is none;
 * a clause that states another action is: "I close the position" beside a hold. The last such clause counts.
 */
export function objectionToIdle(prose: string, action: 'close' | 'hold'): string | null {
  const stated = prose
    // Periods and terms are no actions.
    .replace(/\b(?:long|short)[-\s]+(?:term|run|lived|side|bias|position|squeeze|covering)\b/gi, '')
    .split(/[.!?;\n]+/)
    .filter((clause) => {
      const words = wordsOf(clause)
      return (
        words.some((word) => FAMILY_OF.has(word) && !HARMLESS.has(word)) &&
        words.some((word) => INTENT.has(word)) &&
        !words.some((word) => NEGATIONS.has(word))
      )
    })
    .at(-1)
  if (stated === undefined) return null
  const families = wordsOf(stated).flatMap((word) => FAMILY_OF.get(word) ?? [])
  if (families.includes(action) || families.includes('out')) return null
  return `the text around the JSON object says "${stated.trim().slice(0, 80)}", the object ${JSON.stringify(action satisfies Decision['action'])}`
}
