import type { Runtime } from './lambda.ts'

/** The real process; only entry points may make one. */
export type ProcessLike = {
  env: Readonly<Record<string, string | undefined>>
  stdout: { write(text: string): unknown }
}

/** Runtime over a process, a clock and a source of names given by the entry point. */
export const runtimeOf = (host: ProcessLike, { clock, newId }: Pick<Runtime, 'clock' | 'newId'>): Runtime => ({
  variables: host.env,
  write: (line) => host.stdout.write(`${line}\n`),
  clock,
  newId,
  sleep: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms)
    }),
})
