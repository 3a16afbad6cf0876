import { setImmediate } from 'node:timers/promises'
import { Parser } from 'htmlparser2'
import type { EpochMs } from '../core/time.ts'
import { readFeedDate } from './feed-date.ts'
import { FeedProblem } from './feed-problem.ts'
import { separatorOf } from './plain-text.ts'

/** What is left of a feed once only that remains which headlines are made of. */
export type Distillate = {
  /** The name of the first element; null where there is none. */
  root: string | null
  /**
   * A document of the same kind with its items' titles, links and dates, all text escaped; null for what is no feed.
   */
  xml: string | null
  /** Items in it. */
  items: number
  /** Items that were begun and not ended where they should be, as in a feed that was cut off. */
  broken: number
  /** Whether the text ends before the feed does. */
  isTorn: boolean
  /** Whether there were more items than are read. */
  isCut: boolean
  /** When the feed says that it was last made; null where it does not. */
  madeAt: EpochMs | null
  /** Readings of dates that could mean something else, each once. */
  doubts: readonly string[]
  /** The first date that could not be read. */
  unreadableDate: string | null
}

/** More are not read: what is new stands at the top, or the feed is none for reading every half hour. */
export const MAX_ITEMS = 1_000
/** Elements within elements. Article bodies have some ten; the parser looks through all open ones at each end tag. */
const MAX_DEPTH = 256
/** Titles, links and dates of one item. */
const MAX_FIELDS = 32
/** Characters of one title, link or date. */
const MAX_FIELD_LENGTH = 4_000
/** Characters between two looks at the deadline. */
const CHUNK_LENGTH = 65_536

/** First elements of feeds, without their prefix: RSS, RSS on RDF, Atom. */
const ROOTS = { rss: true, rdf: true, feed: true }

/** Fields of an item, by their names in lower case, as they are called in the distilled document. */
const FIELDS: Readonly<Record<string, string>> = {
  title: 'title',
  'dc:title': 'dc:title',
  link: 'link',
  'feedburner:origlink': 'link',
  guid: 'guid',
  id: 'id',
  pubdate: 'pubDate',
  published: 'published',
  issued: 'published',
  updated: 'updated',
  modified: 'updated',
  'dc:date': 'dc:date',
  date: 'dc:date',
  'dcterms:created': 'dc:date',
  'dcterms:issued': 'dc:date',
  'dcterms:modified': 'dc:date',
  'atom:published': 'dc:date',
  'atom:updated': 'dc:date',
  'a10:updated': 'dc:date',
}
const DATES = new Set(['pubDate', 'published', 'updated', 'dc:date'])

/** Where a feed as a whole says when it was made. */
const MADE_AT = new Set(['pubdate', 'lastbuilddate', 'updated', 'dc:date', 'modified'])

/**
 * Reads a feed's XML as browsers read HTML, forgivingly: bare ampersands, names of HTML's characters, undeclared
 * prefixes and damaged article bodies harm nobody. What is kept is written anew, so that the library that knows the
 * dialects of RSS and Atom is given a short, well-formed document and nothing that a stranger has formed: its own
 * parser loses the order of text and inline markup in a title ("SEC approve does not"), gives a feed up for one stray
 * sign, and runs expressions over article bodies whose time is quadratic.
 *
 * Time is linear in the text, whatever it holds: the tokenizer reads each character once, depth and number of items are
 * bounded. The deadline is looked at between pieces of {@link CHUNK_LENGTH}, and other work gets its turn there.
 */
export async function distilFeed(text: string, signal?: AbortSignal): Promise<Distillate> {
  const reader = new FeedReader()
  let openedAt = -1
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        reader.open(name.toLowerCase(), attributes)
        openedAt = parser.endIndex
      },
      // The parser also says "implied" of `<link/>`, whose end it tells at the very place of its beginning.
      onclosetag: (_name, isImplied) => reader.close(isImplied && parser.endIndex !== openedAt),
      ontext: (piece) => reader.text(piece),
    },
    { xmlMode: true },
  )
  for (let at = 0; at < text.length && !reader.isDone; at += CHUNK_LENGTH) {
    if (at > 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
    parser.write(text.slice(at, at + CHUNK_LENGTH))
  }
  if (!reader.isDone) parser.end()
  return reader.result()
}

type Field = { name: string; isOriginal: boolean; attributes: Record<string, string>; text: string }

class FeedReader {
  /** Names of the elements that are open, without the prefix that the root has. */
  private readonly path: string[] = []
  private rootPrefix = ''
  private root: string | null = null
  private readonly items: string[] = []
  private broken = 0
  private isTorn = false
  private hasChannel = false
  private isCut = false
  private madeAt: EpochMs | null = null
  private readonly doubts = new Set<string>()
  private unreadableDate: string | null = null

  /** The item that is open, how deep it stands, and its fields so far. */
  private item: { depth: number; fields: Field[] } | null = null
  /** The field whose text is being read, and how deep it stands. */
  private field: { depth: number; field: Field } | null = null

  get isDone(): boolean {
    return this.isCut || (this.root !== null && !Object.hasOwn(ROOTS, this.root))
  }

