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

/** A stored item that this release cannot use as asked. It has not been changed. */
export class UnreadableItem extends StoreError {
  readonly pk: string
  readonly sk: string
  readonly problem: ItemProblem
  readonly detail: string

  constructor(item: { pk: string; sk: string }, problem: ItemProblem, detail: string, options?: ErrorOptions) {
    super(
      `the stored item ${item.pk} ${item.sk} cannot be used by this release: ${detail}; ${REMEDIES[problem]}`,
      options,
    )
    this.pk = item.pk
    this.sk = item.sk
    this.problem = problem
    this.detail = detail
  }
}
