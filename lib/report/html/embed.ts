import { createHash } from 'node:crypto'
import { invariant } from '../../core/invariant.ts'

/** Text as the content or a quoted attribute of an element. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

/**
 * JSON that cannot end the element it stands in, whatever strings are in it: no `<`, no line separators of old scripts.
 */
export const embedJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A block of data: it is never run, only read. `content` must be {@link embedJson} or base64. */
export function dataElement(id: string, type: 'application/json' | 'text/plain', content: string): string {
  invariant(!content.includes('<'), `the data of ${id} could end its element`)
  return `<script type="${type}" id="${id}">${content}</script>`
}

/**
 * Our own code or style, with the source expression that lets exactly these bytes through the content security policy.
 */
export function inlineElement(tag: 'script' | 'style', content: string): { element: string; source: string } {
  invariant(!new RegExp(`</${tag}|<!--`, 'i').test(content), `this ${tag} could end its element`)
  return {
    element: `<${tag}>${content}</${tag}>`,
    source: `'sha256-${createHash('sha256').update(content, 'utf8').digest('base64')}'`,
  }
}
