import { StoreError } from './item-store.ts'

/** Why an item cannot be used. */
export type ItemProblem =
  /** Its body is no JSON object. */
  | 'not_json'
  /** A newer release wrote it and says that an older one must not act on it. */
  | 'newer'
  /** It has a field, in a place that decides what is traded, that this release does not know. */
  | 'unknown_field'
  /** Something in it is missing, or of a kind that this release does not know. */
  | 'not_understood'

const BY_A_NEWER_RELEASE =
  'a newer release of Hourhand wrote it: run that release again, or a later one; nothing needs to be put right in the table'
const REMEDIES: Readonly<Record<ItemProblem, string>> = {
  not_json: 'restore it from a backup of the table, or from its point-in-time recovery',
  newer: BY_A_NEWER_RELEASE,
  unknown_field: BY_A_NEWER_RELEASE,
  not_understood:
    'if a newer release of Hourhand has run on this table, run that release again; else restore the item from a backup of the table',
}

/** What a strategy's state and its paper account are for: without them it is neither traded nor enforced. */
const DECISIVE: ReadonlySet<string> = new Set(['STATE', 'BOOK'])
const STANDSTILL =
  ' Until then this release opens, moves and closes nothing; a stop that rests at the venue stays there, and nothing else watches the position.'

/** A stored item that this release cannot use as asked. It has not been changed. */
export class UnreadableItem extends StoreError {
  readonly pk: string
  readonly sk: string
  readonly problem: ItemProblem
  readonly detail: string
  readonly remedy: string

  constructor(item: { pk: string; sk: string }, problem: ItemProblem, detail: string, options?: ErrorOptions) {
    const remedy = REMEDIES[problem]
    super(
      `the stored item ${item.pk} ${item.sk} cannot be used by this release: ${detail}. What to do: ${remedy}.${DECISIVE.has(item.sk) ? STANDSTILL : ''}`,
      options,
    )
    this.pk = item.pk
    this.sk = item.sk
    this.problem = problem
    this.detail = detail
    this.remedy = remedy
  }
}
