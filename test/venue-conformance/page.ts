import { VENUES } from '../../lib/venue/registry.ts'
import { Capabilities } from '../../schemas/venue.ts'
import { harnessOf, runCases } from './run-cases.ts'

const ABOUT: Readonly<Record<keyof Capabilities, string>> = {
  attachedExits: 'a stop and a target go with the entry',
  oneCancelsOther: 'a stop and a target rest as one, and one cancels the other',
  reduceOnly: 'orders that can only reduce a position',
  editsInPlace: 'the prices of a resting order change without a moment in which none rests',
  listsFunding: 'every funding settlement is listed; where not, funding is inferred from cash',
  listsTransfers: 'deposits and withdrawals are listed',
  pushesChanges: 'the venue tells of changes by itself',
  refusesDuplicateIds: 'one client id makes one order',
  deadManSwitch: 'what rests is cancelled when the venue hears nothing for a while',
  demoHost: 'an address without money that behaves like the real one',
  wholePositionCalls: 'a call of its own closes a whole position',
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)

/** The page of a venue: what it can do, what it is given, and what the conformance cases found. */
export async function pageOf(id: string): Promise<string> {
  const venue = VENUES.find((one) => one.id === id)
  if (venue === undefined) throw new Error(`the registry has no venue ${id}`)
  const results = await runCases(harnessOf(id))
  const passed = results.filter(({ outcome }) => outcome.kind === 'passed').length
  const excused = results.filter(({ outcome }) => outcome.kind === 'not applicable').length
  const variables = venue.credentials?.parts ?? []
  return [
    '<!-- prettier-ignore-start -->',
    `# ${venue.title} (\`${id}\`)`,
    '',
    'Made by `npm run conformance -- --write` from the registry and from the conformance cases; a test holds it against both.',
    '',
    '## Credentials',
    '',
    ...(variables.length === 0
      ? ['None.']
      : table(
          ['environment variable', 'holds', 'kept out of logs'],
          variables.map(({ variable, what, isSecret }) => [`\`${variable}\``, what, isSecret ? 'yes' : 'no']),
        )),
    '',
    '## Capabilities',
    '',
    ...table(
      ['capability', 'means', 'here'],
      Object.keys(Capabilities.shape).map((name) => [
        `\`${name}\``,
        ABOUT[name as keyof Capabilities],
        venue.capabilities[name as keyof Capabilities] ? 'yes' : 'no',
      ]),
    ),
    '',
    '## Conformance',
    '',
    `${passed} of ${results.length} cases passed, ${excused} do not apply, ${results.length - passed - excused} failed.`,
    '',
    ...table(
      ['case', 'law', 'result'],
      results.map(({ case: one, outcome }) => [
        one.id,
        one.title,
        outcome.kind === 'passed' ? 'passed' : `${outcome.kind}: ${outcome.reason.replaceAll(/\s+/g, ' ')}`,
      ]),
    ),
    '',
    '<!-- prettier-ignore-end -->',
    '',
  ].join('\n')
}
