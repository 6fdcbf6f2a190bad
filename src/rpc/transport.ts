import type {
  Description,
  DigestAnswer,
  DigestRequest,
  ReceivedAnswers,
  RequestBatch,
  ScanEntry,
  ScanRange,
} from './messages.ts'

/** What a stream tells its owner. Nothing is called after `onClose`, which is called exactly once. */
export type StreamHandlers = Readonly<{
  /**
   * The oldest batch is answered, with as many answers as it has requests that get one, or with a mismatch.
   */
  onAnswers: (batch: ReceivedAnswers) => void
  /**
   * The stream is gone, and with it every batch that has no answer yet: each may or may not have been acted
   * on. `isMalformed`: the node sent something that is no answer to the oldest batch.
   */
  onClose: (reason: string, isMalformed?: boolean) => void
}>

/** A stream of batches to one node. */
export interface BatchStream {
  /** Hands a batch over. Delivery is in order, or `onClose` says that it failed. Never throws. */
  send(batch: RequestBatch): void
  /** Ends the stream; `onClose` follows. May be repeated. */
  close(): void
}

/**
 * How a connector reaches one node: gRPC in production, the simulator's network in simulations. Opening a
 * stream to a node that cannot be reached is no error: `onClose` says so.
 */
export interface NodeTransport {
  open(handlers: StreamHandlers): BatchStream
  /**
   * Rejects when the node does not answer within `timeoutMs`, or sends no description. When the node could
   * not be reached a moment ago, it rejects at once. `isPatient`: even then it tries for the whole time.
   */
  describe(timeoutMs: number, isPatient?: boolean): Promise<Description>
  /** Rejects when the node does not answer within `timeoutMs`, or sends no answer to this request. */
  digest(request: DigestRequest, timeoutMs: number): Promise<DigestAnswer>
  /**
   * The node's records of a key range, in pages of at most `SCAN_PAGE_RECORDS_MAX`, in key order. Throws when
   * the node is lost, when it sends a page that is no answer to this range, and when `signal` is aborted:
   * without one, a node that has stopped may be waited for without end.
   */
  scan(range: ScanRange, signal?: AbortSignal): AsyncIterable<readonly ScanEntry[]>
  /** Closes the connection and every stream on it. */
  close(): void
}

/** Makes the transport to the node at `address` (host:port). Does not wait for a connection. */
export type Connect = (address: string) => NodeTransport
