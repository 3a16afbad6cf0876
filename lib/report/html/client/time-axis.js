/** @typedef {import('./data.js').Series} Series */

/**
 * Where instants lie on the chart's time axis, which has one place for each time that any series has a point at,
 * whatever lies between them.
 *
 * @param {Pick<Series, 'bars' | 'equity'>} series
 */
export function createTimeAxis({ bars, equity }) {
  const times = [...new Set([...bars.time, ...equity.time])].sort((a, b) => a - b)
  return {
    times,
    /**
     * Place of the last point at or before an instant; the first one before all.
     *
     * @param {number} seconds
     */
    placeOf(seconds) {
      let low = 0
      let high = times.length - 1
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        if ((times[middle] ?? 0) <= seconds) low = middle
        else high = middle - 1
      }
      return Math.max(0, low)
    },
  }
}

/** @param {string} instant ISO 8601 */
export const secondsOf = (instant) => Date.parse(instant) / 1000
