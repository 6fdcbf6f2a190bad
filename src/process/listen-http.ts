import type { Server } from 'node:http'
import { type AddressInfo, createServer, Server as TcpServer } from 'node:net'
import { type Bound, listenEverywhere, type Resolve } from './listen-everywhere.ts'

/** Where an HTTP server listens: the IP addresses of its host, all with one port. */
export type Listening = Readonly<{ port: number; addresses: readonly string[] }>

/** For servers that listen on more than one address: the sockets of all addresses but the first. */
const furtherSockets = new WeakMap<Server, readonly TcpServer[]>()

/**
 * Makes one HTTP server listen on every address of `host`. A server of Node.js listens on one address only,
 * so each further address gets a socket of its own, which passes its connections to the server. So timeouts,
 * limits and handlers are the same for all. Close such a server with `stopListening`; `server.close()` alone
 * is not enough.
 *
 * @throws {FaultError} when it cannot listen on all addresses
 */
export async function listenHttp(
  server: Server,
  where: Readonly<{ host: string; port: number }>,
  resolve?: Resolve,
): Promise<Listening> {
  const bound = await listenEverywhere(
    where,
    (address, port) => bind(server.listening ? furtherSocketOf(server) : server, address, port),
    resolve,
  )
  furtherSockets.set(
    server,
    bound.flatMap(({ socket }) => (socket === server ? [] : [socket])),
  )
  return { port: bound[0]!.port, addresses: bound.map(({ address }) => address) }
}

/**
 * Closes the sockets on which `server` listens. All connections stay open, also idle ones, which
 * `server.close()` would end.
 */
export function stopListening(server: Server): void {
  TcpServer.prototype.close.call(server)
  for (const socket of furtherSockets.get(server) ?? []) socket.close()
}

function furtherSocketOf(server: Server): TcpServer {
  // The options with which an HTTP server of Node.js listens.
  return createServer({ allowHalfOpen: true, noDelay: true }, (connection) => {
    server.emit('connection', connection)
  })
}

type BoundSocket = Bound & Readonly<{ socket: TcpServer; address: string }>

function bind(socket: TcpServer, host: string, port: number): Promise<BoundSocket> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.listen({ host, port }, () => {
      socket.off('error', reject)
      const { port: boundPort, address } = socket.address() as AddressInfo
      const release = () => new Promise<void>((done) => TcpServer.prototype.close.call(socket, () => done()))
      resolve({ socket, address, port: boundPort, release })
    })
  })
}
