/**
 * Texts that make a regular expression work hard, derived from the expression itself: every repetition in it is
 * repeated, with and without what stands before it, and ended by something that does not match. Expressions whose time
 * grows faster than their text (nested, adjacent or overlapping repetitions) give themselves away on one of them.
 */
export type Attack = { before: string; piece: string; after: string; isLong?: boolean }

export const textOf = ({ before, piece, after }: Attack, length: number): string =>
  before + piece.repeat(Math.max(1, Math.ceil(length / piece.length))) + after

/** One part of a sequence: its source, a few texts it matches, and whether it may repeat without an end. */
type Term = { samples: readonly string[]; repeats: boolean; inner: readonly Term[][] }

const CHARACTERS = [
  ...'a0 -.,:;_/\\<>"\'&#=+*?!()[]{}|$€@%~^`A'.split(''),
  ...'\n\t\r\u0000\u0001\u00a0é\u0301\u200b−’—Zz9Fx'.split(''),
]
const TAILS = ['', '\u0000', '!', '\n', 'a', ' ', '0']
/** Per expression; the first are the most telling. */
const MAX_ATTACKS = 60

export function attacksOn({ source, flags }: RegExp): Attack[] {
  const reader = new PatternReader(source, flags.replaceAll(/[gy]/g, ''))
  const attacks: Attack[] = []
  const visit = (sequence: readonly Term[], before: string): void => {
    let prefix = before
    for (const { samples, repeats, inner } of sequence) {
      if (repeats && prefix !== '') attacks.push({ before: '', piece: prefix, after: '', isLong: true })
      if (repeats)
        for (const piece of samples.filter((sample) => sample !== '').slice(0, 3)) {
          for (const after of TAILS) attacks.push({ before: prefix, piece, after })
          attacks.push({ before: '', piece: prefix + piece, after: '\u0000' }, { before: '', piece, after: '' })
        }
      for (const alternative of inner) visit(alternative, prefix)
      prefix += samples[0] ?? ''
    }
  }
  const alternatives = reader.alternatives()
  for (const sequence of alternatives) visit(sequence, '')
  for (const sequence of alternatives) {
    const whole = sequence.map(({ samples }) => samples[0] ?? '').join('')
    if (whole !== '')
      attacks.push({ before: '', piece: whole, after: '' }, { before: '', piece: whole, after: '\u0000' })
    if (whole.length > 1) attacks.push({ before: '', piece: whole.slice(0, -1), after: '' })
  }
  for (const piece of [' ', '\n', 'a', '0', '<', 'a ', 'a.', '0,']) attacks.push({ before: '', piece, after: '\u0000' })
  const unique = new Map(attacks.map((attack) => [JSON.stringify(attack), attack]))
  return [...unique.values()].slice(0, MAX_ATTACKS)
}

/** Reads as much of the syntax of regular expressions as it takes to know repetitions and what they match. */
class PatternReader {
  private at = 0
  private readonly source: string
  private readonly flags: string

  constructor(source: string, flags: string) {
    this.source = source
    this.flags = flags
  }

  alternatives(): Term[][] {
    const found: Term[][] = [[]]
    for (;;) {
      const sign = this.source[this.at]
      if (sign === undefined || sign === ')') return found
      if (sign === '|') {
        this.at += 1
        found.push([])
      } else found.at(-1)?.push(this.term())
    }
  }

  private term(): Term {
    const { samples, inner } = this.atom()
    const quantifier = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.at))
    if (quantifier === null) return { samples, repeats: false, inner }
    this.at += quantifier[0].length
    const [text, least, comma, most] = quantifier
    const isOpen = /^[*+]/.test(text) || (comma === ',' && (most === '' || Number(most) >= 10)) || Number(least) >= 10
    // A sample that the least count of repetitions allows.
    const count = Math.max(1, Number(least ?? 1))
    return { samples: samples.map((sample) => sample.repeat(count)), repeats: isOpen, inner }
  }

  private atom(): Omit<Term, 'repeats'> {
    const { source } = this
    if (source[this.at] === '(') return this.group()
    const start = this.at
    if (source[this.at] === '[') this.skipClass()
    else if (source[this.at] === '\\')
      this.at +=
        /^\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-f]{4}|x[\da-f]{2}|k<[^>]*>|c[A-Z]|.)/is.exec(source.slice(this.at))?.[0]
          .length ?? 2
    else this.at += (source.codePointAt(this.at) ?? 0) > 0xffff && /[uv]/.test(this.flags) ? 2 : 1
    return { samples: this.matching(source.slice(start, this.at)), inner: [] }
  }

  private group(): Omit<Term, 'repeats'> {
    const opening = /^\((?:\?(?:<?[=!]|:|<[^>]*>))?/.exec(this.source.slice(this.at))?.[0] ?? '('
    this.at += opening.length
    const inner = this.alternatives()
    this.at += 1
    if (/[=!]$/.test(opening)) return { samples: [''], inner }
    return { samples: inner.map((sequence) => sequence.map(({ samples }) => samples[0] ?? '').join('')), inner }
  }

  private skipClass(): void {
    this.at += 1
    while (this.at < this.source.length && this.source[this.at] !== ']')
      this.at += this.source[this.at] === '\\' ? 2 : 1
    this.at += 1
  }

  /** Characters that an atom matches, at most four of them; '' for anchors and what refers back. */
  private matching(atom: string): string[] {
    if (/^(?:[\^$]|\\[bB]|\\k<.*>|\\[1-9])$/.test(atom)) return ['']
    const one = new RegExp(`^(?:${atom})$`, this.flags)
    const known = [...CHARACTERS, atom].filter((sign) => one.test(sign))
    return known.length === 0 ? [''] : known.slice(0, 4)
  }
}
