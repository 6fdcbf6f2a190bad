import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenFault } from '../process/fault.ts'
import type { Metrics } from './metrics.ts'

/** A server that shows metrics, and nothing else. */
export type MetricsServer = Readonly<{ port: number; close: () => void }>

/**
 * Serves `GET /metrics` on a port of its own; 0 takes any free one.
 *
 * @throws {FaultError} when it cannot listen
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: Readonly<{ host: string; port: number }>,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    void answer(metrics, request, response)
  })
  await listen(server, host, port)
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(
  metrics: Metrics,
  { method, url }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (url?.split('?', 1)[0] !== '/metrics') {
    response.writeHead(404).end('There is nothing here but /metrics.\n')
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
  } else {
    const text = await metrics.render()
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenFault(`${host}:${port}`, cause)))
    server.listen({ host, port }, resolve)
  })
}