  open(fullName: string, attributes: Record<string, string>): void {
    if (this.isDone) return
    if (this.root === null) this.begin(fullName)
    const name = fullName.startsWith(this.rootPrefix) ? fullName.slice(this.rootPrefix.length) : fullName
    if (name === 'channel' || this.root === 'feed') this.hasChannel = true
    if (this.field !== null) this.text(separatorOf(name))
    else if (this.item !== null) this.openInItem(name, attributes)
    else if (name === 'item' || name === 'entry') this.item = { depth: this.path.length, fields: [] }
    else if (this.path.length <= 2 && MADE_AT.has(name))
      this.beginField({ name: 'made', isOriginal: false, attributes: {}, text: '' })
    this.path.push(name)
    if (this.path.length > MAX_DEPTH)
      throw new FeedProblem(
        `not a feed: elements within elements, more than ${MAX_DEPTH} deep; remove it from news.feeds`,
      )
  }

  private begin(fullName: string): void {
    const colon = fullName.indexOf(':') + 1
    const name = fullName.slice(colon)
    this.root = name
    // RDF's own prefix is that of its frame, not of its items.
    this.rootPrefix = name === 'rdf' ? 'rss:' : fullName.slice(0, colon)
  }

  private openInItem(name: string, attributes: Record<string, string>): void {
    const { depth, fields } = this.item ?? { depth: -1, fields: [] }
    const isChild = this.path.length === depth + 1 && fields.length < MAX_FIELDS
    const known = isChild && Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
    if (known !== undefined)
      this.beginField({ name: known, isOriginal: name === 'feedburner:origlink', attributes, text: '' })
  }

  private beginField(field: Field): void {
    this.field = { depth: this.path.length, field }
  }

  text(piece: string): void {
    if (this.field === null) return
    const { field } = this.field
    if (field.text.length < MAX_FIELD_LENGTH) field.text += piece.slice(0, MAX_FIELD_LENGTH - field.text.length)
  }

  /** Implied: the element's own end tag never came. */
  close(isImplied: boolean): void {
    if (this.isDone) return
    const name = this.path.pop() ?? ''
    const depth = this.path.length
    if (depth === 0) this.isTorn = isImplied
    if (this.field !== null && depth > this.field.depth) this.text(separatorOf(name))
    else if (this.field !== null && depth === this.field.depth) this.endField(isImplied)
    else if (this.item !== null && depth === this.item.depth) this.endItem(isImplied)
  }

  private endField(isImplied: boolean): void {
    const field = this.field?.field
    this.field = null
    if (field === undefined) return
    if (field.name === 'made') this.madeAt ??= readFeedDate(field.text)?.at ?? null
    else if (isImplied) this.drop()
    // Where a feed counts clicks, the article's own address comes first.
    else if (field.isOriginal) this.item?.fields.unshift(field)
    else this.item?.fields.push(field)
  }

  private endItem(isImplied: boolean): void {
    const fields = this.item?.fields
    this.item = null
    if (fields === undefined) return
    if (isImplied) {
      this.broken += 1
      return
    }
    if (this.items.length >= MAX_ITEMS) {
      this.isCut = true
      return
    }
    const tag = this.root === 'feed' ? 'entry' : 'item'
    // The library takes an item without any element for a text.
    this.items.push(`<${tag}>${fields.map((field) => this.write(field)).join('') || '<title/>'}</${tag}>`)
  }

  /** Gives an item up whose field has no end: what follows would be read as part of it. */
  private drop(): void {
    if (this.item === null) return
    this.item = null
    this.broken += 1
  }

  private write({ name, attributes, text }: Field): string {
    if (DATES.has(name)) {
      const date = readFeedDate(text)
      if (date === null) {
        this.unreadableDate ??= text.trim() === '' ? null : text.trim()
        return ''
      }
      if (date.doubt !== null) this.doubts.add(date.doubt)
      return `<${name}>${new Date(date.at).toISOString()}</${name}>`
    }
    if (name !== 'link') return `<${name}>${escape(text)}</${name}>`
    const { rel = 'alternate', href = '' } = attributes
    const address = escape((href === '' ? text : href).slice(0, MAX_FIELD_LENGTH))
    return this.root === 'feed' ? `<link rel="${escape(rel)}" href="${address}"/>` : `<link>${address}</link>`
  }

  result(): Distillate {
    const { root, items, broken, isTorn, isCut, madeAt, unreadableDate } = this
    const doubts = [...this.doubts]
    return { root, xml: this.document(), items: items.length, broken, isTorn, isCut, madeAt, doubts, unreadableDate }
  }

  private document(): string | null {
    const inside = this.items.join('')
    const isFeed = this.root !== null && Object.hasOwn(ROOTS, this.root)
    if (!isFeed || (!this.hasChannel && inside === '')) return null
    if (this.root === 'feed') return `<feed><title/>${inside}</feed>`
    if (this.root === 'rdf') return `<rdf:RDF><channel><title/></channel>${inside}</rdf:RDF>`
    return `<rss version="2.0"><channel><title/>${inside}</channel></rss>`
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as XML has it; characters that XML does not know are left out. */
const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign).replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '')
