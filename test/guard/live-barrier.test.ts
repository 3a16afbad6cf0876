import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { quantity } from '../../lib/core/decimal.ts'
import { DAY_MS, fromIso, toIso } from '../../lib/core/time.ts'
import {
  CREDENTIALS_LIFE_MS,
  LIVE_GATES,
  type LiveGateName,
  liveBarriers,
  liveGates,
  type LiveQuestion,
} from '../../lib/guard/live-barrier.ts'
import { liveSizeCap } from '../../lib/guard/live-size.ts'
import { strategyHashOf } from '../../lib/guard/strategy-hash.ts'
import {
  type ClearanceWaiver,
  LiveClearance,
  type RecordFigures,
  type WaivableGate,
} from '../../schemas/live-clearance.ts'
import type { Gate } from '../../schemas/metrics.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'

const NOW = fromIso('2026-11-20T10:00:00Z')
const KEY = '0123456789abcdef'
const config = loadConfig({ overrides: { mode: 'live' } })
const FIRST = toIso(NOW - 15 * DAY_MS)

const CREDENTIALS = {
  verifiedAt: toIso(NOW - DAY_MS),
  keyFingerprint: KEY,
  portfolioUuid: 'p',
  symbol: config.market.symbol,
}
const PAPER = {
  evaluatedAt: toIso(NOW),
  firstSlot: FIRST,
  lastSlot: toIso(NOW),
  days: 14,
  cycles: 600,
  trades: 50,
  unresolvedIncidents: 0,
  configHash: strategyHashOf(config),
}
const OVERRIDE = { gate: 'paper_trades' as const, at: toIso(NOW), by: 'ann', reason: 'enough' }
const FIGURES: RecordFigures = {
  source: 'paper',
  name: 'the record',
  evaluatedAt: toIso(NOW),
  configHash: strategyHashOf(config),
  gates: [
    { gate: 'sharpe', result: 'pass', limit: 1, actual: 1.5, reason: 'The Sharpe ratio is 1.5.' },
    { gate: 'max_drawdown', result: 'pass', limit: 0.2, actual: 0.1, reason: 'Equity has fallen 10 %.' },
    { gate: 'trades', result: 'pass', limit: 50, actual: 51, reason: 'There are 51 closed trades.' },
  ],
}

const withGate = (name: Gate['gate'], changes: Partial<Gate>): RecordFigures => ({
  ...FIGURES,
  gates: FIGURES.gates.map((gate) => (gate.gate === name ? { ...gate, ...changes } : gate)),
})
const waiverOf = (gate: WaivableGate): ClearanceWaiver => ({ ...OVERRIDE, gate })

type Changes = {
  credentials?: Partial<typeof CREDENTIALS> | null
  paper?: Partial<typeof PAPER> | null
  override?: ClearanceWaiver | null
  figures?: RecordFigures[]
  waivers?: ClearanceWaiver[]
  keyFingerprint?: string | null
  overrides?: Record<string, unknown>
  clearance?: null
}

const questionOf = ({
  credentials = {},
  paper = {},
  override = null,
  figures = [FIGURES],
  waivers = [],
  keyFingerprint = KEY,
  overrides,
  clearance,
}: Changes): LiveQuestion => ({
  config: overrides === undefined ? config : loadConfig({ overrides: { mode: 'live', ...overrides } }),
  clearance:
    clearance === null
      ? null
      : LiveClearance.parse({
          ...CURRENT_VERSION,
          strategyId: config.id,
          credentials: credentials === null ? null : { ...CREDENTIALS, ...credentials },
          paper: paper === null ? null : { ...PAPER, ...paper },
          figures,
          waivers: override === null ? waivers : [...waivers, override],
        }),
  keyFingerprint,
  credentialsRemedy: 'set VENUE_KEY and VENUE_SECRET',
  now: NOW,
})

