/**
 * One node as a connector sees it: a stream of batches that is opened again whenever it ends.
 *
 * While batches are in flight, what comes next waits and leaves together, so the load itself makes the batches. The
 * link also decides whether its node is *suspect* (protocol.md §4.6): it is while it has no stream that works, and
 * while its oldest batch in flight has been waiting for longer than the hedge time.
 */
import assert from 'node:assert/strict'
import type { Clock } from '../../process/clock.ts'
import type { AnswerBatch, Membership, Mismatch } from '../../rpc/messages.ts'
import type { BatchStream, NodeTransport } from '../../rpc/transport.ts'
import type { Counters } from '../counters.ts'
import { BackgroundQueue, type Errand } from './background-queue.ts'
import { type HedgeBounds, Latency } from './latency.ts'
import { RoundTripTimes } from './round-trip-times.ts'

export type { Errand }

export type LinkLimits = HedgeBounds &
  Readonly<{
    /** Batches in flight. One more than the node works on keeps it busy while answers travel. */
    batchesInFlightMax: number
    /** Also bounds the answers, each with a record of at most some 90 KB, below gRPC's message limit. */
    requestsPerBatchMax: number
    /** Beside them, background errands: what clients are slowed down by. */
    backgroundPerBatchMax: number
    /** What one batch may weigh, about; a single larger request still travels, alone. Below gRPC's message limit. */
    batchBytesMax: number
    /** What may wait for a node that answers slowly. Beyond it, requests are lost at once: the node will lag. */
    waitingBytesMax: number
    /** How long chosen marks wait for requests to travel with. */
    marksMs: number
    /** An empty batch is sent when nothing else was for this long, to learn whether the node is still there. */
    heartbeatMs: number
    /**
     * A batch unanswered for this long ends its stream, and every message on it. So does a request that waits for as long
     * to be sent, give or take two heartbeats: no message outlives its operation by much (protocol.md §6).
     */
    batchTimeoutMs: number
    /** Between the end of a stream and the next attempt. */
    reopenMs: number
  }>

export const LINK_LIMITS: LinkLimits = {
  hedgeMsMin: 10,
  hedgeMsMax: 250,
  batchesInFlightMax: 2,
  requestsPerBatchMax: 128,
  backgroundPerBatchMax: 16,
  batchBytesMax: 2 * 1024 * 1024,
  waitingBytesMax: 16 * 1024 * 1024,
  marksMs: 10,
  heartbeatMs: 500,
  batchTimeoutMs: 3_000,
  reopenMs: 200,
}

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

type Flight = Readonly<{ batchId: number; sentAtMs: number; errands: readonly Errand[]; answersDue: number }>

