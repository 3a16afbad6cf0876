// A process of its own that records: `append-recordings.ts FILE NAME COUNT`. Appends COUNT answers, each to a question
// of
// its own, and one that every such process has in common.
import { hashOf } from '../../lib/core/canonical-json.ts'
import { openRecordingLog } from '../../lib/decision/recording-log.ts'
import { HELD, recordingOf } from './recording-fixture.ts'

const [file = '', name = '', count = '0'] = process.argv.slice(2)
const log = await openRecordingLog(file)
for (let at = 0; at < Number(count); at++) {
  // Lines of up to some 30 kB: many pages of a file system.
  await log.append(
    recordingOf(
      { promptHash: hashOf(`${name} ${at}`) },
      { ...HELD, attempts: [{ raw: name.repeat(1_000 * (at % 10)), problem: null, note: null }] },
    ),
  )
}
await log.append(recordingOf({ promptHash: hashOf('in common') }))
await log.close()
