import { liveThrough } from './live-through.ts'

liveThrough({ from: 111, to: 220 })
