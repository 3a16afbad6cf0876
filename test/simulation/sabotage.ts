import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

/**
 * Shows that the simulation bites: breaks the code in one place at a time, in a copy, and says which invariants
 * notice. Exit code 1 when something broken goes unnoticed, or the code as it is does not pass.
 */
type Sabotage = { name: string; edits: readonly { file: string; find: string; replace: string }[] }

const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'the wire carries another id than the intent',
    edits: [
      {
        file: 'lib/broker/coinbase/endpoints/create-order.ts',
        find: 'client_order_id: order.clientOrderId,',
        replace:
          'client_order_id: order.clientOrderId.replace(/^.{8}/, () => String(Math.floor(1e7 + Math.random() * 8e7))),',
      },
    ],
  },
  {
    name: 'client ids are random',
    edits: [
      {
        file: 'lib/core/ids.ts',
        find: 'return uuidOf(`hourhand|${strategyId}|${toIso(slot)}|${leg}|${attempt}`',
        replace: 'return uuidOf(`${Math.random()}`',
      },
    ],
  },
  {
    name: 'the order is sent before its intent is stored',
    edits: [
      {
        file: 'lib/cycle/enter-position.ts',
        find: '  const intended = await commit(',
        replace: '  const early = await broker.place(order, now + ORDER_LIFE_MS)\n  const intended = await commit(',
      },
      { file: 'lib/cycle/enter-position.ts', find: ': await broker.place(order, deadline)', replace: ': early' },
    ],
  },
  {
    name: 'the state is written without its version',
    edits: [
      {
        file: 'lib/store/store.ts',
        find: "await put(item, isNew ? 'absent' : { version: state.version })",
        replace: "await put(item, 'none')",
      },
    ],
  },
  {
    name: 'unknown is taken for rejected',
    edits: [
      {
        file: 'lib/cycle/enter-position.ts',
        find: "[{ type: 'entry_acknowledged', at, status: 'unknown', orderId: null }]",
        replace: "[{ type: 'entry_ended', at, end: 'rejected', reason: placement.reason }]",
      },
    ],
  },
  {
    name: 'protection is not checked',
    edits: [{ file: 'lib/cycle/reconcile/reconcile.ts', find: '  checkExits(draft)\n', replace: '' }],
  },
  {
    name: 'the cycle decides without reconciling',
    edits: [
      {
        file: 'lib/cycle/run-cycle.ts',
        find: 'let state = await this.reconcile(await loadOrCreateState(ports))',
        replace: 'let state = await loadOrCreateState(ports)',
      },
      {
        file: 'lib/cycle/run-cycle.ts',
        find: 'state = await this.reconcile(await loadOrCreateState(ports))\n    }',
        replace: 'state = await loadOrCreateState(ports)\n    }',
      },
    ],
  },
  {
    name: 'a deadline is not looked at',
    edits: [
      {
        file: 'lib/broker/coinbase/coinbase-broker.ts',
        find: 'async place(order, deadline): Promise<Placement> {',
        replace: 'async place(order, real): Promise<Placement> {\n      const deadline = real + 9e9',
      },
      { file: 'lib/cycle/enter-position.ts', find: 'clock() > deadline', replace: 'false' },
      { file: 'lib/cycle/protect-position.ts', find: 'clock() > deadline', replace: 'false' },
      { file: 'lib/cycle/close-position.ts', find: 'clock() > deadline', replace: 'false' },
    ],
  },
  {
    name: 'a stop may be larger than the position',
    edits: [
      {
        file: 'lib/cycle/reconcile/check-exits.ts',
        find: 'remainingOf(order).eq(size)',
        replace: 'remainingOf(order).gte(size)',
      },
    ],
  },
  {
    name: 'stray exits are left',
    edits: [{ file: 'lib/cycle/reconcile/reconcile.ts', find: '  sweepStrayOrders(draft)\n', replace: '' }],
  },
  {
    name: 'exits are not cancelled before a close',
    edits: [
      {
        file: 'lib/cycle/close-position.ts',
        find: 'if (!(await cancelExits(ports)))',
        replace: 'if (false as boolean)',
      },
    ],
  },
  {
    name: 'fills are taken as often as they are listed',
    edits: [
      {
        file: 'lib/cycle/reconcile/take-executions.ts',
        find: '!held?.fillIds.includes(fill.fillId) && isNews(fill.fillId)',
        replace: 'true',
      },
    ],
  },
  {
    name: 'what a hand has closed is always taken for ours',
    edits: [
      {
        file: 'lib/cycle/reconcile/take-executions.ts',
        find: 'const gone = dec(held.quantity).minus(facts.position.quantity)',
        replace: 'const gone = dec(fill.quantity)',
      },
    ],
  },
  {
    name: 'funding is not inferred',
    edits: [
      { file: 'lib/cycle/reconcile/infer-funding.ts', find: 'if (facts.listsFunding ||', replace: 'if (true ||' },
    ],
  },
  {
    name: 'the outbox is not delivered after a crash',
    edits: [{ file: 'lib/cycle/commit.ts', find: '    await deliver(ports, stored)\n', replace: '' }],
  },
  {
    name: 'a halt is not looked at',
    edits: [
      {
        file: 'lib/cycle/run-cycle.ts',
        find: "if (halt !== null) return { outcome: 'halted'",
        replace: "if (false as boolean) return { outcome: 'halted'",
      },
      { file: 'lib/guard/rules/standing.ts', find: 'finding(\n      halt === null,', replace: 'finding(\n      true,' },
    ],
  },
]

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '300' }, only: { type: 'string' } } })

