import { toIso } from '../core/time.ts'
import { isWritten, type TelemetryOptions, tryWrite } from './json-telemetry.ts'
import { createRedactor } from './redact.ts'
import type { LogLevel, Telemetry } from './telemetry.ts'
import { toPlain, toPlainText } from './to-plain.ts'

const MAX_FIELD = 160

/**
 * Short lines for a person at a terminal: `09:30:00 warn  message  key=value`. Metrics are shown at level debug. Never
 * throws.
 */
export function createTextTelemetry({
  write,
  clock,
  base = {},
  secrets = [],
  level: least = 'info',
}: TelemetryOptions): Telemetry {
  const redact = createRedactor(secrets)
  const log: Telemetry['log'] = (level, message, fields = {}) => {
    if (!isWritten(level, least)) return
    tryWrite(write, () => {
      const plain = toPlain({ ...base, ...fields }, redact) as Record<string, unknown>
      const pairs = Object.entries(plain)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${brief(value)}`)
      return [toIso(clock()).slice(11, 19), label(level), oneLine(toPlainText(message, redact)), ...pairs].join(' ')
    })
  }
  return { log, metric: (name, value, unit) => log('debug', name, { value, unit }) }
}

const label = (level: LogLevel): string => level.padEnd(5)

/** Terminals obey control characters; a log line must not command one. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')

function brief(value: unknown): string {
  const text = isErrorLike(value)
    ? `${value.name}: ${value.message}`
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)
  const line = oneLine(text)
  const short = line.length > MAX_FIELD ? `${line.slice(0, MAX_FIELD)}…` : line
  return /[\s"]/.test(short) ? JSON.stringify(short) : short
}

const isErrorLike = (value: unknown): value is { name: string; message: string } =>
  typeof value === 'object' && value !== null && 'stack' in value && 'name' in value && 'message' in value
