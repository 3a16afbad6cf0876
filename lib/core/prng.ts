/**
 * Pseudo-random numbers that are the same on every machine: sfc32 (Chris Doty-Humphrey's Small Fast Counter,
 * 32-bit), its four words filled by splitmix32 from a hash of the parts that name the stream.
 */
export type Prng = {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number
  /** Standard normal, by Marsaglia's polar method. */
  normal(): number
}

const UNIT = 2 ** -32

/** The stream of these parts. Different parts, different streams; equal parts, equal streams. */
export function createPrng(...parts: readonly (string | number)[]): Prng {
  const expand = splitmix32(hash32(parts.join('|')))
  // Typed arrays keep the state unboxed: closure variables would be allocated anew at every step.
  const words = new Int32Array([expand(), expand(), expand(), expand()])
  const spare = new Float64Array([Number.NaN])

  const uniform = (): number => {
    const a = words[0] ?? 0
    const b = words[1] ?? 0
    const c = words[2] ?? 0
    const counter = words[3] ?? 0
    const word = (a + b + counter) | 0
    words[0] = b ^ (b >>> 9)
    words[1] = c + (c << 3)
    words[2] = ((c << 21) | (c >>> 11)) + word
    words[3] = counter + 1
    return (word >>> 0) * UNIT
  }
  const normal = (): number => {
    const kept = spare[0] ?? Number.NaN
    if (!Number.isNaN(kept)) {
      spare[0] = Number.NaN
      return kept
    }
    for (;;) {
      const x = uniform() * 2 - 1
      const y = uniform() * 2 - 1
      const square = x * x + y * y
      if (square >= 1 || square === 0) continue
      const scale = Math.sqrt((-2 * Math.log(square)) / square)
      spare[0] = y * scale
      return x * scale
    }
  }
  // sfc32 needs a dozen rounds until its words depend on each other.
  for (let round = 0; round < 12; round += 1) uniform()
  return { uniform, normal }
}

/** Uniform in [0, 1) from the parts alone. */
export const hashUniform = (...parts: readonly (string | number)[]): number =>
  splitmix32(hash32(parts.join('|')))() * UNIT + 0.5

/** 32-bit FNV-1a of a text's UTF-16 code units, finished by {@link mix32}. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix32(hash)
}

function splitmix32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    return mix32(state)
  }
}

/** A bijection of 32-bit integers in which every input bit reaches every output bit. */
function mix32(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
