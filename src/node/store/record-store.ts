import type { Ballot } from '../../register/ballot.ts'
import type { KeyRecord } from '../../register/messages.ts'
import type { WriteId } from '../../register/state.ts'
import type { Membership, ScanEntry, ScanRange } from '../../rpc/messages.ts'
import type { Inventory } from './inventory.ts'

/**
 * A part of a scan. `nextStart` is where the rest of the range begins; `undefined`: this was the last part.
 */
export type ScanSlice = Readonly<{ entries: readonly ScanEntry[]; nextStart: string | undefined }>

/**
 * Keeps the records, the identity and the membership of a node. SQLite in production, memory in simulations.
 *
 * Durability: everything that is saved within `transaction` survives a power cut as soon as `transaction`
 * returns. When it throws, nothing of it is saved. Any method may throw when the store has failed. The node
 * must then stop, because its memory may be ahead of its disk.
 */
export interface RecordStore {
  /** Drawn when the data directory is created, and never changed. */
  readonly nodeId: string
  /** `undefined`: the node is new. */
  readonly membership: Membership | undefined
  /** The counts and digests of what the store holds, up to date after every transaction. */
  readonly inventory: Inventory

  /** Runs `save`, `saveMembership` and `load` as one step. Not nested; `fn` must not await. */
  transaction<T>(fn: () => T): T
  /** The record of a key; `EMPTY_RECORD` when there is none. */
  load(key: string): KeyRecord
  /**
   * Replaces the record that `load` has returned, which is `before`. `EMPTY_RECORD` removes the record. Only
   * within a transaction.
   */
  save(key: string, before: KeyRecord, record: KeyRecord): void
  /**
   * Saves the first record of a key in one step, without a `load`. `false`: the key has a record already, and
   * nothing was done. Only within a transaction.
   */
  insert(key: string, record: KeyRecord): boolean
  /**
   * Marks the record of a key as `onMark` does, in one step, without a `load`. `true`: the record was
   * changed. Only within a transaction.
   */
  mark(key: string, ballot: Ballot, writeId: WriteId): boolean
  /** Only within a transaction. */
  saveMembership(membership: Membership): void

  /**
   * The first records of a range, in key order: at most `limit`, and fewer when their values are large. There
   * may be none at all when few keys are of the leaves that are asked for. The rest begins at `nextStart`.
   */
  scan(range: ScanRange, limit: number): ScanSlice

  /**
   * Gives some of the space of removed records back to the file system, in a step of a few milliseconds; true
   * when there is more to give back. Not within a transaction. `isIdle`: no request waits, so that a step may
   * take longer.
   */
  reclaim(isIdle: boolean): boolean
  close(): void
}
