import { Freshness } from '../../node/freshness.ts'
import type { HeldSlice } from '../../node/questions.ts'
import type {
  AnswerBatch,
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  HeldEntry,
  RequestBatch,
  ScanRange,
} from '../../rpc/messages.ts'
import type { BatchStream, NodeTransport, StreamHandlers } from '../../rpc/transport.ts'
import type { Chance } from '../chance.ts'
import type { ProcessClock, Timeline } from './timeline.ts'

/** How the network behaves in a run. */
export type Weather = Readonly<{
  /** The least and the greatest usual one-way latency; it is drawn for each batch. */
  latencyMs: readonly [number, number]
  /**
   * The share of the batches that take very long (up to `stallMsMax`), until the network is healed at the
   * end.
   */
  stallRate: number
  stallMsMax: number
}>

/** The network of a run: it connects processes, and has the same weather for all of them. */
export class Network {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly weather: Weather
  /**
   * Whether a node refuses messages that were delayed too long. It does not where clocks drift without bound.
   */
  readonly areMessagesJudged: boolean
  /** From now on no batch is delayed for long. */
  isSteady = false

  constructor(timeline: Timeline, chance: Chance, weather: Weather, areMessagesJudged: boolean) {
    this.timeline = timeline
    this.chance = chance
    this.weather = weather
    this.areMessagesJudged = areMessagesJudged
  }

  /** Connects a connector to the node that runs on a machine. */
  connect(owner: ProcessClock, listener: Listener): SimulatedTransport {
    return new SimulatedTransport(this, owner, listener)
  }
}

/**
 * One direction between two processes. While it is cut, messages wait: their delivery is delayed without
 * bound.
 */
export class Wire {
  readonly #network: Network
  readonly #timeline: Timeline
  #isCut = false
  #waiting: (() => void)[] = []

  constructor(network: Network) {
    this.#network = network
    this.#timeline = network.timeline
  }

  cut(): void {
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const pump of waiting) this.#timeline.after(0, pump)
  }

  /** A channel over this wire: it delivers in the order of sending, like a stream. */
  open<M>(deliver: (message: M) => void): (message: M) => void {
    const queue: { at: number; message: M }[] = []
    let isPumping = false
    const pump = (): void => {
      if (this.#isCut) {
        this.#waiting.push(pump)
        return
      }
      const { message } = queue.shift()!
      if (queue.length > 0) this.#timeline.after(queue[0]!.at - this.#timeline.nowMs, pump)
      else isPumping = false
      deliver(message)
    }
    return (message) => {
      const at = this.#timeline.nowMs + this.latencyMs()
      queue.push({ at: Math.max(at, queue[queue.length - 1]?.at ?? 0), message })
      if (isPumping) return
      isPumping = true
      this.#timeline.after(at - this.#timeline.nowMs, pump)
    }
  }

  latencyMs(): number {
    const { chance, isSteady, weather } = this.#network
    const { latencyMs, stallRate, stallMsMax } = weather
    if (!isSteady && chance.happens(stallRate)) return chance.uniform() * stallMsMax
    return latencyMs[0] + chance.uniform() * (latencyMs[1] - latencyMs[0])
  }
}

/** The node's end of a connection. */
export interface Listener {
  /** Whether a process runs that can accept streams. */
  readonly isUp: boolean
  /**
   * The number of its starts. A message for a process that has died since then does not arrive at the next
   * one.
   */
  readonly startCount: number
  /**
   * A batch arrives. The node's answer goes to `reply`, unless the node crashes first. `isFresh`: whether the
   * node's clock says that the node may still act on the batch; else the node ignores it.
   */
  receive(
    batch: RequestBatch,
    reply: (answers: AnswerBatch) => void,
    isFresh: (nowMs: number) => boolean,
  ): void
  describe(reply: (description: Description) => void): void
  digest(request: DigestRequest, reply: (answer: DigestAnswer) => void): void
  changes(request: ChangesRequest, reply: (answer: ChangesAnswer) => void): void
  /** `undefined`: the range is for another node, or another epoch. */
  scan(range: ScanRange, limit: number, reply: (slice: HeldSlice | undefined) => void): void
}

/** A small number, so that a scan takes many steps and much happens between them. */
const SCAN_PAGE_RECORDS = 2

/**
 * The connection from one connector to one node. Its streams end when one of the processes dies, and at
 * random times.
 */
export class SimulatedTransport implements NodeTransport {
  /** The streams that both ends believe to be open. */
  readonly streams = new Set<SimulatedStream>()
  /** One function for each call under way, which ends it. */
  readonly #calls = new Set<() => void>()
  readonly up: Wire
  readonly down: Wire
  /** The connector's process: what arrives for it is handled when the process runs. */
  readonly owner: ProcessClock
  readonly network: Network
  readonly #timeline: Timeline
  readonly #chance: Chance
  readonly #listener: Listener

