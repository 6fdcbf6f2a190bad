import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { decodeRequestBatch, encodeAnswerBatch } from '../rpc/batch-codec.ts'
import type { RequestBatch } from '../rpc/messages.ts'
import { WireError, WireVersionError } from '../rpc/wire.ts'
import { Freshness } from './freshness.ts'
import type { NodeHandler } from './handler.ts'

/**
 * The largest number of batches of one stream that are read and not yet answered. A connector sends at most
 * two; further batches wait in the socket.
 */
const OUTSTANDING_MAX = 4

/**
 * The node's end of one Exchange. Its memory is bounded, whatever the other end does: the node reads no
 * further while too many batches are unanswered, or while the other end does not take its answers.
 */
export class Exchange {
  readonly #call: ServerDuplexStream<Buffer, Buffer>
  readonly #handler: NodeHandler
  readonly #freshness = new Freshness()
  #outstanding = 0
  #isBlocked = false
  #isEnding = false
  #isClosed = false

  /** `onClose` is called once, when nothing more is received or sent. */
  constructor(call: ServerDuplexStream<Buffer, Buffer>, handler: NodeHandler, onClose: () => void) {
    this.#call = call
    this.#handler = handler
    call.on('data', (bytes: Buffer) => this.#receive(bytes))
    call.on('end', () => this.end())
    call.on('drain', () => {
      this.#isBlocked = false
      this.#regulate()
    })
    // The status has been written. What the other end may still send is not read.
    call.once('finish', () => call.destroy())
    call.once('close', () => {
      this.#isClosed = true
      onClose()
    })
  }

  /** Reads no further, answers the batches that were read, and ends the stream. May be called again. */
  end(): void {
    this.#isEnding = true
    this.#call.pause()
    this.#endIfIdle()
  }

  #receive(bytes: Buffer): void {
    if (this.#isEnding) return
    let batch: RequestBatch
    try {
      batch = decodeRequestBatch(bytes)
    } catch (error) {
      if (error instanceof WireVersionError) return this.#fail(status.FAILED_PRECONDITION, error.message)
      if (!(error instanceof WireError)) throw error
      return this.#fail(status.INVALID_ARGUMENT, error.message)
    }
    if (!this.#freshness.isFresh(batch, performance.now())) {
      return this.#fail(status.DEADLINE_EXCEEDED, 'a batch arrived too late, and the node did not act on it')
    }
    this.#outstanding++
    this.#handler.receive(
      batch,
      (answers) => {
        this.#outstanding--
        if (this.#isClosed || this.#call.writableEnded) return
        if (!this.#call.write(encodeAnswerBatch(answers, batch.requests))) this.#isBlocked = true
        this.#regulate()
        this.#endIfIdle()
      },
      (reason) => {
        this.#outstanding--
        if (!this.#isClosed && !this.#call.writableEnded) this.#fail(status.INVALID_ARGUMENT, reason)
      },
    )
    this.#regulate()
  }

  #fail(code: status, details: string): void {
    this.#isEnding = true
    // grpc-js sends this as the status, and ends the stream.
    this.#call.emit('error', { code, details })
  }

  #regulate(): void {
    if (this.#isEnding) return
    if (this.#isBlocked || this.#outstanding >= OUTSTANDING_MAX) this.#call.pause()
    else if (this.#call.isPaused()) this.#call.resume()
  }

  #endIfIdle(): void {
    if (this.#isEnding && this.#outstanding === 0 && !this.#isClosed) this.#call.end()
  }
}
