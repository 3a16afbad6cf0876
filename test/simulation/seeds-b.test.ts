import { liveThrough } from './live-through.ts'

liveThrough({ from: 126, to: 250 })