  constructor(network: Network, owner: ProcessClock, listener: Listener) {
    this.network = network
    this.#timeline = network.timeline
    this.#chance = network.chance
    this.owner = owner
    this.#listener = listener
    this.up = new Wire(network)
    this.down = new Wire(network)
  }

  open(handlers: StreamHandlers): BatchStream {
    const stream = new SimulatedStream(this, handlers, this.#listener)
    if (this.#listener.isUp) this.streams.add(stream)
    else this.end(stream, true)
    return stream
  }

  /**
   * Ends a stream; the connector learns this a little later. `isLate`: messages on their way to the node
   * still arrive there, as from a socket's buffer, and only the answers are lost.
   */
  end(stream: SimulatedStream, isLate: boolean): void {
    this.streams.delete(stream)
    stream.isOpen = false
    if (!isLate) stream.isGone = true
    this.#timeline.after(this.#chance.uniform() * 5, () => stream.finish())
  }

  reset(): void {
    for (const stream of [...this.streams]) this.end(stream, this.#chance.happens(0.5))
    for (const fail of [...this.#calls]) fail()
  }

  describe(timeoutMs: number): Promise<Description> {
    return this.#call((reply) => this.#listener.describe(reply), { timeoutMs })
  }

  digest(request: DigestRequest, timeoutMs: number): Promise<DigestAnswer> {
    return this.#call((reply) => this.#listener.digest(request, reply), { timeoutMs })
  }

  changes(request: ChangesRequest, timeoutMs: number): Promise<ChangesAnswer> {
    return this.#call((reply) => this.#listener.changes(request, reply), { timeoutMs })
  }

  async *scan(range: ScanRange, signal?: AbortSignal): AsyncGenerator<readonly HeldEntry[]> {
    let { start } = range
    for (;;) {
      const from = start
      const slice = await this.#call<HeldSlice | undefined>(
        (reply) => this.#listener.scan({ ...range, start: from }, SCAN_PAGE_RECORDS, reply),
        { signal },
      )
      if (slice === undefined) throw new Error('the scan is for another node, or another epoch')
      if (slice.entries.length > 0) yield slice.entries
      if (slice.nextStart === undefined) return
      start = slice.nextStart
    }
  }

  /**
   * A call outside the streams. It fails when the streams end, when its time is over, and when its signal is
   * aborted.
   */
  #call<A>(
    ask: (reply: (answer: A) => void) => void,
    { timeoutMs, signal }: Readonly<{ timeoutMs?: number; signal?: AbortSignal | undefined }>,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      let cancelTimeout = (): void => {}
      const end = (settle: () => void): void => {
        if (!this.#calls.delete(fail)) return
        cancelTimeout()
        signal?.removeEventListener('abort', fail)
        this.#timeline.isSettling = true
        settle()
      }
      const fail = (): void => this.owner.run(() => end(() => reject(new Error('the connection was lost'))))
      this.#calls.add(fail)
      signal?.addEventListener('abort', fail)
      if (signal?.aborted) return fail()
      if (timeoutMs !== undefined) cancelTimeout = this.owner.after(timeoutMs, fail)
      const reply = this.down.open<A>((answer) => this.owner.run(() => end(() => resolve(answer))))
      this.up.open<null>(() => {
        if (this.#listener.isUp) ask(reply)
        else fail()
      })(null)
    })
  }

  close(): void {
    this.reset()
  }
}

class SimulatedStream implements BatchStream {
  isOpen = true
  /** Whether nothing that was sent on this stream can arrive any more. */
  isGone = false
  readonly #transport: SimulatedTransport
  readonly #handlers: StreamHandlers
  readonly #send: (batch: RequestBatch) => void
  #isFinished = false

  constructor(transport: SimulatedTransport, handlers: StreamHandlers, listener: Listener) {
    this.#transport = transport
    this.#handlers = handlers
    const reply = transport.down.open<AnswerBatch>((answers) => {
      transport.owner.run(() => {
        if (this.isOpen) handlers.onAnswers(answers)
      })
    })
    const { startCount } = listener
    const freshness = new Freshness()
    const isFresh = (batch: RequestBatch, nowMs: number): boolean => {
      if (!transport.network.areMessagesJudged || freshness.isFresh(batch, nowMs)) return true
      if (this.isOpen) transport.end(this, false)
      return false
    }
    this.#send = transport.up.open<RequestBatch>((batch) => {
      if (this.isGone || !listener.isUp || listener.startCount !== startCount) return
      const answer = (answers: AnswerBatch): void => {
        if (this.isOpen) reply(answers)
      }
      listener.receive(batch, answer, (nowMs) => isFresh(batch, nowMs))
    })
  }

  send(batch: RequestBatch): void {
    if (this.isOpen) this.#send(batch)
  }

  close(): void {
    if (this.isOpen) this.#transport.end(this, true)
  }

  finish(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#transport.owner.run(() => this.#handlers.onClose('the stream has ended'))
  }
}
