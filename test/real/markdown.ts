/** Numbers and tables as the pages under docs/ show them: a true minus sign, an en dash where there is no value. */

export function percent(value: number | null, places = 1): string {
  return value === null ? '–' : `${number(value * 100, places, true)} %`
}

export function number(value: number | string | null, places = 0, isSigned = false): string {
  if (value === null) return '–'
  const text = Math.abs(Number(value)).toLocaleString('en-US', {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  })
  const isZero = Number(text.replaceAll(',', '')) === 0
  return `${isZero ? '' : Number(value) < 0 ? '−' : isSigned ? '+' : ''}${text}`
}

/** A share without a sign. */
export const share = (value: number | null, places = 0): string =>
  value === null ? '–' : `${number(value * 100, places)} %`

/** The first column to the left, all others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
