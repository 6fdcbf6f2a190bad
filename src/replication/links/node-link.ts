/**
 * The link of a connector to one node: a stream of batches, which is opened again whenever it ends.
 *
 * While batches are in flight, further requests wait and are then sent together. So batches grow with the
 * load.
 */
import assert from 'node:assert/strict'
import type { Clock } from '../../process/clock.ts'
import { isWithinLimits } from '../../rpc/limits.ts'
import type { Membership, Mismatch, ReceivedAnswers } from '../../rpc/messages.ts'
import type { BatchStream, NodeTransport } from '../../rpc/transport.ts'
import type { Counters } from '../counters.ts'
import { BatchQueue } from './batch-queue.ts'
import type { LinkLimits } from './link-limits.ts'
import { countAwaited, type PendingRequest } from './pending-request.ts'
import { RoundTripTimes } from './round-trip-times.ts'
import { StreamHealth } from './stream-health.ts'

export type LinkOptions = Readonly<{
  /** Returns the transport to the node. It is called for each stream, because the address may change. */
  transport: () => NodeTransport
  nodeId: string
  /** The membership whose epoch the batches name. `undefined` at the birth of a cluster. */
  membership: Membership | undefined
  clock: Clock
  limits: LinkLimits
  counters?: Counters
  /** Called when the node became suspect, or is not suspect any more. */
  onChange: () => void
  /**
   * Called when the node does not act on a batch, but answers with its own id and epoch. The stream is
   * closed.
   */
  onMismatch: (mismatch: Mismatch) => void
}>

type Flight = Readonly<{
  batchId: number
  sentAtMs: number
  requests: readonly PendingRequest[]
  awaitedCount: number
}>

/**
 * A move to another stream: first the batches in flight are answered on the old stream, then the node answers
 * on the new one. Meanwhile requests wait.
 */
type Move = { hasStream: boolean; readonly end: () => void; readonly ended: Promise<void> }

/** The load of a link at one moment. */
export type LinkLoad = Readonly<{
  /** How many requests wait to be sent, including marks and background requests. */
  waiting: number
  waitingBytes: number
  batchesInFlight: number
}>

