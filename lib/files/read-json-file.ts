import { parseJsonText } from './parse-json.ts'
import { readFileText } from './read-file.ts'

/** Settings are some kilobytes; what is larger is another file. */
const MAX_SETTINGS_BYTES = 10_000_000

/**
 * The value of a JSON file that an option names, in any usual encoding.
 * Throws UsageError naming the option, the file, the place and the remedy.
 */
export function readJsonFile(file: string, option: string): unknown {
  const label = `${option} ${file}`
  return parseJsonText(
    readFileText({ file, label, remedy: 'give the path of a JSON file', maxBytes: MAX_SETTINGS_BYTES }),
    label,
  )
}
