import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../../lib/cli/run-cli.ts'
import { createCycleHandler } from '../../../lib/compose/handlers.ts'
import { MINUTE_MS } from '../../../lib/core/time.ts'
import { type EmbeddedDynamo, startEmbeddedDynamo } from '../../../lib/store/embedded-dynamo.ts'
import { CycleReport, StatusReport } from '../../../schemas/cli.ts'
import { createBench } from '../../cli/bench-support.ts'
import { openAiDialect } from '../../support/fake-openai.ts'
import { type Behaviour, type ScriptedServer, sendJson, startScriptedServer } from '../../support/scripted-server.ts'

const { newDirectory, file } = createBench()
const SLOT = '2026-11-02T10:00:00Z'
const content = JSON.stringify({
  action: 'hold',
  stopLossPrice: null,
  takeProfitPrice: null,
  confidence: null,
  invalidation: null,
  rationale: 'No edge.',
})
const hold = sendJson(200, {
  model: 'gpt-test',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
})
const env = { OPENAI_API_KEY: 'sk-test-0123456789abcdef' }

let server: ScriptedServer
let answer: Behaviour = hold
beforeAll(async () => {
  server = await startScriptedServer([(response, received) => answer(response, received)])
})
afterAll(() => server.close())

const decider = () => ({
  kind: 'openai',
  model: 'gpt-test',
  baseUrl: `${server.url}${openAiDialect.basePath}`,
  maxRetries: 0,
})

async function run(args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, {
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    env,
    clock: () => Date.parse(SLOT),
    newId: () => 'id',
    sleep: async () => {},
  })
  return { code, stdout: out.join(''), stderr: err.join('') }
}

describe('the command line and a decider that fails', () => {
  it('cycle exits 1 and names the kind, status shows the streak, and within the slot the same command tries again', async () => {
    const data = newDirectory()
    const common = ['--config', file('dead.json', JSON.stringify({ decider: decider() })), '--data-dir', data]
    answer = openAiDialect.error(401, 'Incorrect API key provided')
    const first = await run(['cycle', '--at', SLOT, ...common, '--json'])
    expect(first.code).toBe(1)
    expect(CycleReport.parse(JSON.parse(first.stdout))).toMatchObject({
      outcome: 'failed',
      decision: null,
      failure: { kind: 'unauthorized', message: expect.stringContaining('HTTP 401') },
      reason: expect.stringMatching(/^unauthorized: HTTP 401.*nothing was decided$/),
    })
    // Half an hour later it is the next slot.
    const next = await run(['cycle', '--at', '2026-11-02T10:30:00Z', ...common])
    expect(next.code).toBe(1)
    expect(next.stdout).toContain('nothing: the decider failed (unauthorized)')
    expect(next.stdout).not.toContain('hold')

    const status = await run(['status', '--at', '2026-11-02T10:31:00Z', ...common, '--json'])
    expect(StatusReport.parse(JSON.parse(status.stdout)).deciderStreak).toMatchObject({
      since: SLOT,
      slots: 2,
      kind: 'unauthorized',
    })
    const text = (await run(['status', '--at', '2026-11-02T10:31:00Z', ...common])).stdout
    expect(text).toContain(`DECIDER FAILING since ${SLOT}: nothing decided at 2 slots in a row`)

    answer = hold
    const again = await run(['cycle', '--at', '2026-11-02T10:40:00Z', ...common, '--json'])
    expect(again.code).toBe(0)
    expect(CycleReport.parse(JSON.parse(again.stdout))).toMatchObject({ outcome: 'held', failure: null })
    const after = await run(['status', '--at', '2026-11-02T10:41:00Z', ...common, '--json'])
    expect(StatusReport.parse(JSON.parse(after.stdout)).deciderStreak).toBeNull()
  }, 60_000)

  it('a dry run of a failing decider exits 1 and leaves no streak', async () => {
    const data = newDirectory()
    const common = ['--config', file('dry.json', JSON.stringify({ decider: decider() })), '--data-dir', data]
    answer = openAiDialect.error(404, 'no such model')
    const { code, stdout } = await run(['cycle', '--dry-run', '--at', SLOT, ...common])
    expect(code).toBe(1)
    expect(stdout).toContain('failed: not_found: HTTP 404')
    answer = hold
    expect((await run(['cycle', '--at', SLOT, ...common])).code).toBe(0)
    const status = await run(['status', '--at', SLOT, ...common, '--json'])
    expect(StatusReport.parse(JSON.parse(status.stdout)).deciderStreak).toBeNull()
  }, 60_000)
})

describe('the deployed function and a decider that fails', () => {
  let dynamo: EmbeddedDynamo
  beforeAll(async () => {
    dynamo = await startEmbeddedDynamo()
  })
  afterAll(() => dynamo.close())

  it('answers and does not throw, and writes the metric of the streak and a warning', async () => {
    const lines: Record<string, unknown>[] = []
    const time = { now: Date.parse(SLOT) }
    const handlerOf = (config: object, id: string) =>
      createCycleHandler({
        variables: {
          ...env,
          HOURHAND_TABLE: 'failing',
          HOURHAND_DYNAMODB_ENDPOINT: dynamo.endpoint,
          HOURHAND_CONFIG: JSON.stringify({ ...config, id }),
        },
        write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
        clock: () => time.now,
        sleep: async () => {},
        newId: () => `id-${time.now}`,
      })
    const handler = handlerOf({ decider: decider() }, 'dead-model')
    const invoke = () => handler({ source: 'aws.events', id: 'e', time: new Date(time.now).toISOString() })
    answer = openAiDialect.error(402, 'no credit left')
    expect(await invoke()).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/^budget: HTTP 402/) })
    time.now += 30 * MINUTE_MS
    expect(await invoke()).toMatchObject({ outcome: 'failed' })
    expect(lines.filter((line) => 'decider_failed' in line).map((line) => line['decider_failed'])).toEqual([1, 2])
    expect(lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContain('the decider failed')
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
    answer = hold
    time.now += 30 * MINUTE_MS
    expect(await invoke()).toMatchObject({ outcome: 'held' })
  }, 60_000)
})
