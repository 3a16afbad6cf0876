// A thread begins as plain JavaScript; from here on it reads TypeScript as the process that started it does.
import { register } from 'tsx/esm/api'

register()
await import('./case-thread.ts')