const few = { trades: 49 }
/** What shuts which gates, what the sentence says, and the nearest that leaves every gate open. */
const CASES: readonly { name: string; shut: Changes; gates: LiveGateName[]; says: RegExp; open: Changes }[] = [
  {
    name: 'no key was ever verified',
    shut: { credentials: null },
    gates: ['credentials'],
    says: /no credentials have been verified: run hourhand doctor in live mode/,
    open: {},
  },
  {
    name: 'no key is in use',
    shut: { keyFingerprint: null },
    gates: ['credentials'],
    says: /no key is set here: set VENUE_KEY and VENUE_SECRET/,
    open: {},
  },
  {
    name: 'another key was verified',
    shut: { keyFingerprint: 'f'.repeat(16) },
    gates: ['credentials'],
    says: /key 0123456789abcdef was verified, the key in use is f{16}: run hourhand doctor/,
    open: {},
  },
  {
    name: 'verified for another product',
    shut: { credentials: { symbol: 'BIP-20DEC30-CDE' } },
    gates: ['credentials'],
    says: /verified for BIP-20DEC30-CDE, not for ETP-20DEC30-CDE/,
    open: {},
  },
  {
    name: 'verified more than 30 days ago',
    shut: { credentials: { verifiedAt: toIso(NOW - CREDENTIALS_LIFE_MS - 1) } },
    gates: ['credentials'],
    says: /verified 30 days ago, more than 30: run hourhand doctor/,
    open: { credentials: { verifiedAt: toIso(NOW - CREDENTIALS_LIFE_MS) } },
  },
  {
    name: 'verified in the future',
    shut: { credentials: { verifiedAt: toIso(NOW + 120_001) } },
    gates: ['credentials'],
    says: /ahead of this clock: correct the clock/,
    open: { credentials: { verifiedAt: toIso(NOW + 120_000) } },
  },
  {
    name: 'thirteen days',
    shut: { paper: { days: 13 } },
    gates: ['paper_days'],
    says: /13 of 14 days with cycles on live prices: 1 more day in paper mode/,
    open: { paper: { days: 14 } },
  },
  {
    name: 'days that are forgotten before they count',
    shut: { paper: { days: 3 }, overrides: { retentionDays: 5 } },
    gates: ['paper_days'],
    says: /retentionDays = 5 forgets cycles before they count: set it to 14 or more/,
    open: { overrides: { retentionDays: 5 } },
  },
  {
    name: '49 trades',
    shut: { paper: few },
    gates: ['paper_trades'],
    says: /49 of 50 closed paper trades: 1 more trade, or hourhand live --override REASON --gate paper_trades/,
    open: { paper: { trades: 50 } },
  },
  {
    name: '49 trades, overridden',
    shut: { paper: few },
    gates: ['paper_trades'],
    says: /49 of 50/,
    open: { paper: few, override: OVERRIDE },
  },
  {
    name: 'an override of an earlier record',
    shut: { paper: few, override: { ...OVERRIDE, at: toIso(fromIso(FIRST) - 1) } },
    gates: ['paper_trades'],
    says: /overridden by ann at .*: enough, before this record began: 1 more trade/,
    open: { paper: few, override: { ...OVERRIDE, at: FIRST } },
  },
  {
    name: 'an override lifts no days',
    shut: { paper: { ...few, days: 13 }, override: OVERRIDE },
    gates: ['paper_days'],
    says: /13 of 14/,
    open: { paper: few, override: OVERRIDE },
  },
  {
    name: 'an override lifts no credentials',
    shut: { paper: few, credentials: null, override: OVERRIDE },
    gates: ['credentials'],
    says: /no credentials/,
    open: { paper: few, override: OVERRIDE },
  },
  {
    name: 'an override lifts no incident',
    shut: { paper: { ...few, unresolvedIncidents: 2 }, override: OVERRIDE },
    gates: ['paper_incidents'],
    says: /2 unresolved incidents on paper: look at hourhand status in paper mode, then hourhand resume/,
    open: { paper: few, override: OVERRIDE },
  },
  {
    name: 'one incident',
    shut: { paper: { unresolvedIncidents: 1 } },
    gates: ['paper_incidents'],
    says: /1 unresolved incident on paper/,
    open: {},
  },
  {
    name: 'a Sharpe ratio that does not pass',
    shut: { figures: [withGate('sharpe', { result: 'fail', actual: 0.9, reason: 'The Sharpe ratio is 0.9.' })] },
    gates: ['record_sharpe'],
    says: /The Sharpe ratio is 0.9. \(paper record the record\): .*hourhand live --override REASON --gate record_sharpe/,
    open: { figures: [FIGURES] },
  },
  {
    name: 'a drawdown of which too little is known',
    shut: { figures: [withGate('max_drawdown', { result: 'not_enough_evidence' })] },
    gates: ['record_drawdown'],
    says: /--gate record_drawdown/,
    open: {
      figures: [withGate('max_drawdown', { result: 'not_enough_evidence' })],
      waivers: [waiverOf('record_drawdown')],
    },
  },
  {
    name: 'fifty trades, where more are asked for',
    shut: { figures: [withGate('trades', { result: 'not_enough_evidence', actual: 50 })] },
    gates: ['record_trades'],
    says: /--gate record_trades/,
    open: { figures: [withGate('trades', { actual: 51 })] },
  },
  {
    name: 'an override of another gate',
    shut: { figures: [withGate('sharpe', { result: 'fail' })], waivers: [waiverOf('record_trades')] },
    gates: ['record_sharpe'],
    says: /record_sharpe/,
    open: { figures: [withGate('sharpe', { result: 'fail' })], waivers: [waiverOf('record_sharpe')] },
  },
  {
    name: 'figures of other settings',
    shut: { figures: [{ ...FIGURES, configHash: 'other' }] },
    gates: ['record_sharpe', 'record_drawdown', 'record_trades'],
    says: /no figures of a record with these settings: run hourhand live, or hourhand live --replay DIR/,
    open: {
      figures: [
        { ...FIGURES, configHash: 'other' },
        { ...FIGURES, source: 'replay' },
      ],
    },
  },
  {
    name: 'half of one record and half of another',
    shut: {
      figures: [
        withGate('sharpe', { result: 'fail' }),
        { ...withGate('trades', { result: 'fail' }), source: 'replay' },
      ],
    },
    gates: ['record_sharpe'],
    says: /paper record/,
    open: { figures: [withGate('sharpe', { result: 'fail' }), { ...FIGURES, source: 'replay' }] },
  },
  {
    name: 'a limit that was tightened after the record was judged',
    shut: { overrides: { gates: { minSharpe: 1.2, maxDrawdown: 0.1, minTrades: 60 } } },
    gates: ['record_sharpe', 'record_drawdown', 'record_trades'],
    says: /the limit was tightened since: run hourhand live again/,
    // Looser limits of the configuration ask for no less than the floors.
    open: { overrides: { gates: { minSharpe: -1, maxDrawdown: 0.9, minTrades: 0 } } },
  },
  {
    name: 'nothing was ever looked at',
    shut: { clearance: null },
    gates: [...LIVE_GATES],
    says: /no paper record has been looked at: run hourhand live/,
    open: {},
  },
  {
    name: 'higher demands',
    shut: { overrides: { live: { minPaperDays: 20, minPaperTrades: 80 } } },
    gates: ['paper_days', 'paper_trades'],
    says: /14 of 20 days.*50 of 80 closed paper trades/,
    open: { paper: { days: 20, trades: 80 }, overrides: { live: { minPaperDays: 20, minPaperTrades: 80 } } },
  },
]

