import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../process/clock.ts'
import type { PipelineLimit } from './pipeline-limit.ts'

/**
 * How many refusals a connector makes in a millisecond. More would take the time of requests that it serves.
 */
const REFUSALS_PER_MS = 2
/** How long a connection is not read after one refusal at most: as long as `Retry-After` says. */
const PAUSE_MS_MAX = 1_000
/** The longest pause, whatever number of requests was refused. The end of a connection is seen after it. */
const PAUSE_MS_LONGEST = 10_000
/** Pauses are rounded up to this, so that few timers are needed. */
const STEP_MS = 50

/** A connection that is slowed down. */
type Slowed = { refusals: number; isHeld: boolean }

/** The request that was refused, with its connection. */
type Refused = Pick<IncomingMessage, 'socket' | 'closed' | 'once'>

/**
 * Slows down clients that go on sending after they were refused. A refusal costs a third of a served request,
 * so clients that repeat refused requests at once would stop all others. So a connection is not read for a
 * while after a refusal: its next request waits in the system, and in the client.
 */
export class SlowDown {
  readonly #clock: Pick<Clock, 'after'>
  readonly #reading: Pick<PipelineLimit, 'hold' | 'release'>
  readonly #slowed = new Map<Socket, Slowed>()
  /** Each cancels a timer that is set. */
  readonly #cancels = new Set<() => void>()

  #isClosed = false

  constructor(clock: Pick<Clock, 'after'>, reading: Pick<PipelineLimit, 'hold' | 'release'>) {
    this.#clock = clock
    this.#reading = reading
  }

  /** How many connections are not read at present. */
  get count(): number {
    return this.#slowed.size
  }

  /** A request was refused, and its answer is being sent. */
  refused(request: Refused): void {
    const { socket } = request
    // A test may send a request without a connection.
    if (typeof socket.resume !== 'function') return
    const slowed = this.#slowed.get(socket)
    if (slowed !== undefined) {
      slowed.refusals += 1
      return
    }
    const first: Slowed = { refusals: 1, isHeld: false }
    this.#slowed.set(socket, first)
    this.#resumeLater(socket, first)
    // The rest of the request is read first. Its client may send it all before it reads the answer.
    if (request.closed) this.#hold(socket, first)
    else request.once('close', () => this.#hold(socket, first))
  }

  /** Sets no timer any more, and leaves all connections as they are: the connector stops, and closes them. */
  close(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    this.#isClosed = true
  }

  #hold(socket: Socket, slowed: Slowed): void {
    if (this.#slowed.get(socket) !== slowed) return
    slowed.isHeld = true
    this.#reading.hold(socket)
  }

  #resumeLater(socket: Socket, slowed: Slowed): void {
    const shareMs = Math.min(this.#slowed.size / REFUSALS_PER_MS, PAUSE_MS_MAX)
    this.#wait(shareMs, () => {
      const furtherMs = Math.min((slowed.refusals - 1) * shareMs, PAUSE_MS_LONGEST)
      this.#wait(furtherMs, () => {
        this.#slowed.delete(socket)
        if (slowed.isHeld) this.#reading.release(socket)
      })
    })
  }

  #wait(ms: number, then: () => void): void {
    if (this.#isClosed) return
    if (ms === 0) return then()
    const cancel = this.#clock.after(Math.ceil(ms / STEP_MS) * STEP_MS, () => {
      this.#cancels.delete(cancel)
      then()
    })
    this.#cancels.add(cancel)
  }
}
