import { buildPrompt } from '../decision/prompt.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { Story } from '../../schemas/replay.ts'

/** The story of a cycle, as a run writes it down: a prompt that was asked of nobody is left out. */
export const storyOf = ({
  cycleId,
  slot,
  outcome,
  reason,
  snapshot,
  prompt,
  decision,
  guardFacts,
  verdicts,
  order,
  fills,
}: CycleRecord): Story => ({
  cycleId,
  slot,
  outcome: outcome ?? 'failed',
  reason,
  snapshot,
  prompt,
  decision,
  guardFacts,
  verdicts,
  order,
  fills,
})

/** A story with its prompt, rendered where the run left it out: it is a function of the snapshot. */
export const withPrompt = (story: Story): Story =>
  story.prompt === null && story.snapshot !== null ? { ...story, prompt: buildPrompt(story.snapshot) } : story
