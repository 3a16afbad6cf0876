#!/usr/bin/env -S node --import tsx
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { runCli } from '../lib/cli/run-cli.ts'

// The SDK's notice about Node 20 is meant for deployments; a newcomer's first run should not begin with it.
// The SDK is loaded by the command that needs it, after this line.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  env: process.env,
  clock: () => Date.now(),
  newId: randomUUID,
  isInteractive: process.stderr.isTTY === true,
  cores: availableParallelism(),
  sleep: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms)
    }),
})
