import { liveThrough } from './live-through.ts'

liveThrough({ from: 1, to: 4, interval: '15s' })
liveThrough({ from: 1, to: 8, interval: '1m' })
liveThrough({ from: 1, to: 8, interval: '4h' })
