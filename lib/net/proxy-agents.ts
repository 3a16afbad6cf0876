import http from 'node:http'
import https from 'node:https'
import { Agent, type AgentConnectOpts } from 'agent-base'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { EnvHttpProxyAgent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { type Proxies, proxyFor } from './proxies.ts'

/**
 * Installs a dispatcher for `fetch`, and answers with what makes agents for everything else and with how to undo it.
 */
export function installAgents(proxies: Proxies): { makeAgent: () => http.Agent; undo: () => void } {
  const before = getGlobalDispatcher()
  const dispatcher = new EnvHttpProxyAgent({
    ...(proxies.http === null ? {} : { httpProxy: proxies.http }),
    ...(proxies.https === null ? {} : { httpsProxy: proxies.https }),
    noProxy: proxies.noProxy,
  })
  setGlobalDispatcher(dispatcher)
  return {
    makeAgent: () => new ProxyingAgent(proxies),
    undo: () => {
      setGlobalDispatcher(before)
      void dispatcher.close()
    },
  }
}

/**
 * Decides for each request by its address: through a tunnel (https), through the proxy as it is (http), or straight.
 */
class ProxyingAgent extends Agent {
  readonly #proxies: Proxies

  constructor(proxies: Proxies) {
    super()
    this.#proxies = proxies
  }

  override connect(request: http.ClientRequest, { secureEndpoint, port }: AgentConnectOpts): Promise<http.Agent> {
    const scheme = secureEndpoint ? 'https:' : 'http:'
    const host = String(request.getHeader('host') ?? '').replace(/:\d+$/, '')
    const proxy = proxyFor(new URL(`${scheme}//${host}:${port}`), this.#proxies)
    if (proxy === null) return Promise.resolve(secureEndpoint ? https.globalAgent : http.globalAgent)
    return Promise.resolve(secureEndpoint ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy))
  }
}
