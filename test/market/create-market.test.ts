import { describe, expect, it } from 'vitest'
import { openMarket } from '../../lib/compose/open-market.ts'
import { MarketConfig } from '../../schemas/strategy-config.ts'

const clock = () => Date.UTC(2026, 10, 21)
const make = (config: object) => openMarket({ config: MarketConfig.parse(config), clock })

describe('openMarket', () => {
  it.each([
    [{}, 'sim seed 7', '1m'],
    [{ source: 'sim', seed: 3 }, 'sim seed 3', '1m'],
    [{ source: 'live', baseUrl: 'http://127.0.0.1:9' }, 'coinbase', '1m'],
  ])('%o is %s', async (config, name, baseTimeframe) => {
    expect(await make(config)).toMatchObject({ name, baseTimeframe, span: null })
  })

  it('takes anything else for a file', async () => {
    await expect(make({ source: 'no/such/file.csv' })).rejects.toThrow(/no\/such\/file\.csv: there is no such file/)
  })
})