export class NodeLink {
  /** How long batches took from here to the node and back. */
  readonly roundTrips = new RoundTripTimes()
  readonly #options: LinkOptions
  readonly #latency: Latency
  #stream: BatchStream | undefined
  #batchId = 0
  #inFlight: Flight[] = []
  #waiting: Errand[] = []
  readonly #background = new BackgroundQueue()
  /** Of both. */
  #waitingBytes = 0
  /** Those of `#waiting` that get an answer. */
  #answersWanted = 0
  /** How many requests of this stream have left, and how many had when those that waited at `sinceMs` will have. */
  #takenCount = 0
  #backlog: Readonly<{ untilCount: number; sinceMs: number }> | undefined
  /** The node has answered on this stream. */
  #isConfirmed = false
  #lossCount = 0
  #isSlow = false
  #isFlushDue = false
  #isClosed = false
  #lastSentMs = Number.NEGATIVE_INFINITY
  /** When the heartbeat's timer last ran. */
  #lastTickMs = 0
  #cancelWatch: (() => void) | undefined
  #cancelReopen: (() => void) | undefined
  #cancelHeartbeat: (() => void) | undefined
  #cancelMarks: (() => void) | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.#latency = new Latency(options.limits)
    this.#open()
  }

  get nodeId(): string {
    return this.#options.nodeId
  }

  get isSuspect(): boolean {
    return !this.#isConfirmed || this.#isSlow
  }

  /** Whether the node acts on what this connector sends it. */
  get isReachable(): boolean {
    return this.#isConfirmed
  }

  /** How many streams that worked have ended. */
  get lossCount(): number {
    return this.#lossCount
  }

  /** Takes an errand along with the next batch. `false`: there is no way to the node, and neither callback is called. */
  send(errand: Errand): boolean {
    const bytes = sizeOf(errand)
    if (!this.#isConfirmed || this.#waitingBytes + bytes > this.#options.limits.waitingBytesMax) return false
    this.#waitingBytes += bytes
    if (errand.isBackground) this.#background.push(errand, this.#options.clock.nowMs())
    else this.#waiting.push(errand)
    if (errand.request.kind === 'mark') this.#scheduleMarks()
    else {
      if (!errand.isBackground) this.#answersWanted += 1
      this.#scheduleFlush()
    }
    return true
  }

  /** Ends the link: what is under way is lost. The transport is its owner's to close. */
  close(): void {
    this.#isClosed = true
    this.#stream?.close()
    this.#cancelReopen?.()
    this.#cancelWatch?.()
    this.#cancelMarks?.()
    this.#drop()
  }

  // Streams -----------------------------------------------------------------------------------------------------------

  #open(): void {
    if (this.#isClosed) return
    this.#batchId = 0
    let isOver = false
    this.#stream = this.#options.transport().open({
      onAnswers: (batch) => {
        if (!isOver) this.#onAnswers(batch)
      },
      onClose: () => {
        isOver = true
        this.#onClose()
      },
    })
    // The first batch of a stream shows the membership, and its answer that the node acts on what is for it.
    this.#sendBatch([])
  }

  #onClose(): void {
    this.#stream = undefined
    this.#drop()
    if (this.#isClosed) return
    this.#cancelReopen = this.#options.clock.after(this.#options.limits.reopenMs, () => this.#open())
  }

  /** Loses all that waits or is in flight. The node is suspect first, so that nobody waits for it again. */
  #drop(): void {
    const lost = [
      ...this.#inFlight.flatMap(({ errands }) => errands),
      ...this.#waiting,
      ...this.#background.takeAll(),
    ]
    this.#inFlight = []
    this.#waiting = []
    this.#waitingBytes = 0
    this.#answersWanted = 0
    this.#takenCount = 0
    this.#backlog = undefined
    if (this.#isConfirmed) this.#lossCount += 1
    this.#setState(false, false)
    for (const errand of lost) errand.onLost()
  }

  #onAnswers(batch: AnswerBatch): void {
    const flight = this.#inFlight.shift()
    assert.equal(batch.batchId, flight?.batchId, 'a stream answers its batches in order')
    if (batch.mismatch !== undefined) {
      this.#options.onMismatch(batch.mismatch)
      if (flight !== undefined) this.#inFlight.unshift(flight)
      this.#stream?.close()
      return
    }
    const timeMs = this.#options.clock.nowMs() - flight!.sentAtMs
    this.#latency.observe(timeMs)
    this.roundTrips.observe(timeMs)
    this.#setState(true, false)
    let index = 0
    for (const errand of flight!.errands) {
      if (errand.request.kind === 'mark') continue
      const answer = batch.answers[index]
      index += 1
      assert.ok(answer !== undefined, 'every request but a mark has an answer')
      errand.onAnswer(answer)
    }
    this.#scheduleFlush()
  }

  // Batches -----------------------------------------------------------------------------------------------------------

  /**
   * Whether a batch should leave now. While one is in flight, the next gathers until it is as large: few large batches
   * cost far less than many small ones, and two of a size keep both ends at work. Marks alone wait for company.
   */
  #isBatchDue(): boolean {
    if (!this.#isConfirmed) return false
    if (this.#answersWanted === 0) return this.#background.length > 0 && this.#inFlight.length === 0
    const newest = this.#inFlight.at(-1)
    if (newest === undefined) return true
    return (
      this.#inFlight.length < this.#options.limits.batchesInFlightMax &&
      this.#answersWanted >= newest.answersDue
    )
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue || !this.#isBatchDue()) return
    this.#isFlushDue = true
    this.#options.clock.defer(() => {
      this.#isFlushDue = false
      if (this.#isOutOfTime()) return
      while (this.#isBatchDue()) this.#sendBatch(this.#takeBatch())
    })
  }

  /** Marks that no request has taken along by then leave by themselves. */
  #scheduleMarks(): void {
    if (this.#cancelMarks !== undefined) return
    const { clock, limits } = this.#options
    this.#cancelMarks = clock.after(limits.marksMs, () => {
      this.#cancelMarks = undefined
      if (this.#waiting.length === 0 || this.#isOutOfTime()) return
      if (this.#inFlight.length < limits.batchesInFlightMax) this.#sendBatch(this.#takeBatch())
      if (this.#waiting.length > 0) this.#scheduleMarks()
    })
  }

  #takeBatch(): readonly Errand[] {
    const { requestsPerBatchMax, batchBytesMax } = this.#options.limits
    let bytes = 0
    let count = 0
    for (const errand of this.#waiting) {
      const size = sizeOf(errand)
      if (count > 0 && (count === requestsPerBatchMax || bytes + size > batchBytesMax)) break
      bytes += size
      count += 1
    }
    const taken = this.#waiting.splice(0, count)
    this.#waitingBytes -= bytes
    this.#takenCount += count
    this.#answersWanted -= countAnswers(taken)
    return this.#background.length === 0 ? taken : [...taken, ...this.#takeBackground()]
  }

  /** What rides along. Beside a batch's limits: its few requests weigh far less than a message may. */
  #takeBackground(): readonly Errand[] {
    const { clock, limits } = this.#options
    const sinceMs = clock.nowMs() - limits.batchTimeoutMs
    const { errands, overdue } = this.#background.take(limits.backgroundPerBatchMax, sinceMs)
    for (const errand of [...errands, ...overdue]) this.#waitingBytes -= sizeOf(errand)
    for (const errand of overdue) errand.onLost()
    return errands
  }

  #sendBatch(errands: readonly Errand[]): void {
    const { membership, nodeId, clock, limits } = this.#options
    this.#batchId += 1
    this.#lastSentMs = clock.nowMs()
    const answersDue = countAnswers(errands)
    this.#inFlight.push({ batchId: this.#batchId, sentAtMs: this.#lastSentMs, errands, answersDue })
    if (errands.length > 0) this.#options.counters?.batchSizes.observe(errands.length)
    this.#watch()
    this.#stream?.send({
      batchId: this.#batchId,
      clusterId: membership?.clusterId ?? '',
      epoch: membership?.epoch ?? 0,
      nodeId,
      membership: this.#batchId === 1 ? membership : undefined,
      sentMs: Math.floor(this.#lastSentMs),
      lifeMs: Math.ceil(limits.batchTimeoutMs),
      requests: errands,
    })
  }

  // Health ------------------------------------------------------------------------------------------------------------

  #setState(isConfirmed: boolean, isSlow: boolean): void {
    const wasSuspect = this.isSuspect
    this.#isConfirmed = isConfirmed
    this.#isSlow = isSlow
    if (!isConfirmed) {
      this.#cancelHeartbeat?.()
      this.#cancelHeartbeat = undefined
    } else if (this.#cancelHeartbeat === undefined) {
      this.#lastTickMs = this.#options.clock.nowMs()
      this.#scheduleHeartbeat()
    }
    if (this.isSuspect === wasSuspect) return
    // The time that a batch may take depends on the state: a timer for another one would be late.
    this.#cancelWatch?.()
    this.#cancelWatch = undefined
    this.#watch()
    this.#options.onChange()
  }

  /** One timer watches the oldest batch in flight; it is set anew only when it has run out, or the state has changed. */
  #watch(): void {
    if (this.#cancelWatch !== undefined) return
    const oldest = this.#inFlight[0]
    if (oldest === undefined) return
    const { clock, limits } = this.#options
    const ageMs = clock.nowMs() - oldest.sentAtMs
    const limitMs = this.#isSlow || !this.#isConfirmed ? limits.batchTimeoutMs : this.#latency.hedgeMs
    this.#cancelWatch = clock.after(Math.max(1, limitMs - ageMs), () => {
      this.#cancelWatch = undefined
      // An answer that has already arrived is not late: it is read before the verdict.
      clock.defer(() => {
        this.#judgeOldest()
        this.#watch()
      })
    })
  }

  #judgeOldest(): void {
    const oldest = this.#inFlight[0]
    if (oldest === undefined || this.#isClosed) return
    const { clock, limits } = this.#options
    const ageMs = clock.nowMs() - oldest.sentAtMs
    if (ageMs >= limits.batchTimeoutMs) this.#stream?.close()
    else if (this.#isConfirmed && ageMs >= this.#latency.hedgeMs) this.#setState(true, true)
  }

  #scheduleHeartbeat(): void {
    const { clock, limits } = this.#options
    this.#cancelHeartbeat = clock.after(limits.heartbeatMs, () => {
      const nowMs = clock.nowMs()
      this.#scheduleHeartbeat()
      if (this.#isOutOfTime()) return
      this.#lastTickMs = nowMs
      const isQuiet = nowMs - this.#lastSentMs >= limits.heartbeatMs
      if (isQuiet && this.#inFlight.length === 0) this.#sendBatch([])
      this.#judgeBacklog()
    })
  }

  /**
   * Whether this process has just gone on after it was stopped for longer than a message may live. What waits to be sent
   * is from before that, and the timers that would have ended it have not run yet: the stream ends, and it with that.
   */
  #isOutOfTime(): boolean {
    const { clock, limits } = this.#options
    const isOutOfTime = clock.nowMs() - this.#lastTickMs > limits.heartbeatMs + limits.batchTimeoutMs
    if (this.#isConfirmed && isOutOfTime) this.#stream?.close()
    return this.#isConfirmed && isOutOfTime
  }

  /** What waits is sent in its order: when the last request of some moment has left, none of that moment waits any more. */
  #judgeBacklog(): void {
    const nowMs = this.#options.clock.nowMs()
    const backlog = this.#backlog
    if (backlog !== undefined && this.#takenCount < backlog.untilCount) {
      if (nowMs - backlog.sinceMs >= this.#options.limits.batchTimeoutMs) this.#stream?.close()
      return
    }
    const { length } = this.#waiting
    this.#backlog = length === 0 ? undefined : { untilCount: this.#takenCount + length, sinceMs: nowMs }
  }
}

/** How many of these errands get an answer that a client waits for. */
function countAnswers(errands: readonly Errand[]): number {
  let count = 0
  for (const { request, isBackground } of errands) if (request.kind !== 'mark' && !isBackground) count += 1
  return count
}

/** About what a request weighs on the wire, in bytes. */
function sizeOf({ key, request }: Errand): number {
  const state = 'state' in request ? request.state : undefined
  return (
    64 + key.length + (state === undefined ? 0 : 20 * state.lineage.length + (state.value?.byteLength ?? 0))
  )
}
