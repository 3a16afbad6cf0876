import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { SABOTAGES } from '../../simulation/sabotages.ts'

it.each(SABOTAGES.flatMap(({ name, edits }) => edits.map(({ file, find }) => [name, file, find] as const)))(
  'the sabotage "%s" still finds in %s the text that it breaks',
  (_name, file, find) => {
    const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
    expect(text.split(find).length - 1, find).toBeGreaterThan(0)
  },
)
