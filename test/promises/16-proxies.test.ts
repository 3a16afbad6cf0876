import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { afterEach, describe, expect, it } from 'vitest'
import { sendHttpOnce } from '../../lib/venue/coinbase/http-once.ts'
import { runCli } from '../../lib/cli/run-cli.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { fetchFeed } from '../../lib/news/fetch-feed.ts'
import { proxiesIn, proxyFor } from '../../lib/net/proxies.ts'
import { awsAgents, installProxies, proxyAgent, removeProxies } from '../../lib/net/proxy.ts'
import { createHandler } from '../../lib/compose/lambda.ts'

const open: (Server | Socket)[] = []
afterEach(() => {
  removeProxies()
  for (const each of open.splice(0)) {
    if ('closeAllConnections' in each) each.closeAllConnections()
    if ('close' in each) each.close()
    else each.destroy()
  }
})
const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    open.push(server)
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })

/**
 * A proxy on this machine: every request and every tunnel it is asked for is noted, and answered by `target` whatever
 * its name.
 */
async function startProxy(answer: (request: IncomingMessage) => string) {
  const asked: string[] = []
  const target = await listen(createServer((request, reply) => reply.end(answer(request))))
  const proxy = createServer((request, reply) => {
    asked.push(`${request.method} ${request.url}`)
    reply.end(answer(request))
  })
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`)
    const upstream = connect(Number(new URL(target).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    open.push(upstream, socket)
    for (const each of [upstream, socket]) each.on('error', () => each.destroy())
  })
  return { url: await listen(proxy), asked }
}

const order = (url: string) =>
  sendHttpOnce({
    url,
    method: 'POST',
    headers: {},
    body: '{}',
    signal: AbortSignal.timeout(3_000),
    onConnected: () => {},
  })

describe('a deployed function', () => {
  const start = (variables: Record<string, string>) =>
    createHandler(
      { variables, write: () => {}, clock: () => 0, sleep: async () => {}, newId: () => 'one' },
      { asksModel: false },
      async () => 'done',
    )({ dryRun: true })

  it('sends its calls through the proxies of its environment', async () => {
    const proxy = await startProxy(() => '{}')
    expect(proxyAgent()).toBeUndefined()
    // Without a table it cannot begin: by then the proxies are installed.
    await expect(start({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url })).rejects.toThrow('HOURHAND_TABLE')
    expect(proxyAgent()).toBeDefined()
  })

  it('does not start with the address of something that is no proxy, and names the variable', async () => {
    await expect(start({ HTTPS_PROXY: 'ftp://user:word@proxy' })).rejects.toThrow(/^HTTPS_PROXY: not the address/)
  })
})

describe('every call leaves through the proxy that the environment names', () => {
  it('models and exchanges (fetch), feeds, orders at the venue and AWS', async () => {
    const proxy = await startProxy(() => '{"Parameter":{"Type":"SecureString","Value":"x"}}')
    await installProxies({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url })
    expect(await (await fetch('http://model.example/v1/models')).text()).toContain('Parameter')
    await fetchFeed({ url: 'http://feed.example/rss', signal: AbortSignal.timeout(3_000), maxBytes: 10_000 })
    expect(await order('http://venue.example/orders')).toMatchObject({ status: 200 })
    const client = new SSMClient({
      endpoint: 'http://ssm.example',
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: awsAgents('http://ssm.example'),
    })
    await client.send(new GetParameterCommand({ Name: 'n' }))
    client.destroy()
    const hosts = proxy.asked.map((line) => /([a-z]+\.example)/.exec(line)?.[1])
    expect(hosts).toEqual(['model.example', 'feed.example', 'venue.example', 'ssm.example'])
  })

  it('what is encrypted goes through a tunnel, which the proxy is asked for by name', async () => {
    const proxy = await startProxy(() => 'no TLS here')
    await installProxies({ https_proxy: proxy.url })
    // The other end speaks no TLS: that the tunnel was asked for is what counts.
    await Promise.allSettled([fetch('https://model.example/v1'), order('https://venue.example/orders')])
    expect(proxy.asked.filter((line) => line.startsWith('CONNECT')).toSorted()).toEqual([
      'CONNECT model.example:443',
      'CONNECT venue.example:443',
    ])
  })

  it('NO_PROXY keeps names out, and the database on this machine is never asked through a proxy', async () => {
    const proxy = await startProxy(() => 'by the proxy')
    const direct = await listen(createServer((_, reply) => reply.end('direct')))
    await installProxies({ HTTP_PROXY: proxy.url, NO_PROXY: 'localhost,127.0.0.1' })
    expect(await (await fetch(direct)).text()).toBe('direct')
    expect(await order(`${direct}/orders`)).toMatchObject({ text: 'direct' })
    expect(proxy.asked).toEqual([])
    await installProxies({ HTTP_PROXY: proxy.url })
    expect(await (await fetch(direct)).text()).toBe('by the proxy')
    expect(awsAgents('http://127.0.0.1:8000')).toEqual({})
    expect(awsAgents('http://localhost:8000')).toEqual({})
    expect(awsAgents()).not.toEqual({})
  })

  it.each([
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['a.example', 'https://x.a.example', true],
    ['.a.example', 'https://x.a.example', true],
    ['*.a.example', 'https://x.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['a.example:8443', 'https://a.example', false],
    ['a.example:443', 'https://a.example', true],
    ['b.example, a.example', 'https://a.example', true],
    ['', 'https://a.example', false],
  ])('NO_PROXY=%s leaves %s out: %s', (noProxy, url, isOut) => {
    const proxies = proxiesIn({ HTTPS_PROXY: 'proxy.example:3128', NO_PROXY: noProxy })
    expect(proxyFor(new URL(url), proxies)).toBe(isOut ? null : 'http://proxy.example:3128')
  })

  it('an address that is none ends with a sentence that names the variable and not its value', async () => {
    expect(() => proxiesIn({ HTTPS_PROXY: 'socks5://user:secret@host' })).toThrow(UsageError)
    let stderr = ''
    const code = await runCli(['trials'], {
      stdout: () => {},
      stderr: (text) => (stderr += text),
      env: { HTTPS_PROXY: 'socks5://user:secret@host' },
      clock: () => 0,
      newId: () => 'id',
      sleep: async () => {},
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/HTTPS_PROXY: not the address of an HTTP proxy/)
    expect(stderr).not.toContain('secret')
  })

  it('without proxies nothing is changed', async () => {
    await installProxies({ PATH: '/bin' })
    expect(awsAgents()).toEqual({})
  })
})
