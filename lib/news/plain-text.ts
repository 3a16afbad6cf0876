import { Parser } from 'htmlparser2'

/** Elements that stand within a word or a sentence: without their tags the text goes on. All others part words. */
const INLINE = new Set(
  `a abbr acronym b bdi bdo big blink cite code data del dfn em font i ins kbd label mark nobr q rb ruby s samp small span
  strike strong sub sup time tt u var wbr`.split(/\s/),
)

/** What stands in the place of an element's tag, opening or closing. Prefixes (`xhtml:b`) do not count. */
export const separatorOf = (element: string): '' | ' ' =>
  INLINE.has(element.slice(element.indexOf(':') + 1).toLowerCase()) ? '' : ' '

/** Tags that appear when tags are removed are removed as well, so many times; what is left then is made harmless. */
const MAX_PASSES = 3

/**
 * The words of a text that may hold markup, in their order, none lost: tags of inline elements vanish, others leave a
 * space, comments go. Signs that only look like tags ("BTC < $50k", "a<b and c>d") keep their words. Nothing that a
 * browser would take for the beginning of a tag is left. Character references are not decoded. Linear in the text.
 */
export function textOfMarkup(text: string): string {
  let plain = text
  for (let pass = 0; pass < MAX_PASSES && plain.includes('<'); pass += 1) {
    // A tag that is never closed is none, and must not take the words after it along.
    const end = plain.lastIndexOf('>') + 1
    plain = withoutTags(plain.slice(0, end)) + withoutTagStarts(plain.slice(end))
  }
  return withoutTagStarts(plain)
}

function withoutTags(text: string): string {
  const parts: string[] = []
  const parser = new Parser(
    {
      ontext: (piece) => void parts.push(piece),
      onopentag: (name, attributes) => void parts.push(separatorOf(name), ...wordsIn(name, attributes)),
      onclosetag: (name) => void parts.push(separatorOf(name)),
    },
    { decodeEntities: false, lowerCaseTags: false, lowerCaseAttributeNames: false, recognizeCDATA: true },
  )
  parser.end(text)
  return parts.join('')
}

/** "a<b and c>d" looks like a tag with two attributes that have no values; two words tell it from `<input checked>`. */
function wordsIn(name: string, attributes: Record<string, string>): string[] {
  const words = Object.entries(attributes)
  const isProse = words.length >= 2 && words.every(([, value]) => value === '')
  return isProse ? [` ${[name, ...words.map(([word]) => word)].join(' ')} `] : []
}

/** Drops each `<` that is followed by what begins a tag, from the end on, so that dropping one makes no other. */
const withoutTagStarts = (text: string): string =>
  text.includes('<')
    ? text.split('<').reduceRight((after, piece) => piece + (/^[/!?a-z]/i.test(after) ? '' : '<') + after)
    : text
