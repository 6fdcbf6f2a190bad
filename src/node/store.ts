import type { Ballot } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import type { WriteId } from '../register/state.ts'
import type { Membership, ScanEntry, ScanRange } from '../rpc/messages.ts'
import type { Inventory } from './inventory.ts'

/** A part of a scan. `nextStart`: where the rest of the range begins; `undefined`: there is none. */
export type ScanSlice = Readonly<{ entries: readonly ScanEntry[]; nextStart: string | undefined }>

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
  /** What the store holds, counted and summed up; kept up with every save. */
  readonly inventory: Inventory

  /** Runs `save`, `saveMembership` and `load` as one step. Not nested; `fn` must not await. */
  transaction<T>(fn: () => T): T
  /** The record of a key; `EMPTY_RECORD` when there is none. */
  load(key: string): KeyRecord
  /**
   * Puts a record in the place of the one that `load` gave, `before`. `EMPTY_RECORD` removes it. Only within a
   * transaction.
   */
  save(key: string, before: KeyRecord, record: KeyRecord): void
  /**
   * Keeps the first record of a key: what `load` and `save` would do, in one step. `false`: the key has a record, and
   * nothing was done. Only within a transaction.
   */
  insert(key: string, record: KeyRecord): boolean
  /**
   * Marks the record of a key as `onMark` does: what `load` and `save` would do, in one step. `true`: that changed it.
   * Only within a transaction.
   */
  mark(key: string, ballot: Ballot, writeId: WriteId): boolean
  /** Only within a transaction. */
  saveMembership(membership: Membership): void

  /**
   * The first records of a range, in key order: at most `limit`, fewer when their values are large, and perhaps none
   * where it takes many keys to find one of the leaves that are asked for. Go on from `nextStart`.
   */
  scan(range: ScanRange, limit: number): ScanSlice

  /**
   * Gives back some of the space that removed records have left, in a step of some milliseconds; true when there is more
   * to give back. Not within a transaction. `isIdle`: nobody is waiting, so that a step may take a little longer.
   */
  reclaim(isIdle: boolean): boolean
  close(): void
}
