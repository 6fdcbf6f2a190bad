import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { integer } from './columns.ts'

/**
 * Free pages (4 KB each) that stay in the file for later writes: this many, or this share of all pages if
 * that is more. Other free pages are given back, `PAGES_PER_STEP` at a time: to move 256 pages takes about 3
 * ms and one sync.
 */
const FREE_PAGES_KEPT = 1_024
const FREE_SHARE_KEPT = 1 / 8
const PAGES_PER_STEP = 256

/** A write-ahead log that is longer than this is emptied when the node is idle. */
const IDLE_LOG_BYTES = 4 * 1024 * 1024

/** Gives the space of removed records back to the file system, in small steps. */
export class FreeSpace {
  readonly #db: DatabaseSync
  readonly #path: string

  constructor(db: DatabaseSync, path: string) {
    this.#db = db
    this.#path = path
  }

  /** As `RecordStore.reclaim`. */
  reclaim(isIdle: boolean): boolean {
    const free = this.#pragma('freelist_count')
    const kept = Math.max(FREE_PAGES_KEPT, FREE_SHARE_KEPT * this.#pragma('page_count'))
    if (free > kept) {
      this.#db.exec(`PRAGMA incremental_vacuum(${Math.min(PAGES_PER_STEP, Math.ceil(free - kept))})`)
      return true
    }
    // Copies the log into the database and truncates it. A reader in another process prevents that; a later
    // call then tries again.
    if (isIdle && this.#logBytes() > IDLE_LOG_BYTES) this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return false
  }

  #logBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  #pragma(name: 'freelist_count' | 'page_count'): number {
    return integer(this.#db.prepare(`PRAGMA ${name}`).get()?.[name])
  }
}
