/**
 * Agreement of several raters over the same slots: deciders, models, prompts, or repeated samples of one. Every figure
 * is over the slots at which all of them answered. null stands for what has no value: no such slot, fewer than two
 * raters.
 */
export type Agreement = {
  readonly raters: number
  readonly slots: number
  /** Slots at which every rater answered. */
  readonly compared: number
  /** Share of slots with the same answer, for each pair of raters by index, first below second. */
  readonly pairs: readonly { readonly first: number; readonly second: number; readonly share: number | null }[]
  /** Mean over the pairs: the chance that two raters drawn at random agree at a slot drawn at random. */
  readonly meanShare: number | null
  /** Share of slots at which all agree. */
  readonly unanimousShare: number | null
  /** Chance-corrected, see {@link fleissKappa}; also null where only one answer was ever given. */
  readonly kappa: number | null
  /** For every slot; null where nobody answered. */
  readonly modes: readonly (Mode | null)[]
}

/** The most frequent answer at a slot, and its share of the answers given there. */
export type Mode = { readonly answer: string; readonly share: number; readonly isTied: boolean }

/**
 * Compares what raters said at the same slots. `answers[rater][slot]` is a word such as an action; null where that
 * rater has no answer. Throws RangeError where the raters' lists differ in length.
 */
export function agreementOf(answers: readonly (readonly (string | null)[])[]): Agreement {
  const raters = answers.length
  const slots = answers[0]?.length ?? 0
  if (answers.some((own) => own.length !== slots))
    throw new RangeError(
      `raters answered at different numbers of slots: ${answers.map((own) => own.length).join(', ')}`,
    )
  const bySlot = Array.from({ length: slots }, (_, slot) => answers.map((own) => own[slot] ?? null))
  const complete = bySlot.filter((given): given is string[] => given.every((answer) => answer !== null))
  const pairs = answers.flatMap((_, first) =>
    answers.slice(first + 1).map((_other, offset) => ({
      first,
      second: first + 1 + offset,
      share: shareOf(complete, (given) => given[first] === given[first + 1 + offset]),
    })),
  )
  const categories = [...new Set(complete.flat())]
  return {
    raters,
    slots,
    compared: complete.length,
    pairs,
    meanShare:
      raters < 2 || complete.length === 0
        ? null
        : pairs.reduce((total, { share }) => total + (share ?? 0), 0) / pairs.length,
    unanimousShare: raters < 2 ? null : shareOf(complete, (given) => given.every((answer) => answer === given[0])),
    kappa: fleissKappa(
      complete.map((given) => categories.map((category) => given.filter((answer) => answer === category).length)),
    ),
    modes: bySlot.map((given) => modeOf(given)),
  }
}

const shareOf = <T>(all: readonly T[], isSo: (one: T) => boolean): number | null =>
  all.length === 0 ? null : all.filter(isSo).length / all.length

/** The most frequent answer; of equally frequent ones the first by alphabet, marked as tied. null without an answer. */
export function modeOf(answers: readonly (string | null)[]): Mode | null {
  const counts = new Map<string, number>()
  for (const answer of answers) if (answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const [first, ...others] = [...counts]
    .filter(([, count]) => count === most)
    .map(([answer]) => answer)
    .sort()
  if (first === undefined) return null
  return {
    answer: first,
    share: most / [...counts.values()].reduce((total, count) => total + count, 0),
    isTied: others.length > 0,
  }
}

/**
 * Fleiss' kappa: agreement of n raters over N subjects beyond what chance would give, for `counts[subject][category]`
 * raters. With n_ij those counts and p_j the share of category j among all N n ratings,
 *
 *   P_i = (sum_j n_ij^2 - n) / (n (n - 1)),  P = mean of P_i,  P_e = sum_j p_j^2,  kappa = (P - P_e) / (1 - P_e).
 *
 * 1 is perfect agreement, 0 what independent raters with these shares would show, negative less than that. null without
 * subjects, with fewer than two raters, and where all ratings are of one category (0/0: P_e is 1). Throws RangeError
 * unless every subject has the same number of ratings.
 *
 * J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971), 378-382.
 */
export function fleissKappa(counts: readonly (readonly number[])[]): number | null {
  const ratings = sum(counts[0] ?? [])
  if (counts.some((row) => sum(row) !== ratings)) throw new RangeError('every subject needs the same number of ratings')
  if (ratings < 2) return null
  const observed =
    sum(counts.map((row) => (sum(row.map((count) => count ** 2)) - ratings) / (ratings * (ratings - 1)))) /
    counts.length
  const totals = Array.from({ length: Math.max(...counts.map((row) => row.length)) }, (_, category) =>
    sum(counts.map((row) => row[category] ?? 0)),
  )
  // Counts are whole, so this is exact where a share of all ratings is not.
  if (totals.filter((total) => total > 0).length < 2) return null
  const expected = sum(totals.map((total) => (total / (counts.length * ratings)) ** 2))
  return (observed - expected) / (1 - expected)
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
