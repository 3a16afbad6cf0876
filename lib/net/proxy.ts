import type { Agent } from 'node:http'
import { proxiesIn } from './proxies.ts'

/**
 * Makes an agent of Node's HTTP modules for one client. Undefined while no proxy is installed: then Node's own serves.
 */
type Installed = { makeAgent: () => Agent; undo: () => void }
let installed: Installed | null = null

/**
 * Sends every call of this process through the environment's proxies: `fetch` (models, feeds, exchanges) by its
 * dispatcher, the venue and AWS by agents. To be called once by an entry point; without proxies in the environment it
 * loads and changes nothing.
 */
export async function installProxies(variables: Readonly<Record<string, string | undefined>>): Promise<void> {
  const proxies = proxiesIn(variables)
  if (proxies.http === null && proxies.https === null) return
  const { installAgents } = await import('./proxy-agents.ts')
  installed?.undo()
  installed = installAgents(proxies)
}

/** Takes the proxies away again. */
export function removeProxies(): void {
  installed?.undo()
  installed = null
}

/** An agent that goes through the proxies, or undefined where there are none. */
export const proxyAgent = (): Agent | undefined => installed?.makeAgent()

/**
 * The same for a client of the AWS SDK. What is on this machine (the embedded database, DynamoDB Local) is asked
 * straight.
 */
export function awsAgents(endpoint?: string): { httpAgent?: Agent; httpsAgent?: Agent } {
  const isLocal = endpoint !== undefined && /^(?:127\.|localhost$|\[::1\]$)/.test(new URL(endpoint).hostname)
  const agent = isLocal ? undefined : proxyAgent()
  return agent === undefined ? {} : { httpAgent: agent, httpsAgent: agent }
}
