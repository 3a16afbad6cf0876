import { decodeHTMLAttribute } from 'entities'
import { textOfMarkup } from './plain-text.ts'

/** Longer raw titles are not headlines; their beginning is. Bounds the work on hostile ones. */
const MAX_RAW_LENGTH = 4_000

/**
 * A headline as plain text on one line, at most `maxLength` code points; '' when nothing is left.
 *
 * Character references are decoded, also when a publisher encoded them twice; all names of HTML are known, and as in an
 * attribute one without a semicolon counts only where no letter follows it. Then markup goes and its words stay
 * ({@link textOfMarkup}). What is invisible goes: controls, zero-width and direction marks, tag characters, variation
 * selectors, private and unassigned code points, and heaps of combining marks. White space collapses. A title that is
 * cut ends in an ellipsis, which counts.
 *
 * It says nothing about what the words mean: a title remains untrusted text.
 */
export function cleanTitle(raw: string, maxLength: number): string {
  const decoded = decodeHTMLAttribute(decodeHTMLAttribute(raw.slice(0, MAX_RAW_LENGTH)))
  const visible = decoded
    .normalize('NFC')
    .replace(/[\t\n\r\f\v\u{85}]/gu, ' ')
    .replace(INVISIBLE, '')
    .replace(MARK_HEAP, '$1')
  const text = textOfMarkup(visible).replace(/\s+/gu, ' ').trim()
  return truncate(text, maxLength)
}

/** Controls, surrogates, private use, unassigned, format, and what renders as nothing (blank Braille among it). */
const INVISIBLE = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Cf}\p{Default_Ignorable_Code_Point}\u{2800}]/gu

const MARK_HEAP = /(\p{M}{3})\p{M}+/gu

function truncate(text: string, maxLength: number): string {
  const characters = [...text]
  if (characters.length <= maxLength) return text
  return `${characters
    .slice(0, maxLength - 1)
    .join('')
    .trimEnd()}…`
}
