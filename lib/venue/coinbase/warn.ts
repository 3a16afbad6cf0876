/** Tells a person of something that was worked around. */
export type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void
