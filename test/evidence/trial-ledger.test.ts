import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { trialsAround } from '../../lib/evidence/make-trial.ts'
import { comparableTrials, readTrials, recordTrial, trialFile } from '../../lib/evidence/trial-ledger.ts'
import type { Metrics } from '../../schemas/metrics.ts'
import type { Trial } from '../../schemas/replay.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-trials-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
let count = 0
const newDirectory = (): string => path.join(scratch, `data-${count++}`)

const trial = (trialId: string, more: Partial<Trial> = {}): Trial => ({
  schemaVersion: 1,
  trialId,
  at: '2026-11-02T10:00:00Z',
  command: 'replay',
  strategyId: 'eth-perp',
  symbol: 'ETP-20DEC30-CDE',
  instrument: 'coinbase:ETP-20DEC30-CDE',
  decider: 'rules',
  model: null,
  configHash: 'c',
  promptHash: 'p',
  dataHash: 'd',
  from: '2024-01-01T00:00:00Z',
  to: '2024-06-01T00:00:00Z',
  interval: '30m',
  settings: ['decider.stopAtr = 3'],
  codeVersion: '0.1.0',
  totalReturn: 0.1,
  maxDrawdown: 0.05,
  trades: 60,
  sharpe: 1.9,
  sharpePerObservation: 0.1,
  observations: 152,
  ...more,
})

const fail = (problem: string): never => {
  throw new Error(problem)
}

describe('the ledger of trials', () => {
  it('is empty where nothing was tried', () => expect(readTrials(newDirectory(), fail)).toEqual([]))

  it('keeps every trial, in order, and of one that was run again the newest', () => {
    const directory = newDirectory()
    for (const one of [trial('a'), trial('b'), trial('a', { at: '2026-11-03T10:00:00Z' }), trial('c')])
      recordTrial(directory, one)
    expect(readTrials(directory, fail).map(({ trialId, at }) => [trialId, at.slice(8, 10)])).toEqual([
      ['b', '02'],
      ['a', '03'],
      ['c', '02'],
    ])
  })

  it('survives a line that a crash cut short, and what comes after it stands alone', () => {
    const directory = newDirectory()
    recordTrial(directory, trial('a'))
    appendFileSync(trialFile(directory), '{"schemaVersion":1,"trialId":"torn')
    expect(readTrials(directory, fail).map(({ trialId }) => trialId)).toEqual(['a'])
    recordTrial(directory, trial('b'))
    expect(readTrials(directory, fail).map(({ trialId }) => trialId)).toEqual(['a', 'b'])
  })

  it('goes on without a line that is no trial, and says which', () => {
    const directory = newDirectory()
    recordTrial(directory, trial('a'))
    appendFileSync(trialFile(directory), '{}\n[]\n')
    recordTrial(directory, trial('b'))
    const told: string[] = []
    expect(readTrials(directory, (problem) => told.push(problem)).map(({ trialId }) => trialId)).toEqual(['a', 'b'])
    expect(told).toHaveLength(2)
    expect(told[0]).toMatch(/trials\.jsonl, line 2 is no trial and is not counted/)
  })

  it('counts a trial of a newer release, without the fields it does not know', () => {
    const directory = newDirectory()
    recordTrial(directory, trial('a'))
    appendFileSync(trialFile(directory), `${JSON.stringify({ ...trial('b'), addedLater: 1 })}\n`)
    expect(readTrials(directory, fail)).toEqual([trial('a'), trial('b')])
  })

  it('measures a result against what was tried on its market at its time', () => {
    const ledger = [
      trial('same'),
      trial('elsewhere', { instrument: 'coinbase:BIP-20DEC30-CDE' }),
      trial('before', { from: '2023-01-01T00:00:00Z', to: '2024-01-01T00:00:00Z' }),
      trial('overlapping', { from: '2024-05-31T00:00:00Z', to: '2024-07-01T00:00:00Z', sharpePerObservation: 0.3 }),
      trial('itself'),
    ]
    expect(comparableTrials(ledger, trial('itself')).map(({ trialId }) => trialId)).toEqual(['same', 'overlapping'])
    const metrics = { sharpe: 0.2 * Math.sqrt(365), observationsPerYear: 365 } as Metrics
    const around = trialsAround(ledger, trial('itself'), metrics)
    expect(around.trials).toBe(3)
    // Of 0.1, 0.3 and 0.2.
    expect(around.trialDeviation).toBeCloseTo(0.1, 12)
    expect(trialsAround([], trial('itself'), metrics)).toEqual({ trials: 1, trialDeviation: null })
    expect(trialsAround([trial('other', { sharpePerObservation: null })], trial('itself'), metrics)).toEqual({
      trials: 2,
      trialDeviation: null,
    })
  })
})
