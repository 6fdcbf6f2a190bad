import type { HedgeBounds } from './latency.ts'

export type LinkLimits = HedgeBounds &
  Readonly<{
    /** Batches in flight. With one more than the node works on, the node is busy while answers travel. */
    batchesInFlightMax: number
    /** It also keeps the answers, with records of up to about 90 KB, below the message limit of gRPC. */
    requestsPerBatchMax: number
    /**
     * Background requests in a batch, in addition to `requestsPerBatchMax`. They delay the requests of
     * clients in the same batch, so they are few.
     */
    backgroundPerBatchMax: number
    /**
     * Background requests in a batch while no client waits. A node that has taken them answers nobody for
     * some milliseconds, other connectors included. Few large batches cost much less than many small ones.
     */
    backgroundAloneMax: number
    /**
     * About how many bytes the background requests of a batch may have, in addition to `batchBytesMax`. A
     * larger one is the only background request of its batch.
     */
    backgroundBytesMax: number
    /**
     * About how many bytes the requests of clients and the marks of a batch may have; below the message limit
     * of gRPC. A larger one is the only one of them in its batch.
     */
    batchBytesMax: number
    /**
     * How many bytes may wait for a node that answers slowly. Further requests are refused, and the node will
     * lag.
     */
    waitingBytesMax: number
    /** How long chosen marks wait for a batch with other requests. */
    marksMs: number
    /**
     * If nothing was sent for this long, an empty batch is sent, to check that the node still answers.
     */
    heartbeatMs: number
    /**
     * If a batch is not answered for this long, its stream ends, with every message on it. The same happens
     * if a request waits for this long (within two heartbeats) to be sent. So no message lives much longer
     * than its operation (protocol.md §6).
     */
    batchTimeoutMs: number
    /** The pause between the end of a stream and the next attempt. */
    reopenMs: number
    /**
     * The longest pause if streams end because the node sends malformed answers. The pause doubles with each
     * such stream, until a stream has lasted for this long.
     */
    malformedReopenMsMax: number
  }>

export const LINK_LIMITS: LinkLimits = {
  hedgeMsMin: 10,
  hedgeMsMax: 250,
  batchesInFlightMax: 2,
  requestsPerBatchMax: 128,
  backgroundPerBatchMax: 16,
  backgroundAloneMax: 64,
  backgroundBytesMax: 1024 * 1024,
  batchBytesMax: 2 * 1024 * 1024,
  waitingBytesMax: 16 * 1024 * 1024,
  marksMs: 10,
  heartbeatMs: 500,
  batchTimeoutMs: 3_000,
  reopenMs: 200,
  malformedReopenMsMax: 5_000,
}
