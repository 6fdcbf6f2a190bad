import { BucketCounts, SECONDS_BOUNDS, SIZE_BOUNDS } from '../metrics/bucket-counts.ts'
import type { Request } from '../register/messages.ts'

/** `damaged`: the record of the key is damaged. */
type MessageCounts = { ok: number; refused: number; damaged: number }

/** The counters of a node, as plain numbers. `node-metrics.ts` shows them. */
export class NodeCounters {
  /** Messages that the node acted on. A mark gets no answer, and counts as ok. */
  readonly messages: Readonly<Record<Request['kind'], MessageCounts>> = {
    prepare: { ok: 0, refused: 0, damaged: 0 },
    accept: { ok: 0, refused: 0, damaged: 0 },
    learn: { ok: 0, refused: 0, damaged: 0 },
    mark: { ok: 0, refused: 0, damaged: 0 },
    read: { ok: 0, refused: 0, damaged: 0 },
    stub: { ok: 0, refused: 0, damaged: 0 },
    drop: { ok: 0, refused: 0, damaged: 0 },
  }
  /** Batches for another node, cluster or epoch, on which the node did not act. */
  mismatchedBatches = 0
  /**
   * The batches of one turn, and the requests in them. They share one transaction and one sync of the disk.
   */
  readonly turnBatches = new BucketCounts(SIZE_BOUNDS)
  readonly turnRequests = new BucketCounts(SIZE_BOUNDS)
  /** The time of each commit that wrote something, in seconds. The sync of the disk is most of it. */
  readonly commitSeconds = new BucketCounts(SECONDS_BOUNDS)
  storeErrors = 0

  /** A transaction that wrote something was committed in this time. */
  committed(commitMs: number): void {
    this.commitSeconds.observe(commitMs / 1_000)
  }
}
