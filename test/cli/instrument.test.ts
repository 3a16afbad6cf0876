import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCli } from '../../lib/cli/run-cli.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-instrument-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Two days of minute bars that swing around a level. */
function candles(name: string, level: number, swing: number): string {
  const start = Date.parse('2026-03-10T00:00:00Z')
  const rows = Array.from({ length: 2 * 1_440 }, (_, index) => {
    const price = level + swing * Math.sin(index / 40)
    return [start + index * MINUTE_MS, price, price + swing / 20, price - swing / 20, price, 1].join(',')
  })
  const file = path.join(scratch, name)
  writeFileSync(file, `timestamp_ms,open,high,low,close,volume\n${rows.join('\n')}\n`)
  return file
}

async function replay(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(['replay', '--random', '0', '--data-dir', path.join(scratch, 'data'), ...args], {
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
    env: {},
    clock: () => Date.parse('2026-03-20T00:00:00Z'),
    newId: () => 'test',
    sleep: async () => {},
  })
  return { code, out, err }
}

describe('replaying a candle file', () => {
  it('of bitcoin trades hundredths of a bitcoin, by the name of the file, and says so', async () => {
    const { code, out, err } = await replay('--candles', candles('BTC-1m.csv', 60_000, 900))
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('coinbase:BIP-20DEC30-CDE: 0.01 BTC a contract, in steps of 5 USD')
  }, 20_000)

  it('of SOL is refused with one sentence: step, fees and what to do', async () => {
    const { code, err } = await replay('--candles', candles('SOL-1m.csv', 25, 0.4))
    expect(code).toBe(2)
    expect(err).toContain('coinbase:ETP-20DEC30-CDE cannot be traded at these prices (about 25')
    expect(err).toContain('moves in steps of 0.5')
    expect(err).toContain('give the facts of the right one with "instrument" in --config')
  })

  it('of bitcoin under the instrument of ether is refused, and the right one is named', async () => {
    const file = candles('BTC-1m-again.csv', 60_000, 900)
    const { code, err } = await replay('--candles', file, '--instrument', 'ETP-20DEC30-CDE', '--config', tight())
    expect(code).toBe(2)
    expect(err).toContain('It would fit with --instrument coinbase:BIP-20DEC30-CDE')
  })

  it('takes the instrument that is named over the one in the name of the file', async () => {
    const file = candles('BTC-1m-named.csv', 2_000, 60)
    const { code, out } = await replay('--candles', file, '--instrument', 'coinbase:ETP-20DEC30-CDE')
    expect([code, out]).toEqual([0, expect.stringContaining('coinbase:ETP-20DEC30-CDE: 0.1 ETH a contract')])
  }, 20_000)

  it('refuses an instrument that nobody knows', async () => {
    const { code, err } = await replay('--candles', candles('x.csv', 2_000, 60), '--instrument', 'DOGE')
    expect([code, err]).toEqual([2, expect.stringContaining('instrument = "DOGE"')])
  })
})

/** Limits under which a tenth of a coin at 60,000 is too much. */
function tight(): string {
  const file = path.join(scratch, 'tight.json')
  writeFileSync(file, JSON.stringify({ guard: { maxNotional: '3000' } }))
  return file
}
