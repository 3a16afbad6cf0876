/** Small builders over a stream of numbers in [0, 1): what fuzz targets make their inputs of. */
export type Random = () => number

/** A whole number in [least, most]. */
export const whole = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1))

export function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0]
}

export const chance = (random: Random, probability: number): boolean => random() < probability

export const listOf = <T>(random: Random, most: number, make: (random: Random) => T): T[] =>
  Array.from({ length: whole(random, 0, most) }, () => make(random))

/** A text with up to `most` of its pieces cut out, doubled, moved, or replaced by one of `splinters`. */
export function damage(random: Random, text: string, splinters: readonly [string, ...string[]], most = 4): string {
  let damaged = text
  for (let left = whole(random, 0, most); left > 0; left -= 1) {
    const at = whole(random, 0, damaged.length)
    const end = Math.min(damaged.length, at + whole(random, 0, chance(random, 0.1) ? damaged.length : 12))
    const piece = damaged.slice(at, end)
    const change = pick(random, ['cut', 'double', 'splinter', 'replace', 'repeat', 'end'])
    const splinter = pick(random, splinters)
    if (change === 'cut') damaged = damaged.slice(0, at) + damaged.slice(end)
    else if (change === 'double') damaged = damaged.slice(0, end) + piece + damaged.slice(end)
    else if (change === 'splinter') damaged = damaged.slice(0, at) + splinter + damaged.slice(at)
    else if (change === 'replace') damaged = damaged.slice(0, at) + splinter + damaged.slice(end)
    else if (change === 'repeat')
      damaged = damaged.slice(0, at) + splinter.repeat(whole(random, 1, 200)) + damaged.slice(at)
    else damaged = damaged.slice(0, at)
  }
  return damaged
}
