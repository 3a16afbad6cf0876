import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Broker } from '../../lib/venue/broker.ts'
import { judge } from '../../lib/guard/judge.ts'
import type { EntryOrder } from '../../schemas/order.ts'
import { contextWith } from './fixtures.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

const sources = ['bin', 'functions', 'lib', 'schemas']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.posix.join(folder, name),
    ),
  )
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }))

const filesWith = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ file }) => file)
    .sort()

/** Never called: what does not compile here is the point. */
export async function placeUnapproved(broker: Broker, order: EntryOrder): Promise<void> {
  // @ts-expect-error an entry that the guard has not let pass is none the broker takes
  await broker.place(order, 0)
  const { result } = judge(contextWith({}))
  if (result.kind !== 'approved') return
  await broker.place(result.order, 0)
  // @ts-expect-error nor is a changed copy of one that it has
  await broker.place({ ...result.order, quantity: order.quantity }, 0)
}

describe('approval', () => {
  it('is granted in one place', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(filesWith(/\bgrantApproval\b/)).toEqual(['lib/guard/approval.ts', 'lib/guard/judge.ts'])
  })

  it('is claimed by a cast in one place, and its brand is spelt in one', () => {
    expect(
      filesWith(/\bas\s+(unknown\s+as\s+)?(Approved\b|PlaceableOrder\b|Parameters<Broker)|<Approved<EntryOrder>>/),
    ).toEqual(['lib/guard/approval.ts'])
    expect(filesWith(/\bGuardMark\b/)).toEqual(['lib/guard/approval.ts'])
  })

  it('is granted once, where no verdict has failed', () => {
    const { text } = sources.find(({ file }) => file === 'lib/guard/judge.ts') ?? { text: '' }
    expect(text.match(/grantApproval\(/g)).toHaveLength(1)
  })
})
