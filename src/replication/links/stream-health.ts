/**
 * Whether the stream to one node works. The node is *suspect* (protocol.md §4.6) while it has not answered on
 * its stream, and while its oldest batch in flight has been waiting for longer than the hedge time.
 */
import type { Clock } from '../../process/clock.ts'
import { Latency } from './latency.ts'
import type { LinkLimits } from './link-limits.ts'

export type StreamHealthOptions = Readonly<{
  clock: Clock
  limits: LinkLimits
  /** When the oldest batch in flight was sent; `undefined`: there is none. */
  oldestSentAtMs: () => number | undefined
  /** The node became suspect, or is not suspect any more. */
  onChange: () => void
  /** The time of a heartbeat has come. */
  onHeartbeat: (nowMs: number) => void
  /** The stream must end: its node does not answer, or this process was stopped for too long. */
  endStream: () => void
}>

export class StreamHealth {
  readonly #options: StreamHealthOptions
  readonly #latency: Latency
  /** The node has answered on this stream. */
  #isConfirmed = false
  /** The oldest batch in flight takes longer than the hedge time. */
  #isSlow = false
  #lossCount = 0
  /** When the heartbeat's timer last ran. */
  #lastTickMs = 0
  #cancelWatch: (() => void) | undefined
  #cancelHeartbeat: (() => void) | undefined

  constructor(options: StreamHealthOptions) {
    this.#options = options
    this.#latency = new Latency(options.limits)
  }

  get isSuspect(): boolean {
    return !this.#isConfirmed || this.#isSlow
  }

  /** Whether the node has answered on this stream. */
  get isConfirmed(): boolean {
    return this.#isConfirmed
  }

  /** How many streams that worked have ended. */
  get lossCount(): number {
    return this.#lossCount
  }

  /** The node has answered a batch. */
  answered(timeMs: number): void {
    this.#latency.observe(timeMs)
    this.#setState(true, false)
  }

  /** The stream has ended. */
  ended(): void {
    if (this.#isConfirmed) this.#lossCount += 1
    this.#setState(false, false)
  }

  /** No stream follows: no timer is left. Call it after `ended`. */
  close(): void {
    this.#cancelWatch?.()
    this.#cancelWatch = undefined
  }

  /** A batch is in flight: its time is watched. One timer does it for all: it is set for the oldest batch. */
  watch(): void {
    if (this.#cancelWatch !== undefined) return
    const sentAtMs = this.#options.oldestSentAtMs()
    if (sentAtMs === undefined) return
    const { clock, limits } = this.#options
    const limitMs = this.#isSlow || !this.#isConfirmed ? limits.batchTimeoutMs : this.#latency.hedgeMs
    this.#cancelWatch = clock.after(Math.max(1, limitMs - (clock.nowMs() - sentAtMs)), () => {
      this.#cancelWatch = undefined
      // An answer that has already arrived is not late: it is read before the verdict.
      clock.defer(() => {
        this.#judgeOldest()
        this.watch()
      })
    })
  }

  /**
   * Ends the stream if this process has just gone on after it was stopped for longer than a message may live.
   * What waits to be sent is from before that, and the timers that would have ended it have not run yet.
   *
   * @returns whether it has ended the stream
   */
  endIfStopped(): boolean {
    const { clock, limits, endStream } = this.#options
    const stoppedMs = clock.nowMs() - this.#lastTickMs
    if (!this.#isConfirmed || stoppedMs <= limits.heartbeatMs + limits.batchTimeoutMs) return false
    endStream()
    return true
  }

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
    // The time that a batch may take depends on the state: a timer that was set in another state would be
    // late.
    this.#cancelWatch?.()
    this.#cancelWatch = undefined
    this.watch()
    this.#options.onChange()
  }

  #judgeOldest(): void {
    const { clock, limits, oldestSentAtMs, endStream } = this.#options
    const sentAtMs = oldestSentAtMs()
    if (sentAtMs === undefined) return
    const ageMs = clock.nowMs() - sentAtMs
    if (ageMs >= limits.batchTimeoutMs) endStream()
    else if (this.#isConfirmed && ageMs >= this.#latency.hedgeMs) this.#setState(true, true)
  }

  #scheduleHeartbeat(): void {
    const { clock, limits, onHeartbeat } = this.#options
    this.#cancelHeartbeat = clock.after(limits.heartbeatMs, () => {
      const nowMs = clock.nowMs()
      this.#scheduleHeartbeat()
      if (this.endIfStopped()) return
      this.#lastTickMs = nowMs
      onHeartbeat(nowMs)
    })
  }
}
