import type { ReplayCounts } from '../../schemas/replay.ts'

const whole = (count: number): string => count.toLocaleString('en-US')
const counted = (count: number, noun: string): string => `${whole(count)} ${noun}${count === 1 ? '' : 's'}`

/** What the bars of a replay are worth, for people: it stands above the result, which can be no better. */
export function describeQuality({ quality, ambiguousBars, heldBars, ambiguousBarShare }: ReplayCounts): string[] {
  const share = ambiguousBarShare === null ? '' : ` (${(ambiguousBarShare * 100).toFixed(2)} %); the stop counted`
  const ambiguous = `${whole(ambiguousBars)} of ${whole(heldBars)} held bars touched stop and target both${share}`
  if (quality === null) return [ambiguous]
  const { expected, real, carried, missing, gaps, longestGap, duplicates, conflicts } = quality
  const longest =
    longestGap === null ? '' : `, the longest of ${counted(longestGap.bars, 'bar')} from ${longestGap.from}`
  return [
    `${counted(expected, 'bar')} expected: ${whole(real)} real, ${whole(carried)} carried (no trade, last price), ${whole(missing)} missing`,
    `${gaps === 0 ? 'no gap' : counted(gaps, 'gap')}${longest}; ${counted(duplicates, 'duplicate bar')}, ${whole(conflicts)} conflicting`,
    ambiguous,
  ]
}
