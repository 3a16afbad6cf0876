/**
 * The doc comments of settings in a source file of schemas, by `Owner.key`, `Owner.key.key`, or `Owner[kind].key` for a
 * member of a union by `kind`. `Owner` is the constant that holds the schema. The reader goes by the indentation that
 * the formatter gives; a comment it misses leaves a setting without a meaning, which the test of the page refuses.
 */
export function readMeanings(source: string): Map<string, string> {
  const meanings = new Map<string, string>()
  const open: { key: string; indent: number }[] = []
  let owner = ''
  let kind = ''
  let comment: string[] | null = null
  let isInComment = false
  for (const line of source.split('\n')) {
    const text = line.trim()
    if (isInComment || text.startsWith('/**')) {
      if (!isInComment) comment = []
      const words = text
        .replace(/^\/?\*+\/?/, '')
        .replace(/\*\/$/, '')
        .trim()
      if (words !== '') comment?.push(words)
      isInComment = !text.endsWith('*/')
      continue
    }
    const declared = /^(?:export )?const (?<name>\w+) = /.exec(line)
    if (declared) [owner, kind, open.length] = [declared.groups?.['name'] ?? '', '', 0]
    const literal = /^\s*kind: z\.literal\('(?<kind>\w+)'\)/.exec(line)
    if (literal) kind = `[${literal.groups?.['kind']}]`
    const property = /^(?<indent> +)(?<key>\w+): /.exec(line)
    const indent = property?.groups?.['indent']?.length ?? line.length - line.trimStart().length
    if (text !== '') while (open.length > 0 && indent <= (open.at(-1)?.indent ?? 0)) open.pop()
    if (property) {
      const key = property.groups?.['key'] ?? ''
      const path = [`${owner}${kind}`, ...open.map((each) => each.key), key].join('.')
      if (comment) meanings.set(path, comment.join(' '))
      if (/: (?:z|z\.strictObject\(\{)$/.test(line)) open.push({ key, indent })
    }
    comment = null
  }
  return meanings
}
