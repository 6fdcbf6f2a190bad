/**
 * The stdout or the stderr of a process. Writing can fail at any time: a disk is full, or a reader is gone.
 */
import { fstatSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

export interface Destination {
  /**
   * Writes text, or throws. If it throws, a part of the text may have been written; then the next write
   * begins on a new line.
   *
   * @param onLost called later if the text could not be written
   */
  write(text: string, onLost?: () => void): void
  /** Writes bytes, and waits until the reader has taken them. Rejects if they cannot be written. */
  writeAll(bytes: Buffer): Promise<void>
  /**
   * Resolves when all text is written, cannot be written any more, or `timeoutMs` (default: no limit) have
   * passed: with `false` if text still waits for its reader.
   */
  flush(timeoutMs?: number): Promise<boolean>
  /**
   * Why nothing can be written any more, usually because the reader is gone. It is set some time after the
   * write that failed has returned.
   */
  readonly error: NodeJS.ErrnoException | undefined
}

/**
 * `pendingBytesMax`: how many bytes may wait for a slow reader (default: any number). If more wait, a write
 * throws.
 */
export type DestinationOptions = Readonly<{ pendingBytesMax?: number }>

/** Stdout (1) or stderr (2). A slow reader of a pipe or a socket never blocks the process. */
export function destinationOf(descriptor: 1 | 2, options: DestinationOptions = {}): Destination {
  const stats = fstatSync(descriptor)
  if (!stats.isFIFO() && !stats.isSocket()) return new DescriptorDestination(descriptor)
  return new StreamDestination(descriptor === 1 ? process.stdout : process.stderr, options)
}

/**
 * A file, a device or a terminal. A write is complete when it returns. The streams of Node.js cannot be used
 * here: they write nothing more after their first error, but a full disk may have room again later.
 */
export class DescriptorDestination implements Destination {
  readonly #descriptor: number
  /** Whether the last text ends in the middle of a line. */
  #isTorn = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  get error(): undefined {
    return undefined
  }

  write(text: string): void {
    this.#write(Buffer.from(this.#isTorn ? `\n${text}` : text))
  }

  async writeAll(bytes: Buffer): Promise<void> {
    this.#write(bytes)
  }

  async flush(): Promise<boolean> {
    return true
  }

  #write(bytes: Buffer): void {
    let written = 0
    try {
      while (written < bytes.length) written += writeSome(this.#descriptor, bytes.subarray(written))
      this.#isTorn = false
    } catch (error) {
      if (written > 0) this.#isTorn = bytes[written - 1] !== LINE_FEED
      throw error
    }
  }
}

/** A pipe or a socket. Text that its reader has not taken yet waits in the memory of this process. */
export class StreamDestination implements Destination {
  readonly #stream: Writable
  readonly #pendingBytesMax: number
  #error: Error | undefined

  constructor(stream: Writable, { pendingBytesMax = Number.POSITIVE_INFINITY }: DestinationOptions = {}) {
    this.#stream = stream
    this.#pendingBytesMax = pendingBytesMax
    // Without a listener, the error of a write would end the process.
    stream.on('error', (error) => {
      this.#error = error
    })
  }

  get error(): Error | undefined {
    return this.#error
  }

  write(text: string, onLost: () => void = () => undefined): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#stream.writableLength > this.#pendingBytesMax) throw new Error('the reader takes nothing')
    this.#stream.write(text, (error) => {
      if (error) onLost()
    })
  }

  writeAll(bytes: Buffer): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }

  flush(timeoutMs?: number): Promise<boolean> {
    if (this.#error !== undefined) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (isFlushed: boolean) => {
        clearTimeout(timer)
        this.#stream.off('error', end)
        resolve(isFlushed)
      }
      const end = () => settle(true)
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(false), timeoutMs)
      // Writes end in order. When this one ends, the errors of all earlier ones are known.
      this.#stream.write('', end)
      this.#stream.once('error', end)
    })
  }
}

const LINE_FEED = 0x0a
/**
 * If another program has left a terminal in non-blocking mode, the terminal refuses writes while it is busy.
 */
const BUSY_ATTEMPTS = 20
const BUSY_PAUSE_MS = 5

function writeSome(descriptor: number, bytes: Buffer): number {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return writeSync(descriptor, bytes)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || attempt === BUSY_ATTEMPTS) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS)
    }
  }
}
