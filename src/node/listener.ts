import { type AddressInfo, createServer, type Socket } from 'node:net'
import { listenEverywhere, type Resolve } from '../process/listen-everywhere.ts'

/**
 * Sockets on which a node listens, and the connections that were made to them. grpc-js has sockets of its
 * own, but ends their connections only when the other end does: a connector that was stopped would then
 * prevent a node from ending.
 */
export type Listener = Readonly<{
  port: number
  /** Takes no further connections, and resolves when all connections have ended. May be called again. */
  close: () => Promise<void>
  /** Ends all connections at once. */
  destroyConnections: () => void
}>

/**
 * Listens on every address that `host` stands for; port 0 takes any free one. `resolve` is the system's
 * resolver unless a test brings its own.
 *
 * @throws {FaultError} when it cannot listen
 */
export async function listen(
  where: Readonly<{ host: string; port: number }>,
  onConnection: (connection: Socket) => void,
  resolve?: Resolve,
): Promise<Listener> {
  const connections = new Set<Socket>()
  const accept = (connection: Socket): void => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
    onConnection(connection)
  }
  const bound = await listenEverywhere(where, (address, port) => bind(accept, address, port), resolve)
  return {
    port: bound[0]!.port,
    close: async () => {
      await Promise.all(bound.map(({ release }) => release()))
    },
    destroyConnections: () => {
      for (const connection of connections) connection.destroy()
    },
  }
}

type BoundServer = Readonly<{ port: number; release: () => Promise<void> }>

function bind(accept: (connection: Socket) => void, host: string, port: number): Promise<BoundServer> {
  const server = createServer({ noDelay: true }, accept)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const release = () => new Promise<void>((done) => server.close(() => done()))
      resolve({ port: (server.address() as AddressInfo).port, release })
    })
  })
}
