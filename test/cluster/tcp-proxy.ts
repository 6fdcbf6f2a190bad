/** A TCP proxy between two processes of a test. The test makes it fail as a network fails. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** The direction of bytes: to the server, or back to the client. */
export type Direction = 'toServer' | 'toClient'

/** What is wrong with one direction. */
type Condition = {
  isHeld: boolean
  delayMs: number
  /** So many bytes go through before the connection that carries the next one is closed. */
  restBytes: number
}

/**
 * The largest number of bytes that wait in one direction of a connection. The proxy then stops reading from
 * the sender.
 */
const WAITING_BYTES_MAX = 1 << 20

export class TcpProxy {
  readonly #server: Server
  readonly #port: number
  readonly #targetPort: number
  readonly #connections = new Set<Connection>()
  readonly #conditions: { readonly [direction in Direction]: Condition } = {
    toServer: { isHeld: false, delayMs: 0, restBytes: Number.POSITIVE_INFINITY },
    toClient: { isHeld: false, delayMs: 0, restBytes: Number.POSITIVE_INFINITY },
  }
  #isCut = false

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
    this.#targetPort = targetPort
    server.on('connection', (client) => this.#accept(client))
  }

  /**
   * Listens on `port` (default: any that is free) of 127.0.0.1 for connections to `targetPort` of the same.
   */
  static async start(targetPort: number, port = 0): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new TcpProxy(server, targetPort)
  }

  /** Where it listens, as `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** The number of connections that go through it. */
  get connectionCount(): number {
    return this.#connections.size
  }

  /** Resets every connection, and each new one until `heal`. */
  cut(): void {
    this.#isCut = true
    for (const connection of this.#connections) connection.reset()
  }

  /**
   * Nothing arrives in this direction any more, and neither side is told. After `heal` it does arrive, as it
   * would from a sender that repeats what was not acknowledged. (New connections are still accepted, by the
   * kernel.)
   */
  blackHole(direction: Direction): void {
    this.#conditions[direction].isHeld = true
  }

  /** From now on everything in this direction takes this much longer, in the same order. */
  delay(direction: Direction, delayMs: number): void {
    this.#conditions[direction].delayMs = delayMs
  }

  /**
   * After so many more bytes in this direction, of all connections together, the connection that carries the
   * next one is closed for both sides. That happens once.
   */
  cutAfter(direction: Direction, byteCount: number): void {
    this.#conditions[direction].restBytes = byteCount
  }

  /** Whether `cutAfter` still waits for its bytes. */
  isArmed(direction: Direction): boolean {
    return this.#conditions[direction].restBytes !== Number.POSITIVE_INFINITY
  }

  /** Ends every fault. */
  heal(): void {
    this.#isCut = false
    for (const condition of Object.values(this.#conditions)) {
      condition.isHeld = false
      condition.delayMs = 0
      condition.restBytes = Number.POSITIVE_INFINITY
    }
    for (const connection of this.#connections) connection.forward()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.on('error', () => undefined)
      client.resetAndDestroy()
      return
    }
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const connection = new Connection(client, server, this.#conditions)
    this.#connections.add(connection)
    client.once('close', () => this.#connections.delete(connection))
  }
}

class Connection {
  readonly #client: Socket
  readonly #server: Socket
  readonly #pipes: readonly Pipe[]

  constructor(client: Socket, server: Socket, conditions: Readonly<{ [direction in Direction]: Condition }>) {
    this.#client = client
    this.#server = server
    this.#pipes = [
      new Pipe(client, server, conditions.toServer),
      new Pipe(server, client, conditions.toClient),
    ]
    for (const socket of [client, server]) {
      // An error on one side becomes a reset on the other side.
      socket.on('error', () => this.reset())
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) for (const pipe of this.#pipes) pipe.stop()
      })
    }
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy()
  }

  forward(): void {
    for (const pipe of this.#pipes) pipe.forward()
  }
}

/** One direction of one connection. */
class Pipe {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #condition: Condition
  /** In the order of arrival. An entry without bytes is the end of the source. */
  readonly #waiting: { dueMs: number; bytes: Buffer | undefined }[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(source: Socket, sink: Socket, condition: Condition) {
    this.#source = source
    this.#sink = sink
    this.#condition = condition
    source.on('data', (bytes: Buffer) => this.#take(bytes))
    source.on('end', () => this.#take(undefined))
  }

  /** Passes on what is due. */
  forward(): void {
    clearTimeout(this.#timer)
    if (this.#condition.isHeld || this.#sink.destroyed) return
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const restMs = next.dueMs - performance.now()
      if (restMs > 0) {
        this.#timer = setTimeout(() => this.forward(), Math.ceil(restMs))
        return
      }
      this.#waiting.shift()
      this.#waitingBytes -= next.bytes?.length ?? 0
      if (next.bytes === undefined) this.#sink.end()
      else if (next.bytes.length > this.#condition.restBytes) return this.#cut(next.bytes)
      else {
        this.#condition.restBytes -= next.bytes.length
        this.#sink.write(next.bytes)
      }
    }
    if (this.#waitingBytes < WAITING_BYTES_MAX) this.#source.resume()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Passes on the bytes that may still go through, and closes the connection. */
  #cut(bytes: Buffer): void {
    this.#sink.end(bytes.subarray(0, this.#condition.restBytes))
    this.#condition.restBytes = Number.POSITIVE_INFINITY
    this.#source.destroy()
  }

  #take(bytes: Buffer | undefined): void {
    this.#waiting.push({ dueMs: performance.now() + this.#condition.delayMs, bytes })
    this.#waitingBytes += bytes?.length ?? 0
    if (this.#waitingBytes >= WAITING_BYTES_MAX) this.#source.pause()
    this.forward()
  }
}
