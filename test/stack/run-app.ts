import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import path from 'node:path'

/** The repository. */
export const root = path.resolve(import.meta.dirname, '../..')

/**
 * Runs the CDK program as the CDK command line does, without credentials, region or home directory. Its output lies in
 * a new directory under `scratch`.
 */
export function runApp(
  scratch: string,
  context: Record<string, string | boolean>,
): Promise<{ code: number; output: string; outdir: string }> {
  const outdir = mkdtempSync(path.join(scratch, 'out-'))
  const env = {
    PATH: process.env['PATH'],
    HOME: scratch,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify(context),
  }
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { cwd: root, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr, outdir }),
    )
  })
}
