import type { Story } from '../../../schemas/replay.ts'
import type { ReportData } from '../../../schemas/report.ts'
import type { Verdict } from '../verdict.ts'
import type { Columns } from './columns.ts'

type Columned = 'bars' | 'equity' | 'decisions' | 'trades'

/** What the page shows before anything is inflated. */
export type Summary = Omit<ReportData, Columned | 'stories'> & { verdict: Verdict }

/** What the charts and lists are made of, inflated when the page opens. */
export type Series = Pick<ReportData, Columned> & {
  /** Which stories there are, in the order they are packed in. */
  stories: { perChunk: number; cycleId: string[]; slot: string[]; outcome: Story['outcome'][] }
  /** System prompts, told once; a packed story names one by its place. */
  systemPrompts: string[]
}

/** The same as it is packed. */
export type PackedSeries = Omit<Series, 'trades'> & { trades: Columns }

/** A story as it lies in its chunk. */
export type PackedStory = Omit<Story, 'prompt'> & {
  prompt: (Omit<NonNullable<Story['prompt']>, 'system'> & { system: number }) | null
}
