import { liveThrough } from './live-through.ts'

liveThrough({ from: 1, to: 100 })
