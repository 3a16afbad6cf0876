import type { Runtime } from './lambda.ts'

/** The real process; only entry points may make one. */
export type ProcessLike = { env: Readonly<Record<string, string | undefined>>; stdout: { write(text: string): unknown } }

/** Runtime over a process and a clock given by the entry point. */
export const runtimeOf = (process: ProcessLike, clock: Runtime['clock']): Runtime => ({
  variables: process.env,
  write: (line) => process.stdout.write(`${line}\n`),
  clock,
  sleep: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms)
    }),
})
