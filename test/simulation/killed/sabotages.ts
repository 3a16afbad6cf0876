/** A line of the code, replaced in the program that is run: to see that it is noticed. */
export type Sabotage = { file: string; from: string; to: string }

export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  /** What a dead process had to tell is not told by the next. */
  'lost-outbox': { file: 'lib/execution/commit.ts', from: '    await deliver(ports, stored)\n', to: '' },
  /** The intent is sent before it is kept. */
  'sent-first': {
    file: 'lib/execution/enter-position.ts',
    from: '  const intended = await commit(',
    to: '  await ports.broker.place(order, deadline)\n  const intended = await commit(',
  },
}
