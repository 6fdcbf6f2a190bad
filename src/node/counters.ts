import { BucketCounts, SECONDS_BOUNDS, SIZE_BOUNDS } from '../metrics/bucket-counts.ts'
import type { Request } from '../register/messages.ts'

type MessageCounts = { ok: number; refused: number }

/** What a node counts, in plain numbers, where it happens. node-metrics.ts shows them. */
export class NodeCounters {
  /** Messages that were acted on. A mark gets no answer: it counts as ok. */
  readonly messages: Readonly<Record<Request['kind'], MessageCounts>> = {
    prepare: { ok: 0, refused: 0 },
    accept: { ok: 0, refused: 0 },
    learn: { ok: 0, refused: 0 },
    mark: { ok: 0, refused: 0 },
    read: { ok: 0, refused: 0 },
    stub: { ok: 0, refused: 0 },
    drop: { ok: 0, refused: 0 },
  }
  /** Batches for another node, cluster or epoch: they were not acted on. */
  mismatchedBatches = 0
  /** Batches, and requests in them, that one turn handled: they share a transaction, and with it a sync of the disk. */
  readonly turnBatches = new BucketCounts(SIZE_BOUNDS)
  readonly turnRequests = new BucketCounts(SIZE_BOUNDS)
  /** Of transactions that wrote something: the time of the commit, in seconds. The sync of the disk is most of it. */
  readonly commitSeconds = new BucketCounts(SECONDS_BOUNDS)
  storeErrors = 0
}
