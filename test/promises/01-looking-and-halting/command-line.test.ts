import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DoctorReport, HaltReport, StatusReport, TradesReport } from '../../../schemas/cli.ts'
import { createStore } from '../../../lib/store/store.ts'
import { createPlace, everything, KEYS, type Place, RULE } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
})
afterAll(async () => {
  rmSync(place.scratch, { recursive: true, force: true })
  await place.close()
})

const LOOKING = [
  'status',
  'trades',
  'reconcile',
  'enforce',
  'halt',
  'halt --flatten',
  'resume',
  'explain eth-perp-20261102T1000Z',
  'evidence',
  'report --database --out REPORT',
]
const args = (command: string): string[] =>
  command.split(' ').map((word) => (word === 'REPORT' ? path.join(place.scratch, 'report') : word))

describe('a table whose live partition holds a position', () => {
  it('is flattened by the command of the page on operation, as a stack deployed it: no strategy, no names, no configuration typed', async () => {
    expect(readFileSync(path.resolve(import.meta.dirname, '../../../docs/operation.md'), 'utf8')).toContain(
      '`hourhand halt --flatten --table NAME`',
    )
    const { name, items } = await place.newTable()
    const world = await place.storeLive(items)
    await place.writeDown(items, world.config, place.deployed)
    const before = (await items.partitions()).toSorted()
    place.aws.calls.length = 0
    const { code, stdout, stderr } = await place.run(['halt', '--flatten', '--table', name], KEYS)
    expect(stderr).toBe('')
    expect(stdout.split('\n')[0]).toBe(
      `Hourhand  eth-perp · live · ${world.config.market.symbol} at coinbase · table ${name} in ${place.endpoint}`,
    )
    expect(stdout).toContain('It is flat: nothing is held, no exit rests.')
    expect(stdout).toContain(`The schedule ${RULE} is off.`)
    expect(stdout).toContain(`npx hourhand resume --strategy eth-perp --mode live --table ${name}`)
    expect([code, world.held(), world.exits()]).toEqual([0, 0, []])
    expect((await items.partitions()).toSorted()).toEqual(before)
    expect(await createStore(items, 'test', 'live').loadState('eth-perp')).toMatchObject({
      phase: { kind: 'flat' },
      halt: { by: 'operator' },
    })
    expect(place.aws.calls.filter(({ target }) => target === 'DisableRule').map(({ body }) => body['Name'])).toEqual([
      RULE,
    ])
    const told = place.aws.calls.flatMap(({ body }) => (body['Entries'] ?? []) as Record<string, string>[])
    expect(new Set(told.map(({ EventBusName: bus }) => bus))).toEqual(new Set(['hourhand-eth-perp']))
    expect(told.map(({ DetailType: type }) => type)).toContain('halted')
  }, 60_000)

  it('is found and flattened where an older release wrote it and no deployment item is there', async () => {
    const { name, items } = await place.newTable()
    const world = await place.storeLive(items)
    const { code, stdout } = await place.run(['halt', '--flatten', '--table', name, '--json'], KEYS)
    expect(HaltReport.parse(JSON.parse(stdout))).toMatchObject({
      target: { strategyId: 'eth-perp', mode: 'live', symbol: world.config.market.symbol, table: name },
      phase: 'flat',
      flatten: { isFlat: true },
      schedule: null,
    })
    expect([code, world.held(), await items.partitions()]).toEqual([0, 0, ['LIVE#eth-perp']])
  }, 60_000)

  it('is halted without keys, market or configuration, and said not to be flat where they are needed', async () => {
    const { name, items } = await place.newTable()
    const world = await place.storeLive(items)
    for (const cycle of await everything(items))
      if (cycle.sk.startsWith('CYCLE#')) await items.put({ ...cycle, body: '{' }, 'none')
    const { code, stdout } = await place.run(['halt', '--table', name])
    expect([code, stdout.split('\n')[0]]).toEqual([
      0,
      expect.stringContaining('eth-perp · live · venue and symbol not known'),
    ])
    expect(stdout).toContain('It is now open')
    const flattened = await place.run(['halt', '--flatten', '--table', name], KEYS)
    expect(flattened.stdout).toMatch(
      /could NOT be flattened: the configuration of live eth-perp is not known.*--config FILE/,
    )
    expect([flattened.code, world.held() > 0]).toEqual([1, true])
  }, 60_000)
})