describe('the gates before real money', () => {
  it.each(CASES)('shut: $name', ({ shut, gates, says }) => {
    const question = questionOf(shut)
    expect(liveGates(question).map(({ gate }) => gate)).toEqual([...LIVE_GATES])
    expect(
      liveGates(question)
        .filter(({ passed }) => !passed)
        .map(({ gate }) => gate),
    ).toEqual(gates)
    // Gates that are shut for one and the same reason tell it once.
    const told = liveGates(question).flatMap(({ passed, detail, remedy }) => (passed ? [] : [detail + remedy]))
    expect(liveBarriers(question)).toHaveLength(new Set(told).size)
    expect(liveBarriers(question).join('; ')).toMatch(says)
  })

  it.each(CASES)('open: nearest to $name', ({ open }) => {
    expect(liveBarriers(questionOf(open))).toEqual([])
    for (const { remedy, detail } of liveGates(questionOf(open))) expect([remedy, detail === '']).toEqual([null, false])
  })

  it('an override says so where it is what opens', () => {
    expect(
      liveGates(questionOf({ paper: few, override: OVERRIDE })).find(({ gate }) => gate === 'paper_trades')?.detail,
    ).toBe(`49 of 50 closed paper trades, overridden by ann at ${OVERRIDE.at}: enough`)
  })

  it('every gate has a case that shuts it', () => {
    expect(new Set(CASES.flatMap(({ gates }) => (gates.length === 1 ? gates : [])))).toEqual(
      new Set(LIVE_GATES.filter((gate) => gate !== 'strategy')),
    )
  })

  const strategies: [string, Record<string, unknown>][] = [
    ['decider', { decider: { kind: 'rules', stopAtr: 3 } }],
    ['guard', { guard: { maxLeverage: 2 } }],
    ['sizing', { sizing: { kellyFraction: 0.25 } }],
    ['exits', { exits: { maxHoldingMinutes: 60 } }],
    ['symbol', { market: { symbol: 'BIP-20DEC30-CDE' } }],
    ['interval', { interval: '1h' }],
  ]
  it.each(strategies)(
    'another %s is another strategy: nothing that was shown on paper counts, and no override',
    (_name, overrides) => {
      const gates = liveGates(
        questionOf({ overrides, override: OVERRIDE, credentials: { symbol: loadConfig({ overrides }).market.symbol } }),
      )
      expect(gates.filter(({ passed }) => !passed).map(({ gate }) => gate)).toEqual([
        'strategy',
        'paper_days',
        'paper_trades',
        'record_sharpe',
        'record_drawdown',
        'record_trades',
      ])
    },
  )

  it.each([
    ['mode', { mode: 'paper' }],
    ['address', { market: { baseUrl: 'http://127.0.0.1:1' } }],
    ['cost', { paper: { spreadBps: 4 }, live: { tradesPerSizeStep: 3 } }],
    ['retention', { retentionDays: 30 }],
  ] as [string, Record<string, unknown>][])('another %s is the same strategy', (_name, overrides) => {
    expect(strategyHashOf(loadConfig({ overrides }))).toBe(strategyHashOf(config))
  })
})

describe('the ceiling of live entries', () => {
  it.each([
    ['1', 0, 10, '1'],
    ['1', 9, 10, '1'],
    ['1', 10, 10, '2'],
    ['1', 19, 10, '2'],
    ['1', 30, 10, '8'],
    ['0.1', 4, 2, '0.4'],
    ['3', 1, 1, '6'],
    ['1', 1_000_000, 1, '1099511627776'],
  ])('minimum %s after %i trades in steps of %i: %s', (minQuantity, closed, step, cap) => {
    expect(liveSizeCap(quantity(minQuantity), closed, step)).toBe(cap)
  })

  it('starts at the minimum, never falls, and doubles over each step', () => {
    fc.assert(
      fc.property(fc.nat(380), fc.integer({ min: 1, max: 10 }), (closed, step) => {
        const cap = (trades: number) => Number(liveSizeCap(quantity('0.5'), trades, step))
        expect(cap(0)).toBe(0.5)
        expect(cap(closed + 1)).toBeGreaterThanOrEqual(cap(closed))
        if (closed / step < 39) expect(cap(closed + step)).toBe(2 * cap(closed))
      }),
    )
  })
})
