import { Readable } from 'node:stream'
import { writeEvent } from './watch-event.ts'
import type { WatchSink } from './watcher.ts'

/** How much may wait for a client that does not read. */
const WAITING_BYTES_MAX = 1024 * 1024

/** How much of a list waits for the client at a time. */
const LIST_BYTES = 64 * 1024

/** How long a client may leave a list, or the end of a watch, unread. */
const UNREAD_MS_MAX = 10_000

export type WatchStreamOptions = Readonly<{
  onBegin: () => void
  onRefuse: () => void
  /** The client did not read, so its watch was ended. */
  onTooSlow: () => void
}>

/** The body of the answer to a watch. It holds at most about a megabyte, and ends when more is waiting. */
export class WatchStream extends Readable implements WatchSink {
  readonly #options: WatchStreamOptions
  #hasEnded = false
  #onRead: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: WatchStreamOptions) {
    super({ highWaterMark: LIST_BYTES })
    this.#options = options
  }

  begin(): void {
    this.#options.onBegin()
  }

  refuse(): void {
    this.#options.onRefuse()
  }

  send(bytes: string | Buffer): void {
    if (this.#hasEnded || this.destroyed) return
    if (this.readableLength + bytes.length > WAITING_BYTES_MAX) return this.#endAsTooSlow()
    this.push(bytes)
  }

  /** Less than `LIST_BYTES` wait, or the watch has ended. */
  get isReady(): boolean {
    return this.readableLength < LIST_BYTES || this.#hasEnded || this.destroyed
  }

  ready(): Promise<void> {
    if (this.isReady) return Promise.resolve()
    return new Promise((resolve) => {
      this.#timer = setTimeout(() => this.#endAsTooSlow(), UNREAD_MS_MAX)
      this.#onRead = () => {
        clearTimeout(this.#timer)
        this.#onRead = undefined
        resolve()
      }
    })
  }

  /** Ends the answer after what was sent. */
  end(): void {
    if (this.#hasEnded || this.destroyed) return
    this.#hasEnded = true
    this.#onRead?.()
    this.push(null)
    // A client that does not read would keep the connection open.
    this.#timer = setTimeout(() => this.destroy(), UNREAD_MS_MAX)
  }

  override _read(): void {
    this.#onRead?.()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#hasEnded = true
    this.#onRead?.()
    clearTimeout(this.#timer)
    callback(error)
  }

  #endAsTooSlow(): void {
    if (this.#hasEnded) return
    this.push(writeEvent({ kind: 'reset', reason: 'client_too_slow' }))
    this.end()
    this.#options.onTooSlow()
  }
}
