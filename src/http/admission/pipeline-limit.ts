import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../../process/clock.ts'
import type { FairRoom } from './fair-room.ts'
import { LargeBodies } from './large-bodies.ts'
import { readIntoSharedBuffer } from './shared-buffer.ts'

/** How many requests of one connection are worked on at a time. Further ones are not read. */
const REQUESTS_MAX = 8
/** When no more than so many are left, the connection is read again. */
const REQUESTS_LOW = 4
/** A part that the parser gets has at most one end of a head after so many bytes. */
const PART_BYTES_MIN = 256
/** More bytes than these are parsed at once: they do not wait for the end of the turn. */
const WAITING_BYTES_MAX = 4 * 1_024
const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * Bounds what one connection may send ahead (HTTP pipelining). Node.js parses everything that has arrived on
 * a connection at once, which may be thousands of requests, and each takes some kilobytes. So the parser gets
 * what has arrived in small parts, and no further part while too many requests of the connection are worked
 * on. The rest stays as bytes: at most 64 KB here, and more in the system and in the client.
 *
 * Small requests wait for the end of the turn of the event loop in which they arrive: first all of them are
 * read and decrypted, then all are parsed and begun. The same code then runs many times in a row, and stays
 * in the caches of the processor. With 64 clients this takes a fifth from the CPU of a create.
 */
export class PipelineLimit {
  readonly #pipelines = new WeakMap<Socket, Pipeline>()
  readonly #room: FairRoom
  readonly #clock: Pick<Clock, 'defer'>
  /** Have bytes that wait for the end of this turn. */
  readonly #waiting: Pipeline[] = []
  #cutCount = 0

  constructor(room: FairRoom = new LargeBodies(), clock: Pick<Clock, 'defer'> = systemClock) {
    this.#room = room
    this.#clock = clock
  }

  /** The bytes that connections have sent ahead and that are not parsed yet. */
  get bytes(): number {
    return this.#room.taken
  }

  /** How many connections were closed because there was no room for what they had sent ahead. */
  get cutCount(): number {
    return this.#cutCount
  }

  /** Limits all connections of `server`. `connectionEvent` names those that are ready for requests. */
  guard(server: Server, connectionEvent: 'connection' | 'secureConnection'): void {
    server.on(connectionEvent, (socket: Socket) => {
      if (socket.destroyed) return
      const pipeline: Pipeline = new Pipeline(socket, {
        room: this.#room,
        onCut: this.#onCut,
        wait: () => this.#wait(pipeline),
        defer: (task) => this.#clock.defer(task),
      })
      this.#pipelines.set(socket, pipeline)
    })
    for (const event of ['request', 'checkExpectation'] as const) {
      server.prependListener(event, (request: IncomingMessage, response: ServerResponse) =>
        this.#pipelines.get(request.socket)?.began(request, response),
      )
    }
  }

  /** Stops the reading of a connection, until `release` was called as often as `hold`. */
  hold(socket: Socket): void {
    this.#pipelines.get(socket)?.hold()
  }

  /** Ends what `hold` began. */
  release(socket: Socket): void {
    this.#pipelines.get(socket)?.release()
  }

  /**
   * Calls `answer` for bytes that are no request, when the requests before them are answered: a client takes
   * the answers on a connection in the order of its requests. Nothing more of the connection is parsed.
   */
  answerLast(socket: Socket, answer: () => void): void {
    const pipeline = this.#pipelines.get(socket)
    if (pipeline === undefined) answer()
    else pipeline.answerLast(answer)
  }

  /** Parses now what waits for the end of the turn. Until then, its connections look idle to Node.js. */
  takeWaiting(): void {
    for (const pipeline of this.#waiting.splice(0)) pipeline.takeWaiting()
  }

  #wait(pipeline: Pipeline): void {
    if (this.#waiting.length === 0) this.#clock.defer(() => this.takeWaiting())
    this.#waiting.push(pipeline)
  }

  readonly #onCut = () => {
    this.#cutCount += 1
  }
}

type PipelineOptions = Readonly<{
  room: FairRoom
  onCut: () => void
  /** Asks for a call of `takeWaiting` at the end of this turn. */
  wait: () => void
  /** Runs a task at the end of this turn. */
  defer: (task: () => void) => void
}>

/** What arrives on one connection, on its way to the parser. */
class Pipeline {
  readonly #socket: Socket
  readonly #options: PipelineOptions
  /** The listener with which Node.js parses what arrives. */
  readonly #parse: (chunk: Buffer) => void
  #working = 0
  #isFull = false
  #holds = 0
  #last: IncomingMessage | undefined
  #leaveRoom: (() => void) | undefined
  /** What has arrived in this turn of the event loop. */
  #arrived: Buffer | undefined
  /** Waits for the answers to the requests before it. It is there once bytes were no request. */
  #answerLast: (() => void) | undefined
  #isLastAnswered = false