describe('a strategy on paper and live, both holding', () => {
  const setUp = async () => {
    const table = await place.newTable()
    const live = await place.storeLive(table.items)
    await place.writeDown(table.items, live.config, place.deployed)
    const paper = await place.storePaper(table.items)
    await place.writeDown(table.items, paper.config)
    const halts = async () => [
      (await createStore(table.items, 'test', 'live').loadState('eth-perp'))?.halt?.reason ?? null,
      (await createStore(table.items, 'test', 'paper').loadState('eth-perp'))?.halt?.reason ?? null,
    ]
    return { ...table, live, paper, halts }
  }

  it('is halted in both by a bare halt, which lists both; a bare resume asks for names and --all lifts both', async () => {
    const { name, halts, live } = await setUp()
    const { code, stdout } = await place.run(['halt', '--table', name, '--reason', 'storm', '--json'])
    const reports = HaltReport.array().parse(JSON.parse(stdout))
    expect([code, reports.map(({ target }) => target.mode), await halts()]).toEqual([
      0,
      ['live', 'paper'],
      ['storm', 'storm'],
    ])
    const bare = await place.run(['resume', '--table', name])
    expect([bare.code, bare.stdout, await halts()]).toEqual([2, '', ['storm', 'storm']])
    for (const mode of ['live', 'paper'])
      expect(bare.stderr).toContain(`--strategy eth-perp --mode ${mode} --table ${name}`)
    const one = await place.run(['resume', '--table', name, '--mode', 'paper'])
    expect([one.code, await halts()]).toEqual([0, ['storm', null]])
    expect((await place.run(['resume', '--table', name, '--all'])).code).toBe(0)
    expect([await halts(), live.held() > 0]).toEqual([[null, null], true])
  }, 60_000)

  it('is halted in both and closed in neither by a bare halt --flatten, which ends with exit 1 and a command for each', async () => {
    const { name, halts, live } = await setUp()
    const { code, stdout } = await place.run(['halt', '--flatten', '--table', name, '--reason', 'storm'], KEYS)
    expect([code, await halts(), live.held() > 0]).toEqual([1, ['storm', 'storm'], true])
    const commands = [...stdout.matchAll(/npx hourhand (?<rest>halt --flatten .*)$/gm)].map(
      (match) => match.groups?.['rest'] ?? '',
    )
    expect(commands).toEqual([
      `halt --flatten --strategy eth-perp --mode live --table ${name}`,
      `halt --flatten --strategy eth-perp --mode paper --table ${name}`,
    ])
    // The command as it is printed does what it says, and no more.
    expect((await place.run((commands[0] ?? '').split(' '), KEYS)).code).toBe(0)
    expect([live.held(), (await createStore(place.itemsOf(name), 'test').loadState('eth-perp'))?.phase.kind]).toEqual([
      0,
      'open',
    ])
  }, 60_000)

  it('shows both to whoever looks, and acts on neither before one is named', async () => {
    const { name, items } = await setUp()
    const before = await everything(items)
    const status = await place.run(['status', '--table', name, '--json'], KEYS)
    expect(status.stderr.split('\n').filter((line) => line.includes('"error"'))).toEqual([])
    expect((JSON.parse(status.stdout) as { target: { mode: string } }[]).map(({ target }) => target.mode)).toEqual([
      'live',
      'paper',
    ])
    expect(StatusReport.parse((JSON.parse(status.stdout) as unknown[])[0])).toMatchObject({ phase: 'open' })
    expect(
      TradesReport.array().parse(JSON.parse((await place.run(['trades', '--table', name, '--json'])).stdout)),
    ).toHaveLength(2)
    for (const command of [
      'reconcile',
      'enforce',
      'resume',
      'cycle',
      'evidence',
      'trades --csv',
      'explain eth-perp-20261102T1000Z',
    ])
      expect({ command, code: (await place.run([...args(command), '--table', name], KEYS)).code }).toEqual({
        command,
        code: 2,
      })
    expect(await everything(items)).toEqual(before)
  }, 60_000)
})

describe('a name that is not there', () => {
  it.each([
    ['another strategy', ['--strategy', 'btc-perp']],
    ['a strategy that nobody knows', ['--strategy', 'moon']],
    ['a mode in which it has not run', ['--mode', 'paper']],
    ['a configuration of another mode', ['--config', 'PAPER']],
    ['a configuration of another strategy', ['--config', 'OTHER']],
    ['a configuration that trades another symbol', ['--config', 'SYMBOL']],
  ])(
    'is refused with what is there, and nothing is changed: %s',
    async (_what, flags) => {
      const { name, items } = await place.newTable()
      const world = await place.storeLive(items)
      await place.writeDown(items, world.config, place.deployed)
      const before = await everything(items)
      const file = (content: unknown): string => {
        const target = path.join(place.scratch, `config-${name}.json`)
        writeFileSync(target, JSON.stringify(content))
        return target
      }
      const files: Record<string, () => string> = {
        PAPER: () => file({ market: world.config.market }),
        OTHER: () => file({ id: 'other', mode: 'live', market: world.config.market }),
        SYMBOL: () => file({ mode: 'live', market: { ...world.config.market, symbol: 'BIP-20DEC30-CDE' } }),
      }
      const given = flags.map((flag) => files[flag]?.() ?? flag)
      for (const command of LOOKING.filter((one) => !one.startsWith('explain'))) {
        const { code, stdout, stderr } = await place.run([...args(command), ...given, '--table', name], KEYS)
        expect({ command, code, stdout }).toEqual({ command, code: 2, stdout: '' })
        expect(stderr).toContain('live eth-perp')
      }
      expect(await everything(items)).toEqual(before)
      expect(world.held()).toBeGreaterThan(0)
    },
    60_000,
  )
})

