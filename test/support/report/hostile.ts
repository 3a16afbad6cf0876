import type { ReportData } from '../../../schemas/report.ts'

/** Words that would be markup, end a script, or run, if anything took them for more than words. */
export const HOSTILE = `</script><img src=x onerror="globalThis.owned=1"><b>'"&amp;`

/** The report with hostile words wherever words of others can stand. */
export function withHostileWords(data: ReportData): ReportData {
  const { counts, halt, config } = data
  return {
    ...data,
    title: `${data.title} ${HOSTILE}`,
    model: HOSTILE,
    config: {
      ...config,
      news: { ...config.news, feeds: [{ name: HOSTILE.slice(0, 40), url: 'https://feeds.example/x' }] },
    },
    counts:
      counts === null
        ? null
        : {
            ...counts,
            failures: { [HOSTILE]: 1 },
            outcomes: { ...counts.outcomes, [HOSTILE]: 1 },
            refusalsByRule: { ...counts.refusalsByRule, [HOSTILE]: 3 },
          },
    gates: data.gates.map((gate) => ({ ...gate, reason: HOSTILE })),
    halt: halt === null ? null : { ...halt, reason: HOSTILE },
    metrics: {
      ...data.metrics,
      byRegime: { ...data.metrics.byRegime, [HOSTILE]: Object.values(data.metrics.bySide)[0] ?? data.metrics },
    },
    trades: data.trades.map((trade) => ({ ...trade, regime: HOSTILE })),
    stories: data.stories.map((story) => ({
      ...story,
      reason: HOSTILE,
      snapshot:
        story.snapshot === null
          ? null
          : {
              ...story.snapshot,
              news: {
                headlines: [{ title: HOSTILE, source: HOSTILE, publishedAt: null, ageMinutes: null }],
                feeds: [{ source: HOSTILE, ok: false, items: 0, problem: HOSTILE }],
              },
            },
      prompt: story.prompt === null ? null : { ...story.prompt, user: `${story.prompt.user}${HOSTILE}` },
      decision:
        story.decision === null
          ? null
          : {
              ...story.decision,
              decision: { ...story.decision.decision, rationale: HOSTILE },
              attempts: [{ raw: HOSTILE, problem: HOSTILE, note: null }],
            },
      verdicts: story.verdicts.map((verdict) => ({ ...verdict, reason: HOSTILE })),
    })),
  }
}
