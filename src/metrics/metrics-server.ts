import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenHttp, stopListening } from '../process/listen-http.ts'
import { nodeHttp } from '../process/node-http.ts'
import type { Metrics } from './metrics.ts'

/** A server that shows metrics, and nothing else. */
export type MetricsServer = Readonly<{ port: number; close: () => void }>

/**
 * Serves `GET /metrics` on a port of its own (0: any free port), on every address of `host`.
 *
 * @throws {FaultError} when it cannot listen
 */
export async function serveMetrics(
  metrics: Metrics,
  where: Readonly<{ host: string; port: number }>,
): Promise<MetricsServer> {
  const server = nodeHttp.createServer((request, response) => {
    void answer(metrics, request, response)
  })
  const { port } = await listenHttp(server, where)
  return {
    port,
    close: () => {
      stopListening(server)
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
    response.writeHead(404).end('This server has only /metrics.\n')
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
  } else {
    const text = await metrics.render()
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
  }
}
