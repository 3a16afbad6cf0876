/** A decimal string with thousands separated and at most `places` digits after the point; for people only. */
export function amount(value: string | number, places = 2): string {
  const number = typeof value === 'number' ? value : Number(value)
  return number.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: places })
}

/** A fraction as a signed percentage. */
export function signedPercent(fraction: number, places = 2): string {
  return `${fraction > 0 ? '+' : ''}${(fraction * 100).toFixed(places)} %`
}

/** A fraction as a percentage, `-` for none. */
export const percent = (fraction: number | null, places = 2): string =>
  fraction === null ? '-' : `${(fraction * 100).toFixed(places)} %`

/** Columns padded to the widest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, index) => Math.max(widest[index] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/** A block with its title in a left column. */
export function section(title: string, lines: readonly string[]): string {
  return lines.map((line, index) => `${(index === 0 ? title : '').padEnd(9)} ${line}`.trimEnd()).join('\n')
}

/** Wraps text at word ends. */
export function wrap(text: string, width = 100): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** What was read and guessed of files, a line a file, with an empty line below; nothing where there was no file. */
export const readingOf = (notes: readonly string[]): string[] =>
  notes.length === 0 ? [] : [section('Read', notes), '']
