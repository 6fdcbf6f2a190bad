import type { Record } from '../register/messages.ts'
import type { Membership, ScanEntry, ScanRange } from '../rpc/messages.ts'

/**
 * Keeps a node's records, identity and membership. SQLite in production, memory in simulations.
 *
 * Durability: what was saved within `transaction` would survive a power cut once it returns; if it throws, none of
 * it was saved. Any method may throw when the store has failed. The node must then stop: what it holds in memory may
 * be ahead of what it could write.
 */
export interface RecordStore {
  /** Who this node is: drawn with the data directory, and never changed. */
  readonly nodeId: string
  /** `undefined`: the node is new. */
  readonly membership: Membership | undefined
  /** Number of records, in constant time. */
  readonly recordCount: number

  /** Runs `save`, `saveMembership` and `load` as one step. Not nested; `fn` must not await. */
  transaction<T>(fn: () => T): T
  /** The record of a key; `EMPTY_RECORD` when there is none. */
  load(key: string): Record
  /** Only within a transaction. */
  save(key: string, record: Record): void
  /** Only within a transaction. */
  saveMembership(membership: Membership): void

  /**
   * The first records of a range, in key order: at least one if there is any, at most `limit`, and fewer when their
   * values are large. Go on from behind the last key until nothing comes.
   */
  scan(range: ScanRange, limit: number): readonly ScanEntry[]
  close(): void
}