async function simulate(
  directory: string,
): Promise<{ lives: number; byInvariant: Map<string, number>; first: string }> {
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'test/simulation/simulate.ts', '--seeds', values.seeds],
    { cwd: directory, maxBuffer: 1e8 },
  )
  const { stdout } = await run.catch((error: unknown) => {
    if (
      typeof error === 'object' &&
      error !== null &&
      'stdout' in error &&
      typeof error.stdout === 'string' &&
      error.stdout !== ''
    )
      return { stdout: error.stdout }
    throw error
  })
  const byInvariant = new Map<string, number>()
  for (const [, invariant = ''] of stdout.matchAll(/: invariant (\d) at /g))
    byInvariant.set(invariant, (byInvariant.get(invariant) ?? 0) + 1)
  const lives = Number((/lives with violations\s+([\d,]+)/.exec(stdout)?.[1] ?? 'NaN').replaceAll(',', ''))
  return { lives, byInvariant, first: /^ {2}(seed .*)$/m.exec(stdout)?.[1] ?? '' }
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hourhand-sabotage-'))
  try {
    for (const part of ['lib', 'schemas', 'test', 'package.json', 'tsconfig.json'])
      await cp(join(root, part), join(directory, part), { recursive: true })
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    const rows: [string, Awaited<ReturnType<typeof simulate>>][] = []
    for (const { name, edits } of [{ name: 'nothing (the code as it is)', edits: [] }, ...SABOTAGES]) {
      if (values.only !== undefined && !name.includes(values.only)) continue
      const originals = new Map<string, string>()
      for (const { file, find, replace } of edits) {
        const path = join(directory, file)
        const text = await readFile(path, 'utf8')
        if (!originals.has(path)) originals.set(path, text)
        if (!text.includes(find)) throw new Error(`${name}: ${file} no longer has ${JSON.stringify(find)}`)
        await writeFile(path, text.replaceAll(find, replace))
      }
      const found = await simulate(directory)
      rows.push([name, found])
      for (const [path, text] of originals) await writeFile(path, text)
      const seen = [...found.byInvariant]
        .sort((a, b) => b[1] - a[1])
        .map(([invariant, times]) => `${invariant} (${times})`)
        .join(', ')
      process.stdout.write(
        `${name.padEnd(48)}${found.lives === 0 ? 'unnoticed' : `${found.lives} of ${values.seeds} lives, invariants ${seen}`}\n${found.first === '' ? '' : `    ${found.first.slice(0, 200)}\n`}`,
      )
    }
    const isClean = rows.every(([name, { lives }]) => name.startsWith('nothing') === (lives === 0))
    process.exitCode = isClean ? 0 : 1
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
