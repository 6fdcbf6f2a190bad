import type { KeyRecord, Mark } from '../../register/messages.ts'
import type { Membership, ScanEntry, ScanRange } from '../../rpc/messages.ts'
import type { Inventory } from './inventory.ts'

/** A part of a scan. */
export type ScanSlice = Readonly<{
  entries: readonly ScanEntry[]
  /** The keys of this part whose records are damaged. They are not among the entries. */
  damaged: readonly string[]
  /** Where the rest of the range begins; `undefined`: this was the last part. */
  nextStart: string | undefined
}>

/**
 * Keeps the records, the identity and the membership of a node. SQLite in production, memory in simulations.
 *
 * Durability: everything that is saved within `transaction` survives a power cut as soon as `transaction`
 * returns. When it throws, nothing of it is saved. Any method may throw when the store has failed. The node
 * must then stop, because its memory may hold more than its disk.
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
  /**
   * As `transaction`, for a step that only loads and marks. It does not take the lock of a writer, which
   * costs two system calls.
   */
  view<T>(fn: () => T): T
  /**
   * The record of a key; `EMPTY_RECORD` when there is none.
   *
   * @throws {DamagedRecordError} when it is not what was saved. The store goes on working, and so does an
   * open transaction, if the caller catches the error within it.
   */
  load(key: string): KeyRecord
  /**
   * Replaces the record that `load` has returned, which is `before`. `EMPTY_RECORD` removes the record. Only
   * within a transaction.
   */
  save(key: string, before: KeyRecord, record: KeyRecord): void
  /**
   * Saves the first record of a key in one step, without a `load`. `false`: the key has a record already,
   * which may be damaged, and nothing was done. Only within a transaction.
   */
  insert(key: string, record: KeyRecord): boolean
  /**
   * Takes a chosen mark, as `onMark` does. Every `load` and `scan` from now on includes it; it is written
   * some time later. A crash may lose it, which is safe: marks are hints. A damaged record takes no mark.
   */
  mark(key: string, mark: Mark): void
  /**
   * Replaces a damaged record, which `load` cannot return. Only within a transaction.
   */
  heal(key: string, record: KeyRecord): void
  /**
   * No promise that was ever saved has a higher round number, except implausible ones (protocol.md §9). A
   * save raises the bound if it must.
   */
  readonly promiseBound: number

  /** Only within a transaction. */
  saveMembership(membership: Membership): void

  /**
   * The first records of a range, in key order: at most `limit`, and fewer when their values are large. There
   * may be no record at all when few keys belong to the leaves that are asked for. The rest begins at
   * `nextStart`. Not within a transaction.
   */
  scan(range: ScanRange, limit: number): ScanSlice

  /**
   * Writes some of what was put off, such as marks; true when there is more. Not within a transaction.
   * `isIdle`: no request waits, so that this call may take longer.
   */
  flush(isIdle: boolean): boolean
  /**
   * Gives some of the space of removed records back to the file system, in a step of a few milliseconds; true
   * when there is more to give back. Not within a transaction. `isIdle`: no request waits, so that a step may
   * take longer.
   */
  reclaim(isIdle: boolean): boolean
  close(): void
}
