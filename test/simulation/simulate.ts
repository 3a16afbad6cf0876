import { runScenario } from './run-scenario.ts'
import { scenarioOf } from './scenario.ts'

const seed = Number(process.argv[2] ?? 1)
const count = Number(process.argv[3] ?? 1)
const started = Date.now()
let bad = 0
const totals = { steps: 0, points: 0, entries: 0, trades: 0, naked: 0 }
for (let s = seed; s < seed + count; s++) {
  const report = await runScenario(scenarioOf(s), count === 1 ? { trace: (line) => console.log(line) } : {})
  totals.steps += report.steps; totals.points += report.crashPoints; totals.entries += report.entries; totals.trades += report.trades
  totals.naked = Math.max(totals.naked, report.longestNakedS)
  if (report.violations.length > 0) { bad++; if (bad < 15) console.log(s, report.violations.map((v) => `${v.invariant} ${v.at.slice(11, 19)} ${v.text.slice(0, 300)}`)) }
}
console.log({ bad, count, ms: Date.now() - started, ...totals })
