const ROOT_TWO_PI = Math.sqrt(2 * Math.PI)

/** From here outwards the continued fraction: it converges fast there, and keeps the relative precision of a tail. */
const TAIL = 2
const FRACTION_TERMS = 200

/** Density of the standard normal distribution. */
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / ROOT_TWO_PI

/**
 * Φ(x), the standard normal distribution function, to 3e-14 of its value down to x = -30, and 3e-16 in all.
 *
 * Middle: Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + …). Tails: 1 - Φ(x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))).
 * Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.2.11 and 26.2.14.
 */
export function normalCdf(x: number): number {
  if (x < -TAIL) return upperTail(-x)
  if (x > TAIL) return 1 - upperTail(x)
  let term = x
  let total = x
  for (let odd = 3; Math.abs(term) > Number.EPSILON * Math.abs(total); odd += 2) {
    term *= (x * x) / odd
    total += term
  }
  return 0.5 + normalDensity(x) * total
}

function upperTail(x: number): number {
  let fraction = x
  for (let term = FRACTION_TERMS; term > 0; term -= 1) fraction = x + term / fraction
  return normalDensity(x) / fraction
}

/**
 * The x with Φ(x) = p, to 5e-15; ∓Infinity at 0 and 1, NaN outside.
 *
 * Starts from Abramowitz and Stegun 26.2.23, which is within 4.5e-4, and takes three of Halley's steps with
 * {@link normalCdf}; each triples the number of right digits.
 */
export function normalQuantile(p: number): number {
  // Exact for p >= 1/2, and the lower half is where small p keep their digits.
  if (p > 0.5) return -normalQuantile(1 - p)
  if (p === 0) return Number.NEGATIVE_INFINITY
  const t = Math.sqrt(-2 * Math.log(p))
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
  for (let step = 0; step < 3; step += 1) {
    const newton = (normalCdf(x) - p) / normalDensity(x)
    x -= newton / (1 + (x * newton) / 2)
  }
  return x
}
