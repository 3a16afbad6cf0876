import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { VENUES } from '../../lib/venue/registry.ts'
import { CASES, whyNot } from './cases.ts'
import { pageOf } from './page.ts'
import { harnessOf, HARNESSES, runCase } from './run-cases.ts'
import { SABOTAGES } from './sabotages.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

describe.each(VENUES.map(({ id }) => id))('the venue %s keeps the laws of every venue', (id) => {
  const harness = harnessOf(id)
  it.each(CASES.filter((one) => whyNot(one, harness) === null).map((one) => [one.id, one.title, one] as const))(
    '%s: %s',
    async (_id, _title, one) => {
      expect((await runCase(one, harness)).outcome).toEqual({ kind: 'passed' })
    },
  )

  it('its page in docs/venues is what the cases say now', async () => {
    const page = readFileSync(path.join(ROOT, 'docs/venues', `${id}.md`), 'utf8')
    expect(page, 'run npm run conformance -- --write').toBe(await pageOf(id))
  })
})

it('numbers of cases are given once and count on', () => {
  expect(CASES.map(({ id }) => id)).toEqual(CASES.map((_, index) => `VC-${String(index + 1).padStart(2, '0')}`))
  expect(CASES.length).toBeGreaterThanOrEqual(50)
})

it('every case counts for one venue at least, and no venue is excused from half of them', () => {
  for (const one of CASES)
    expect(
      HARNESSES.some((venue) => whyNot(one, venue) === null),
      one.id,
    ).toBe(true)
  for (const venue of HARNESSES)
    expect(CASES.filter((one) => whyNot(one, venue) === null).length).toBeGreaterThan(CASES.length / 2)
})

it('every case has a sabotage, whose text is in the file that it breaks', () => {
  expect(SABOTAGES.map((sabotage) => sabotage.case)).toEqual(CASES.map(({ id }) => id))
  for (const { file, find, replace, venue, case: id } of SABOTAGES) {
    expect(readFileSync(path.join(ROOT, file), 'utf8').includes(find), `${id}: ${file} has ${find}`).toBe(true)
    expect(replace, id).not.toBe(find)
    const one = CASES.find((candidate) => candidate.id === id)
    expect(one !== undefined && whyNot(one, harnessOf(venue)), id).toBeNull()
  }
})
