import { openStore } from '../../compose/compose-ports.ts'
import { UsageError } from '../../core/invariant.ts'
import { evidenceOf } from '../../evidence/sizing-evidence.ts'
import { readAll } from '../../store/read-all.ts'
import { EvidenceReport } from '../../../schemas/cli.ts'
import type { Session } from '../session.ts'
import type { Answer } from './answer.ts'

/**
 * `hourhand evidence`: the stored record of trades as a setting that sizes by it, to be merged into a configuration.
 */
export async function evidenceCommand({ world, config }: Session): Promise<Answer> {
  const store = openStore(world)
  const trades = await readAll((page) => store.listTrades(config.id, page))
  if (trades.length === 0)
    throw new UsageError(
      `${config.id} has no closed ${config.mode} trades in this database: mind --data-dir, --table and --strategy, or take the evidence.json of hourhand replay --out`,
    )
  const document = EvidenceReport.parse({
    sizing: {
      evidence: evidenceOf(
        config,
        trades,
        `${config.mode} record, ${trades[0]?.entryTime} to ${trades.at(-1)?.exitTime}`,
      ),
    },
  })
  return { document, text: `${JSON.stringify(document, null, 2)}\n`, exitCode: 0 }
}
