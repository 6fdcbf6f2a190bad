import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { systemClock } from '../process/clock.ts'
import type { ConnectionLimit } from '../process/connection-limit.ts'
import type { Resolve } from '../process/listen-everywhere.ts'
import { SERVER_OPTIONS } from '../rpc/channel-options.ts'
import type {
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  ScanRange,
} from '../rpc/messages.ts'
import { type DescribeRequest, nodeService, type ScanPage, SERVICE_NAME } from '../rpc/service.ts'
import { SecureDoor, type SecureDoorOptions } from '../tls/secure-door.ts'
import { resetAnsweredStreams } from './answered-streams.ts'
import { Exchange } from './exchange.ts'
import type { NodeHandler } from './handler.ts'
import { Health } from './health.ts'
import { HeldChanges } from './held-changes.ts'
import { type Listener, listen } from './listener.ts'
import { addReflection } from './reflection.ts'

/** The records in one page of a scan, at most. */
const SCAN_PAGE_RECORDS = 128

/** A node's gRPC server, not yet listening. */
export type NodeService = Readonly<{
  /**
   * Listens on every address that `host` stands for, and resolves with the port; port 0 takes any free one.
   * `resolve` is the system's resolver unless a test brings its own. Called once.
   *
   * @throws {FaultError} when it cannot listen
   */
  listen: (where: Readonly<{ host: string; port: number }>, resolve?: Resolve) => Promise<number>
  /** Sets the answer to health checks, for the whole server and for `cohort.v1.Node`. */
  setServing: (isServing: boolean) => void
  /**
   * Takes no further connections, answers what was read, ends every stream, and resolves when all connections
   * have ended. Connections that have not ended after `timeoutMs` are cut.
   */
  drain: (timeoutMs: number) => Promise<void>
  /** Cuts all connections. May be called again, and when the service has never listened. */
  close: () => void
}>

/** How a node uses TLS: its files, and what it does when it refuses a connection. */
export type NodeSecurity = Omit<SecureDoorOptions, 'onConnection'>

/**
 * Builds the gRPC server of a node: `cohort.v1.Node`, `grpc.health.v1` and server reflection. With TLS, only
 * connectors get these. A node gets health checks alone, so that the certificate of a node is of no use
 * against another node.
 *
 * @param connections counts the connections that may send requests: with TLS, those after a good handshake
 * @param security `undefined`: everyone who reaches the port gets everything
 */
export function buildNodeService(
  handler: NodeHandler,
  connections: ConnectionLimit,
  security?: NodeSecurity,
): NodeService {
  const server = new Server(SERVER_OPTIONS)
  const exchanges = new Set<Exchange>()
  const heldChanges = new HeldChanges(handler, systemClock)
  server.addService(nodeService, {
    exchange: (call: ServerDuplexStream<Buffer, Buffer>) => {
      const exchange = new Exchange(call, handler, () => exchanges.delete(exchange))
      exchanges.add(exchange)
    },
    describe: (
      _call: ServerUnaryCall<DescribeRequest, Description>,
      callback: sendUnaryData<Description>,
    ) => {
      const description = handler.describe()
      if (description === undefined) callback(STORE_FAILED)
      else callback(null, description)
    },
    digest: (call: ServerUnaryCall<DigestRequest, DigestAnswer>, callback: sendUnaryData<DigestAnswer>) => {
      const answer = handler.digest(call.request)
      if (answer === undefined) callback(STORE_FAILED)
      else if (answer === 'counting') callback(STILL_COUNTING)
      else callback(null, answer)
    },
    changes: (
      call: ServerUnaryCall<ChangesRequest, ChangesAnswer>,
      callback: sendUnaryData<ChangesAnswer>,
    ) => {
      const cancel = heldChanges.ask(call.request, (answer) => {
        if (answer === undefined) callback(STORE_FAILED)
        else callback(null, answer)
      })
      call.on('cancelled', cancel)
    },
    scan: (call: ServerWritableStream<ScanRange, ScanPage>) => {
      void sendPages(call, handler)
    },
  })

  const health = new Health()
  health.addToServer(server)
  const setServing = (isServing: boolean) => {
    for (const name of ['', SERVICE_NAME]) health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING')
  }
  setServing(false)

  addReflection(server)

  const healthServer = new Server(SERVER_OPTIONS)
  health.addToServer(healthServer)

  const accept = acceptorOf({ server, healthServer, connections, security })
  let listener: Listener | undefined
  const endResets = resetAnsweredStreams()
  const close = (): void => {
    endResets()
    void listener?.close()
    listener?.destroyConnections()
    server.forceShutdown()
    healthServer.forceShutdown()
  }
  return {
    listen: async (where, resolve) => {
      listener = await listen(where, accept, resolve)
      return listener.port
    },
    setServing,
    drain: async (timeoutMs) => {
      const timer = setTimeout(close, timeoutMs)
      const allGone = listener?.close()
      for (const exchange of exchanges) exchange.end()
      heldChanges.end()
      // Ends each connection after its last stream.
      server.tryShutdown(() => undefined)
      healthServer.tryShutdown(() => undefined)
      await allGone
      clearTimeout(timer)
    },
    close,
  }
}

/** Takes the connections of the listener. */
function acceptorOf({
  server,
  healthServer,
  connections,
  security,
}: Readonly<{
  server: Server
  healthServer: Server
  connections: ConnectionLimit
  security: NodeSecurity | undefined
}>): (connection: Socket) => void {
  // The connections are decrypted before grpc-js gets them.
  const [everything, healthOnly] = [server, healthServer].map((one) => {
    const injector = one.createConnectionInjector(ServerCredentials.createInsecure())
    return (connection: Socket) => {
      if (connections.admit(connection)) injector.injectConnection(connection)
    }
  })
  if (security === undefined) return everything!
  const door = new SecureDoor({
    ...security,
    onConnection: (connection, { kind }) => (kind === 'connector' ? everything : healthOnly)!(connection),
  })
  return (connection) => door.accept(connection)
}

const NOT_MEANT = {
  code: status.FAILED_PRECONDITION,
  details: 'the scan is for another node, or for another epoch of the cluster',
}

const STILL_COUNTING = {
  code: status.UNAVAILABLE,
  details: 'the node has started, and still counts its records',
}

const STORE_FAILED = { code: status.UNAVAILABLE, details: 'the store of the node has failed' }

/** Sends a range page by page, one in each turn, so that a scan of a million records delays no write. */
async function sendPages(
  call: ServerWritableStream<ScanRange, ScanPage>,
  handler: NodeHandler,
): Promise<void> {
  const { omitValues } = call.request
  let { start, limit: left = Number.POSITIVE_INFINITY } = call.request
  // One listener for the whole scan: a new one for each wait would never be removed.
  const cancelled = once(call, 'cancelled')
  cancelled.catch(() => undefined)
  while (!call.cancelled) {
    const slice = handler.scan({ ...call.request, start }, Math.min(SCAN_PAGE_RECORDS, left))
    if (slice === undefined || slice === 'not_meant') {
      call.emit('error', slice === undefined ? STORE_FAILED : NOT_MEANT)
      return
    }
    const { entries, nextStart } = slice
    // A reader that has left causes a cancellation and no 'drain'.
    if (entries.length > 0 && !call.write({ entries, omitValues })) {
      const waiting = new AbortController()
      const drained = once(call, 'drain', { signal: waiting.signal })
      drained.catch(() => undefined)
      await Promise.race([drained, cancelled])
      waiting.abort()
    }
    left -= entries.length
    if (nextStart === undefined || left === 0) {
      call.end()
      return
    }
    start = nextStart
    await nextTurn()
  }
}
