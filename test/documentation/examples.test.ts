import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../lib/cli/options.ts'
import { read } from '../stack/support.ts'

const FOLDER = path.resolve(import.meta.dirname, '../../examples')
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

describe('examples', () => {
  it('there are examples of paper, of both kinds of model, of feeds and of live trading', () => {
    expect(files.sort()).toEqual([
      'anthropic.json',
      'live.json',
      'openai.json',
      'paper-eth-rules.json',
      'several-feeds.json',
    ])
  })

  it.each(files)('the command line reads examples/%s as a whole configuration', async (name) => {
    const config = await resolveConfig({ config: path.join(FOLDER, name) })
    expect(config.market.source).toBe('live')
    expect(config.mode).toBe(name === 'live.json' ? 'live' : 'paper')
    if (name === 'anthropic.json') expect(config.decider).toMatchObject({ kind: 'anthropic', maxRetries: 3 })
    if (name === 'several-feeds.json') expect(config.news.feeds).toHaveLength(3)
    if (name === 'paper-eth-rules.json') expect(config.guard.riskPerTrade).toBe(0.005)
  })

  it.each(files.filter((name) => name !== 'live.json'))('a deployment takes examples/%s', (name) => {
    const reading = read({ config: path.join(FOLDER, name) })
    expect('refusals' in reading ? reading.refusals : []).toEqual([])
  })
})
