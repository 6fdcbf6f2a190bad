import type {
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  HeldEntry,
  ReceivedAnswers,
  RequestBatch,
  ScanRange,
} from './messages.ts'

/** The callbacks of a stream. `onClose` is called exactly once, and nothing is called after it. */
export type StreamHandlers = Readonly<{
  /**
   * The oldest batch is answered: with one answer for each request that gets one, or with a mismatch.
   */
  onAnswers: (batch: ReceivedAnswers) => void
  /**
   * The stream has ended. Batches without an answer are lost: the node may or may not have acted on each.
   * `isMalformed`: the node sent something that is not an answer to the oldest batch.
   */
  onClose: (reason: string, isMalformed?: boolean) => void
}>

/** A stream of batches to one node. */
export interface BatchStream {
  /** Sends a batch. Batches arrive in order, or `onClose` is called. It never throws. */
  send(batch: RequestBatch): void
  /** Ends the stream; `onClose` follows. May be repeated. */
  close(): void
}

/**
 * How a connector reaches one node: by gRPC in production, by a simulated network in the simulator. If a node
 * cannot be reached, opening a stream does not throw: `onClose` is called.
 */
export interface NodeTransport {
  open(handlers: StreamHandlers): BatchStream
  /**
   * Rejects when the node does not answer within `timeoutMs`, or sends no description. If the node could not
   * be reached a moment ago, it rejects at once; with `isPatient` it still tries for the whole time.
   */
  describe(timeoutMs: number, isPatient?: boolean): Promise<Description>
  /**
   * Rejects when the node does not answer within `timeoutMs`, or when its answer does not fit the request.
   */
  digest(request: DigestRequest, timeoutMs: number): Promise<DigestAnswer>
  /**
   * What the node has changed. Rejects when the node does not answer within `timeoutMs`, which must be more
   * than the time for which the node may wait.
   */
  changes(request: ChangesRequest, timeoutMs: number): Promise<ChangesAnswer>
  /**
   * The records of a node in a key range, in key order, in pages of at most `SCAN_PAGE_RECORDS_MAX`. Throws
   * when the node is lost, when it sends a page that does not fit the range, and when `signal` aborts.
   * Without a signal, the scan of a node that has stopped may never end.
   */
  scan(range: ScanRange, signal?: AbortSignal): AsyncIterable<readonly HeldEntry[]>
  /** Closes the connection and every stream on it. Questions and scans that have not ended fail at once. */
  close(): void
}

/** Makes the transport to the node at `address` (host:port). Does not wait for a connection. */
export type Connect = (address: string) => NodeTransport