export class NodeLink {
  /** How long batches took to the node and back. */
  readonly roundTrips = new RoundTripTimes()
  readonly #options: LinkOptions
  readonly #health: StreamHealth
  readonly #queue: BatchQueue
  #stream: BatchStream | undefined
  /** Counts the batches of the stream. */
  #batchId = 0
  /** Oldest first. */
  #inFlight: Flight[] = []
  /** When the stream was opened. */
  #openedAtMs = 0
  /** How many short streams in a row ended because of malformed answers. */
  #malformedCount = 0
  #isFlushDue = false
  #isClosed = false
  #lastSentMs = Number.NEGATIVE_INFINITY
  #cancelReopen: (() => void) | undefined
  #cancelMarks: (() => void) | undefined
  /** Called when the stream is replaced: nothing that it reports counts any more. */
  #ignoreStream: () => void = () => {}
  #move: Move | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    const { clock, limits, onChange } = options
    this.#queue = new BatchQueue(limits, clock)
    this.#health = new StreamHealth({
      clock,
      limits,
      oldestSentAtMs: () => this.#inFlight[0]?.sentAtMs,
      onChange,
      onHeartbeat: (nowMs) => this.#onHeartbeat(nowMs),
      endStream: () => this.#stream?.close(),
    })
    this.#open()
  }

  get nodeId(): string {
    return this.#options.nodeId
  }

  /** Whether rounds do not wait for the node (protocol.md §4.6). */
  get isSuspect(): boolean {
    return this.#health.isSuspect
  }

  /** Whether the node acts on what this connector sends it. */
  get isReachable(): boolean {
    return this.#health.isConfirmed
  }

  /** How many streams that worked have ended. */
  get lossCount(): number {
    return this.#health.lossCount
  }

  get load(): LinkLoad {
    return {
      waiting: this.#queue.length + this.#queue.backgroundLength,
      waitingBytes: this.#queue.waitingBytes,
      batchesInFlight: this.#inFlight.length,
    }
  }

  /**
   * Sends a request with the next batch. `false`: the node cannot be reached, or nodes do not take such a
   * request. Then neither callback is called.
   */
  send(pending: PendingRequest): boolean {
    if (!this.#health.isConfirmed || !isWithinLimits(pending.request)) return false
    if (!this.#queue.push(pending)) return false
    if (pending.request.kind === 'mark') this.#scheduleMarks()
    else this.#scheduleFlush()
    return true
  }

  /**
   * Moves to a new stream of the transport, and loses no request. Resolves when the new stream works, or a
   * stream has ended.
   */
  renew(): Promise<void> {
    // A stream that is opened later is a new one anyway.
    if (this.#isClosed || !this.#health.isConfirmed) return Promise.resolve()
    if (this.#move === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#move = { hasStream: false, end: resolve, ended: promise }
      this.#moveWhenIdle()
    }
    return this.#move?.ended ?? Promise.resolve()
  }

  /** Ends the link. Requests that are under way are lost. The transport stays open. */
  close(): void {
    this.#isClosed = true
    this.#endMove()
    this.#stream?.close()
    this.#cancelReopen?.()
    this.#cancelMarks?.()
    this.#drop()
    this.#health.close()
  }

  // Streams -------------------------------------------------------------------------------------------------

  #open(): void {
    if (this.#isClosed) return
    this.#batchId = 0
    this.#openedAtMs = this.#options.clock.nowMs()
    let isOver = false
    this.#ignoreStream = () => {
      isOver = true
    }
    this.#stream = this.#options.transport().open({
      onAnswers: (batch) => {
        if (!isOver) this.#onAnswers(batch)
      },
      onClose: (_reason, isMalformed = false) => {
        if (isOver) return
        isOver = true
        this.#onClose(isMalformed)
      },
    })
    // The first batch of a stream shows the membership. Its answer shows that the node acts on our batches.
    this.#sendBatch([])
  }

  /** Opens the stream to move to, once nothing is in flight on the old one. */
  #moveWhenIdle(): void {
    const move = this.#move
    if (move === undefined || move.hasStream || this.#inFlight.length > 0) return
    const old = this.#stream
    move.hasStream = true
    this.#ignoreStream()
    this.#open()
    old?.close()
  }

  #endMove(): void {
    this.#move?.end()
    this.#move = undefined
  }

  #onClose(isMalformed: boolean): void {
    this.#stream = undefined
    this.#endMove()
    this.#drop()
    if (this.#isClosed) return
    const { clock, limits } = this.#options
    if (clock.nowMs() - this.#openedAtMs >= limits.malformedReopenMsMax) this.#malformedCount = 0
    if (isMalformed) this.#malformedCount += 1
    const pauseMs = isMalformed ? limits.reopenMs * 2 ** (this.#malformedCount - 1) : limits.reopenMs
    const pauseMsMax = Math.max(limits.reopenMs, limits.malformedReopenMsMax)
    this.#cancelReopen = clock.after(Math.min(pauseMs, pauseMsMax), () => this.#open())
  }

  /**
   * Loses all requests that wait or are in flight. The node becomes suspect first, so that no round waits for
   * it.
   */
  #drop(): void {
    const lost = [...this.#inFlight.flatMap(({ requests }) => requests), ...this.#queue.takeAll()]
    this.#inFlight = []
    this.#health.ended()
    for (const { onLost } of lost) onLost()
  }

  #onAnswers(batch: ReceivedAnswers): void {
    const flight = this.#inFlight.shift()
    assert.equal(batch.batchId, flight?.batchId, 'a stream answers its batches in order')
    if (batch.mismatch !== undefined) {
      this.#options.onMismatch(batch.mismatch)
      if (flight !== undefined) this.#inFlight.unshift(flight)
      this.#stream?.close()
      return
    }
    if (this.#move?.hasStream) this.#endMove()
    const timeMs = this.#options.clock.nowMs() - flight!.sentAtMs
    this.roundTrips.observe(timeMs)
    this.#health.answered(timeMs)
    let index = 0
    for (const { request, onAnswer, onLost } of flight!.requests) {
      if (request.kind === 'mark') continue
      assert.ok(index < batch.answers.length, 'every request but a mark has an answer')
      const answer = batch.answers[index]
      index += 1
      if (answer === undefined) onLost()
      else onAnswer(answer)
    }
    this.#moveWhenIdle()
    this.#scheduleFlush()
  }

  // Batches -------------------------------------------------------------------------------------------------

  /**
   * Whether to send a batch now. While a batch is in flight, the next one grows until it is as large. Few
   * large batches cost much less than many small ones, and two batches of the same size keep both sides busy.
   * Marks alone do not make a batch due.
   */
  #isBatchDue(): boolean {
    if (!this.#health.isConfirmed || this.#move !== undefined) return false
    const { awaitedCount, backgroundLength } = this.#queue
    if (awaitedCount === 0) return backgroundLength > 0 && this.#inFlight.length === 0
    const newest = this.#inFlight.at(-1)
    if (newest === undefined) return true
    return (
      this.#inFlight.length < this.#options.limits.batchesInFlightMax && awaitedCount >= newest.awaitedCount
    )
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue || !this.#isBatchDue()) return
    this.#isFlushDue = true
    this.#options.clock.defer(() => {
      this.#isFlushDue = false
      if (this.#health.endIfStopped()) return
      while (this.#isBatchDue()) this.#sendNextBatch()
    })
  }

  /** Sends marks in a batch of their own if no other request was sent for a while. */
  #scheduleMarks(): void {
    if (this.#cancelMarks !== undefined) return
    const { clock, limits } = this.#options
    this.#cancelMarks = clock.after(limits.marksMs, () => {
      this.#cancelMarks = undefined
      if (this.#queue.length === 0 || this.#health.endIfStopped()) return
      const maySend = this.#move === undefined && this.#inFlight.length < limits.batchesInFlightMax
      if (maySend) this.#sendNextBatch()
      if (this.#queue.length > 0) this.#scheduleMarks()
    })
  }

  #onHeartbeat(nowMs: number): void {
    const isQuiet = nowMs - this.#lastSentMs >= this.#options.limits.heartbeatMs
    if (isQuiet && this.#inFlight.length === 0 && this.#move === undefined) this.#sendBatch([])
    if (this.#queue.isStuck()) this.#stream?.close()
  }

  #sendNextBatch(): void {
    const { requests, overdue } = this.#queue.takeBatch()
    for (const { onLost } of overdue) onLost()
    this.#sendBatch(requests)
  }

  #sendBatch(requests: readonly PendingRequest[]): void {
    const { membership, nodeId, clock, limits } = this.#options
    this.#batchId += 1
    this.#lastSentMs = clock.nowMs()
    this.#inFlight.push({
      batchId: this.#batchId,
      sentAtMs: this.#lastSentMs,
      requests,
      awaitedCount: countAwaited(requests),
    })
    if (requests.length > 0) this.#options.counters?.batchSizes.observe(requests.length)
    this.#health.watch()
    this.#stream?.send({
      batchId: this.#batchId,
      clusterId: membership?.clusterId ?? '',
      epoch: membership?.epoch ?? 0,
      nodeId,
      membership: this.#batchId === 1 ? membership : undefined,
      sentMs: Math.floor(this.#lastSentMs),
      lifeMs: Math.ceil(limits.batchTimeoutMs),
      requests,
    })
  }
}
