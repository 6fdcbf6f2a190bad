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
  /** When the oldest batch in flight was sent. `undefined`: there is none. */
  oldestSentAtMs: () => number | undefined
  /** Called when the node became suspect, or is not suspect any more. */
  onChange: () => void
  /** Called when a heartbeat is due. */
  onHeartbeat: (nowMs: number) => void
  /** Ends the stream, because the node does not answer, or this process was stopped for too long. */
  endStream: () => void
}>

export class StreamHealth {
  readonly #options: StreamHealthOptions
  readonly #latency: Latency
  /** Whether the node has answered on this stream. */
  #isConfirmed = false
  /** Whether the oldest batch in flight takes longer than the hedge time. */
  #isSlow = false
  #lossCount = 0
  /** When the timer of the heartbeat last ran. */
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

  /** Call it when the node has answered a batch. */
  answered(timeMs: number): void {
    this.#latency.observe(timeMs)
    this.#setState(true, false)
  }

  /** Call it when the stream has ended. */
  ended(): void {
    if (this.#isConfirmed) this.#lossCount += 1
    this.#setState(false, false)
  }

  /** Stops all timers, because no further stream follows. Call it after `ended`. */
  close(): void {
    this.#cancelWatch?.()
    this.#cancelWatch = undefined
  }

  /** Watches the time of the batches in flight. One timer is enough: it is set for the oldest batch. */
  watch(): void {
    if (this.#cancelWatch !== undefined) return
    const sentAtMs = this.#options.oldestSentAtMs()
    if (sentAtMs === undefined) return
    const { clock, limits } = this.#options
    const limitMs = this.#isSlow || !this.#isConfirmed ? limits.batchTimeoutMs : this.#latency.hedgeMs
    this.#cancelWatch = clock.after(Math.max(1, limitMs - (clock.nowMs() - sentAtMs)), () => {
      this.#cancelWatch = undefined
      // An answer that has already arrived is not late, so it is read first.
      clock.defer(() => {
        this.#judgeOldest()
        this.watch()
      })
    })
  }

  /**
   * Ends the stream if this process was stopped for longer than a message may live, and has just continued.
   * The requests that wait are then too old, and the timers that would have ended them have not run yet.
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
    // The time that a batch may take depends on the state, so a timer of the other state would be late.
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
