/**
 * One node as a connector sees it: a stream of batches that is opened again whenever it ends.
 *
 * While batches are in flight, what comes next waits and leaves together, so the load itself makes the
 * batches.
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
  /** The way to the node, asked for whenever a stream is opened: an address may change. */
  transport: () => NodeTransport
  nodeId: string
  /** What the batches are for: an epoch of a cluster, or, at its birth, none. */
  membership: Membership | undefined
  clock: Clock
  limits: LinkLimits
  counters?: Counters
  /** The node became suspect, or is not suspect any more. */
  onChange: () => void
  /** The node does not act on our batches; it says who it is instead. Its stream is closed. */
  onMismatch: (mismatch: Mismatch) => void
}>

type Flight = Readonly<{
  batchId: number
  sentAtMs: number
  requests: readonly PendingRequest[]
  awaitedCount: number
}>

/** What a link holds at a moment. */
export type LinkLoad = Readonly<{
  /** Requests that wait to be sent, marks and background requests included. */
  waiting: number
  waitingBytes: number
  batchesInFlight: number
}>

export class NodeLink {
  /** How long batches took from here to the node and back. */
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
  /** Short streams in a row on which the node sent what makes no sense. */
  #malformedCount = 0
  #isFlushDue = false
  #isClosed = false
  #lastSentMs = Number.NEGATIVE_INFINITY
  #cancelReopen: (() => void) | undefined
  #cancelMarks: (() => void) | undefined

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
   * Sends a request with the next batch. `false`: there is no way to the node, or no node takes such a
   * request; neither callback is called.
   */
  send(pending: PendingRequest): boolean {
    if (!this.#health.isConfirmed || !isWithinLimits(pending.request)) return false
    if (!this.#queue.push(pending)) return false
    if (pending.request.kind === 'mark') this.#scheduleMarks()
    else this.#scheduleFlush()
    return true
  }

  /** Ends the link: what is under way is lost. The transport is its owner's to close. */
  close(): void {
    this.#isClosed = true
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
    this.#stream = this.#options.transport().open({
      onAnswers: (batch) => {
        if (!isOver) this.#onAnswers(batch)
      },
      onClose: (_reason, isMalformed = false) => {
        isOver = true
        this.#onClose(isMalformed)
      },
    })
    // The first batch of a stream shows the membership, and its answer that the node acts on what is for it.
    this.#sendBatch([])
  }

  #onClose(isMalformed: boolean): void {
    this.#stream = undefined
    this.#drop()
    if (this.#isClosed) return
    const { clock, limits } = this.#options
    if (clock.nowMs() - this.#openedAtMs >= limits.malformedReopenMsMax) this.#malformedCount = 0
    if (isMalformed) this.#malformedCount += 1
    const pauseMs = isMalformed ? limits.reopenMs * 2 ** (this.#malformedCount - 1) : limits.reopenMs
    const pauseMsMax = Math.max(limits.reopenMs, limits.malformedReopenMsMax)
    this.#cancelReopen = clock.after(Math.min(pauseMs, pauseMsMax), () => this.#open())
  }

  /** Loses all that waits or is in flight. The node is suspect first, so that no round waits for it again. */
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
    this.#scheduleFlush()
  }

  // Batches -------------------------------------------------------------------------------------------------

  /**
   * Whether a batch should leave now. While one is in flight, the next gathers until it is as large: few
   * large batches cost far less than many small ones, and two of a size keep both ends at work. Marks alone
   * wait for requests.
   */
  #isBatchDue(): boolean {
    if (!this.#health.isConfirmed) return false
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

  /** Marks that no request has taken along after a while leave by themselves. */
  #scheduleMarks(): void {
    if (this.#cancelMarks !== undefined) return
    const { clock, limits } = this.#options
    this.#cancelMarks = clock.after(limits.marksMs, () => {
      this.#cancelMarks = undefined
      if (this.#queue.length === 0 || this.#health.endIfStopped()) return
      if (this.#inFlight.length < limits.batchesInFlightMax) this.#sendNextBatch()
      if (this.#queue.length > 0) this.#scheduleMarks()
    })
  }

  #onHeartbeat(nowMs: number): void {
    const isQuiet = nowMs - this.#lastSentMs >= this.#options.limits.heartbeatMs
    if (isQuiet && this.#inFlight.length === 0) this.#sendBatch([])
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
