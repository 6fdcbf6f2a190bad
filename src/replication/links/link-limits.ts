import type { HedgeBounds } from './latency.ts'

export type LinkLimits = HedgeBounds &
  Readonly<{
    /** Batches in flight. One more than the node works on keeps the node busy while answers travel. */
    batchesInFlightMax: number
    /** Also bounds the answers, each with a record of at most some 90 KB, below gRPC's message limit. */
    requestsPerBatchMax: number
    /**
     * Background requests in a batch, beside `requestsPerBatchMax`. Clients wait for them too: so they are
     * few.
     */
    backgroundPerBatchMax: number
    /**
     * About how many bytes a batch has. A single larger request still travels, alone. Below gRPC's message
     * limit.
     */
    batchBytesMax: number
    /**
     * How many bytes may wait for a node that answers slowly. Beyond it, requests are refused: the node will
     * lag.
     */
    waitingBytesMax: number
    /** How long chosen marks wait for requests to travel with. */
    marksMs: number
    /**
     * An empty batch is sent when nothing else was sent for this long, to learn whether the node is still
     * there.
     */
    heartbeatMs: number
    /**
     * A batch that is unanswered for this long ends its stream, and every message on it. So does a request
     * that waits for as long to be sent, give or take two heartbeats: no message outlives its operation by
     * much (protocol.md §6).
     */
    batchTimeoutMs: number
    /** Between the end of a stream and the next attempt. */
    reopenMs: number
    /**
     * The same at most, where streams end because the node sends what makes no sense: the pause doubles from
     * one such stream to the next, until one has lasted for this long.
     */
    malformedReopenMsMax: number
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
  malformedReopenMsMax: 5_000,
}