  constructor(socket: Socket, options: PipelineOptions) {
    this.#socket = socket
    this.#options = options
    this.#parse = socket.listeners('data')[0] as (chunk: Buffer) => void
    socket.removeListener('data', this.#parse)
    // With these listeners, a pause also ends the reading from the system. Node.js removes them when another
    // listener for data is added.
    const [onPause, onResume] = [socket.listeners('pause'), socket.listeners('resume')]
    // What was put back, or what could not be read into the shared buffer.
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    readIntoSharedBuffer(socket, (view) => this.#takeView(view))
    for (const listener of onPause) socket.on('pause', listener as () => void)
    for (const listener of onResume) socket.on('resume', listener as () => void)
    // Node.js resumes a connection at the end of each of its requests.
    socket.on('resume', () => {
      if (this.#holds > 0) socket.pause()
    })
    // What has arrived is parsed before the socket learns that the client has ended its side: later, nothing
    // could be put back, and Node.js ends the parser. Answers that are there already leave before that, too.
    const push = socket.push
    socket.push = (chunk, encoding) => {
      if (chunk !== null) return push.call(socket, chunk, encoding)
      this.takeWaiting()
      options.defer(() => {
        if (!socket.destroyed) push.call(socket, null)
      })
      return false
    }
    socket.once('close', () => this.#leaveRoom?.())
  }

  /** Counts a request until its answer has left. */
  began(request: IncomingMessage, response: ServerResponse): void {
    this.#last = request
    this.#working += 1
    response.on('close', this.#onAnswered)
  }

  readonly #onAnswered = (): void => {
    this.#working -= 1
    this.#tryLast()
    if (!this.#isFull || this.#working > REQUESTS_LOW) return
    this.#isFull = false
    this.release()
  }

  hold(): void {
    this.#holds += 1
    this.#socket.pause()
  }

  release(): void {
    this.#holds -= 1
    if (this.#holds === 0 && !this.#socket.destroyed) this.#socket.resume()
  }

  answerLast(answer: () => void): void {
    if (this.#answerLast !== undefined) return
    this.#answerLast = answer
    this.#tryLast()
  }

  #tryLast(): void {
    // The last request may be what is broken, in its body. It is not answered then.
    const unanswered = this.#last?.complete === false ? 1 : 0
    if (this.#answerLast === undefined || this.#isLastAnswered || this.#working > unanswered) return
    this.#isLastAnswered = true
    this.#answerLast()
  }

  /** Takes bytes that are only there during this call. */
  #takeView(view: Buffer): void {
    const socket = this.#socket
    // A connection that has left HTTP (CONNECT) has no parser any more, and nobody reads what is pushed.
    if (!this.#hasParser) return
    // What was put back comes first.
    if (socket.readableLength > 0) {
      socket.push(Buffer.from(view))
      return
    }
    const before = this.#arrived
    this.#arrived = before === undefined ? Buffer.from(view) : Buffer.concat([before, view])
    if (before === undefined && view.length <= WAITING_BYTES_MAX) this.#options.wait()
    else this.takeWaiting()
  }

  get #hasParser(): boolean {
    return (this.#socket as { parser?: unknown }).parser != null
  }

  takeWaiting(): void {
    const arrived = this.#arrived
    this.#arrived = undefined
    if (arrived !== undefined) this.#take(arrived)
  }

  #take(chunk: Buffer): void {
    if (this.#answerLast !== undefined) return
    this.#leaveRoom?.()
    this.#leaveRoom = undefined
    const socket = this.#socket
    // A connection that an answer has ended takes no further request, and one that has left HTTP (CONNECT)
    // has no parser any more.
    for (let at = 0; at < chunk.length && socket.writable && this.#hasParser && !this.#answerLast; ) {
      // The rest of the last request is always read: it may be what the request waits for.
      if (this.#working >= REQUESTS_MAX && this.#last!.complete && !this.#isFull) {
        this.#isFull = true
        this.hold()
      }
      if (socket.isPaused()) return this.#putBack(chunk.subarray(at))
      const end = endOfPart(chunk, at)
      this.#parse.call(socket, at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
      at = end
    }
  }

  /** Leaves bytes for later. */
  #putBack(rest: Buffer): void {
    const { remoteAddress } = this.#socket
    this.#leaveRoom = this.#options.room.enter(remoteAddress, rest.length)
    if (this.#leaveRoom !== undefined) this.#socket.unshift(Buffer.from(rest))
    else {
      this.#options.onCut()
      this.#socket.destroy()
    }
  }
}

/** The end of a part that begins at `at`. It is after the end of a head, or at the end of the chunk. */
function endOfPart(chunk: Buffer, at: number): number {
  if (chunk.length - at <= PART_BYTES_MIN) return chunk.length
  const headEnd = chunk.indexOf(HEAD_END, at + PART_BYTES_MIN)
  return headEnd === -1 ? chunk.length : headEnd + HEAD_END.length
}