describe('where nothing has run', () => {
  it('every command that looks or halts ends with exit 1, and neither table nor directory is made', async () => {
    const { name, items } = await place.newTable()
    const directory = path.join(place.scratch, 'nowhere')
    for (const command of LOOKING) {
      for (const [flags, env] of [
        [['--table', name], {}],
        [['--table', 'no-such-table'], {}],
        [['--data-dir', directory], { HOURHAND_DYNAMODB_ENDPOINT: '' }],
      ] as const) {
        const { code, stdout, stderr } = await place.run([...args(command), ...flags], env)
        expect({ command, flags, code, stdout }).toEqual({ command, flags, code: 1, stdout: '' })
        expect(stderr).toMatch(/Nothing was made or changed\.\n$/)
      }
    }
    expect([await everything(items), existsSync(directory)]).toEqual([[], false])
    await expect(place.itemsOf('no-such-table').partitions()).rejects.toThrow('there is no DynamoDB table')
  }, 60_000)

  it('doctor and live examine a configuration without making anything; a dry cycle makes nothing either', async () => {
    const directory = path.join(place.scratch, 'not-yet')
    const env = { HOURHAND_DYNAMODB_ENDPOINT: '' }
    const at = ['--at', '2026-11-02T10:00:00Z', '--data-dir', directory]
    const doctor = await place.run(['doctor', '--json', ...at], env)
    expect(DoctorReport.parse(JSON.parse(doctor.stdout)).ok).toBe(true)
    expect((await place.run(['live', ...at], env)).code).toBe(1)
    expect((await place.run(['cycle', '--dry-run', ...at], env)).stdout).toContain('would buy')
    expect(existsSync(directory)).toBe(false)
    const missing = await place.run([
      'doctor',
      '--json',
      '--market',
      'sim',
      '--at',
      '2026-11-02T10:00:00Z',
      '--table',
      'no-such-table',
    ])
    expect(
      DoctorReport.parse(JSON.parse(missing.stdout)).checks.find(({ check }) => check === 'database'),
    ).toMatchObject({
      ok: false,
      detail: expect.stringContaining('there is no table no-such-table'),
    })
  }, 60_000)
})

describe('a mode that is asked for', () => {
  const env = { HOURHAND_DYNAMODB_ENDPOINT: '' }
  const live = (): string => {
    const target = path.join(place.scratch, 'live-mode.json')
    writeFileSync(target, JSON.stringify({ mode: 'live' }))
    return target
  }

  it.each(['doctor', 'live', 'cycle --dry-run', 'cycle --dry-run --strategy btc-perp'])(
    'and in which nothing has run is refused, never answered for the other one: %s',
    async (command) => {
      const directory = path.join(place.scratch, 'no-mode')
      const { code, stdout, stderr } = await place.run(
        [...args(command), '--mode', 'live', '--data-dir', directory],
        env,
      )
      expect([code, stdout, existsSync(directory)]).toEqual([2, '', false])
      expect(stderr).toContain('"mode": "live"')
    },
  )

  it.each(['doctor', 'live', 'cycle', 'enforce', 'status', 'halt', 'resume', 'reconcile', 'account moved 5'])(
    'and that the configuration beside it contradicts is refused before anything runs: %s',
    async (command) => {
      const directory = path.join(place.scratch, 'two-modes')
      const { code, stdout, stderr } = await place.run(
        [...args(command), '--mode', 'paper', '--config', live(), '--data-dir', directory],
        env,
      )
      expect([code, stdout, existsSync(directory)]).toEqual([2, '', false])
      expect(stderr).toContain(`--mode paper contradicts --config ${live()}`)
    },
  )
})

it('a configuration that fits nothing stored is answered with options that do name what is stored', async () => {
  const { name, items } = await place.newTable()
  await place.storePaper(items)
  const target = path.join(place.scratch, 'fits-nothing.json')
  writeFileSync(target, JSON.stringify({ mode: 'live' }))
  const refused = await place.run(['trades', '--config', target, '--table', name])
  expect(refused.code).toBe(2)
  const offered = /--strategy \S+ --mode \S+ --table \S+/.exec(refused.stderr)?.[0] ?? ''
  expect((await place.run(['trades', ...offered.split(' ')])).code).toBe(0)
}, 60_000)

describe('of several, one that cannot be halted', () => {
  it('keeps none of the others from their halt, is named, and its schedule is switched off all the same', async () => {
    const { name, items } = await place.newTable()
    const live = await place.storeLive(items)
    await place.writeDown(items, live.config, place.deployed)
    await place.storePaper(items, 'second')
    const stored = await items.get('LIVE#eth-perp', 'STATE')
    if (stored === null) throw new Error('no state')
    await items.put({ ...stored, body: '{' }, 'none')
    place.aws.calls.length = 0
    const { code, stdout } = await place.run(['halt', '--table', name])
    expect(code).toBe(1)
    expect(stdout).toMatch(/eth-perp · live[^]*FAILED: .*LIVE#eth-perp STATE/)
    expect(stdout).toMatch(/second is halted since/)
    expect((await createStore(items, 'test').loadState('second'))?.halt).toMatchObject({ by: 'operator' })
    expect(place.aws.calls.map(({ target }) => target)).toContain('DisableRule')
  }, 60_000)
})
