import type { Clock } from '../core/time.ts'
import { toIso } from '../core/time.ts'
import { createRedactor, type Redact } from './redact.ts'
import type { LogFields, LogLevel, Telemetry } from './telemetry.ts'
import { toPlain, toPlainText } from './to-plain.ts'

export type TelemetryOptions = {
  /** Takes one finished line, without its end. */
  write: (line: string) => void
  clock: Clock
  /** In every line. */
  base?: LogFields
  /** Values that never come out, whatever field or error they hide in. */
  secrets?: readonly string[]
  /** The least level that is written; `info` by default. */
  level?: LogLevel
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export const isWritten = (level: LogLevel, least: LogLevel): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(least)

/** A line longer than this is cut: CloudWatch takes 256 KB, a reader far less. */
const MAX_LINE = 60_000

/**
 * One JSON object a line: time, level, message, then the fields. A field that bears one of those names gets an
 * underscore. Metrics are lines too, of level info. Never throws: a log that cannot be written costs the line.
 */
export function createJsonTelemetry({
  write,
  clock,
  base = {},
  secrets = [],
  level: least = 'info',
}: TelemetryOptions): Telemetry {
  const redact = createRedactor(secrets)
  const log: Telemetry['log'] = (level, message, fields = {}) => {
    if (!isWritten(level, least)) return
    tryWrite(write, () =>
      lineOf({ time: toIso(clock()), level, message: toPlainText(message, redact) }, { ...base, ...fields }, redact),
    )
  }
  return { log, metric: (name, value, unit) => log('info', 'metric', { metric: name, value, unit }) }
}

function lineOf(head: Record<string, unknown>, fields: LogFields, redact: Redact): string {
  const plain = toPlain(fields, redact)
  const named =
    typeof plain === 'object' && plain !== null
      ? Object.entries(plain).map(([key, value]) => [key in head ? `${key}_` : key, value] as const)
      : [['fields', plain] as const]
  const line = JSON.stringify({ ...head, ...Object.fromEntries(named) })
  if (line.length <= MAX_LINE) return line
  return JSON.stringify({ ...head, cut: `${line.length} characters`, beginning: line.slice(0, MAX_LINE / 4) })
}

/** A broken pipe or a hostile value must not stop a trade. */
export function tryWrite(write: (line: string) => void, line: () => string): void {
  try {
    write(line())
  } catch {
    // Nowhere is left to say it.
  }
}
