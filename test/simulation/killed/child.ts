import { spawn } from 'node:child_process'
import type { Chance } from '../chance.ts'
import type { Edge, Passing } from './gate.ts'

export type Command = 'cycle' | 'enforce'

/** When a process is to die: with its n-th request of a kind, after a time, or not at all. */
export type Fate =
  | { kind: 'spared' }
  | { kind: 'timer'; ms: number }
  | { kind: 'request' | 'write' | 'state' | 'order'; ordinal: number; edge: Edge }

export type Ended = {
  code: number | null
  isKilled: boolean
  stdout: string
  stderr: string
  ms: number
  requests: number
  writes: number
}

type Kind = Exclude<Fate['kind'], 'spared'>

/** How often each kind of death is drawn. */
const KINDS: Record<Command, readonly [Kind, ...Kind[]]> = {
  cycle: ['request', 'write', 'state', 'state', 'order', 'timer'],
  enforce: ['request', 'request', 'request', 'state', 'state', 'timer'],
}

/** What a child of each command does when nothing happens to it, learnt from those that lived. */
export class Habits {
  private readonly of: Record<Command, { startMs: number; ms: number; requests: number; writes: number }> = {
    cycle: { startMs: 150, ms: 2_000, requests: 60, writes: 12 },
    enforce: { startMs: 150, ms: 1_000, requests: 20, writes: 3 },
  }

  learn(command: Command, { ms, requests, writes }: Ended): void {
    const known = this.of[command]
    // The longest lives are the interesting ones; they are forgotten by and by.
    known.ms = Math.max(ms, known.ms * 0.9)
    known.requests = Math.max(requests, known.requests * 0.9)
    known.writes = Math.max(writes, known.writes * 0.9)
  }

  /** Draws a fate; most deaths are while something is being asked for, and many while something is being changed. */
  draw(command: Command, chance: Chance, pKill: number): Fate {
    const { startMs, ms, requests, writes } = this.of[command]
    const isKilled = chance.happens(pKill)
    // Most passes of enforcement change nothing.
    const kind = chance.pick(KINDS[command])
    const edge = edgeOf(chance)
    const share = chance.between(0, 1)
    if (!isKilled) return { kind: 'spared' }
    if (kind === 'timer') return { kind, ms: startMs + share * Math.max(0, ms - startMs) }
    const most = { request: requests, write: writes, state: command === 'cycle' ? 4 : 2, order: 1.2 }
    return { kind, ordinal: 1 + Math.floor(share * most[kind]), edge }
  }
}

function edgeOf(chance: Chance): Edge {
  const at = chance.pick<Edge['at']>(['lost', 'late', 'arrived', 'answered'])
  const ms = chance.between(0, 1)
  switch (at) {
    case 'late':
      return { at, ms: 5 + ms * 400 }
    case 'answered':
      return { at, ms: ms * 12 }
    case 'lost':
    case 'arrived':
      return { at }
    default:
      return at satisfies never
  }
}

/** An order or a cancel at the venue. */
export const isOrder = ({ target, method, path }: Passing): boolean =>
  target === 'venue' && method === 'POST' && /\/orders($|\/)/.test(path) && !path.includes('preview')

/** The one write that moves the strategy; what follows from it is still to be told. */
const isState = (passing: Passing): boolean =>
  passing.target === 'database' && isWrite(passing) && passing.body.includes('"sk":{"S":"STATE"}')

/** A request that changes something at the venue or in the database. */
export const isWrite = (passing: Passing): boolean =>
  isOrder(passing) || (passing.target === 'database' && String(passing.headers['x-amz-target']).endsWith('PutItem'))

const IS_OF = { request: () => true, write: isWrite, state: isState, order: isOrder }

/** One process of the command line. Its requests are counted here, and it dies of the one that its fate names. */
export class Child {
  readonly ended: Promise<Ended>
  isAlive = true
  isKilled = false
  private readonly fate: Fate
  private readonly process: ReturnType<typeof spawn>
  private readonly counts = { request: 0, write: 0, state: 0, order: 0 }
  private deathUnderWay = false

  constructor({
    program,
    args,
    env,
    fate,
    cwd,
  }: {
    program: string
    args: readonly string[]
    env: Record<string, string>
    fate: Fate
    cwd: string
  }) {
    this.fate = fate
    const began = performance.now()
    this.process = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const timer = fate.kind === 'timer' ? setTimeout(() => this.kill(), fate.ms) : null
    const out = { stdout: '', stderr: '' }
    this.process.stdout?.on('data', (chunk: Buffer) => (out.stdout += chunk.toString('utf8')))
    this.process.stderr?.on('data', (chunk: Buffer) => (out.stderr += chunk.toString('utf8')))
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject)
      this.process.on('close', (code, signal) => {
        this.isAlive = false
        if (timer !== null) clearTimeout(timer)
        resolve({
          code,
          isKilled: signal === 'SIGKILL',
          ...out,
          ms: performance.now() - began,
          requests: this.counts.request,
          writes: this.counts.write,
        })
      })
    })
  }

  /** A request of this process has left it. */
  passing(passing: Passing): Edge | null {
    this.counts.request += 1
    if (isWrite(passing)) this.counts.write += 1
    if (isState(passing)) this.counts.state += 1
    if (isOrder(passing)) this.counts.order += 1
    const { fate } = this
    if (this.deathUnderWay || fate.kind === 'spared' || fate.kind === 'timer') return null
    if (!IS_OF[fate.kind](passing) || this.counts[fate.kind] !== fate.ordinal) return null
    this.deathUnderWay = true
    return fate.edge
  }

  kill(): void {
    if (this.isAlive && this.process.kill('SIGKILL')) this.isKilled = true
  }
}
