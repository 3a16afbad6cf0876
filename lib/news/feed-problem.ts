/** Why a feed gave nothing, in a few words for its report. */
export class FeedProblem extends Error {
  override readonly name = 'FeedProblem'
}
