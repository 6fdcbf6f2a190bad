import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { SqliteStore } from '../node/store/sqlite-store.ts'
import type { KeyRecord } from '../register/messages.ts'
import type { ScanEntry, ScanRange } from '../rpc/messages.ts'

/** For tests: the path of a database in a directory of its own, which is removed after the test. */
export function aDatabasePath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-store-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'node.db')
}

/** A record as it is loaded: SQLite gives plain bytes, and the arbitraries make Buffers. */
export function asLoaded(record: KeyRecord): KeyRecord {
  const { state } = record
  return { ...record, state: { ...state, value: state.value && new Uint8Array(state.value) } }
}

/** A record of generation 1 that was accepted at the first ballot. */
export function aWrittenRecord(sequence: number, value: Uint8Array): KeyRecord {
  const writeId = { proposerId: 7, sequence }
  return {
    promised: { round: 2, proposerId: 0 },
    accepted: { round: 1, proposerId: 0 },
    state: { generation: 1, writeId, lineage: [writeId], value },
    chosen: false,
    isStub: false,
  }
}

/** Saves records in one transaction. */
export function saveAll(store: SqliteStore, entries: Iterable<readonly [string, KeyRecord]>): void {
  store.transaction(() => {
    for (const [key, record] of entries) store.save(key, store.load(key), record)
  })
}

/** All entries of a scan, whose slices have at most `limit` entries each. */
export function scanAll(
  store: SqliteStore,
  limit: number,
  { omitValues = false, ...filter }: Partial<ScanRange> = {},
): ScanEntry[] {
  const all: ScanEntry[] = []
  for (let start = filter.start ?? ''; ; ) {
    const { entries, nextStart } = store.scan({ end: '', omitValues, ...filter, start }, limit)
    assert.ok(entries.length <= limit)
    all.push(...entries)
    if (nextStart === undefined) return all
    start = nextStart
  }
}

/**
 * Copies a database as it is on the disk now into a new directory: this is what a node would find after a
 * crash.
 */
export function copyDatabase(t: TestContext, path: string): string {
  const copy = aDatabasePath(t)
  for (const suffix of ['', '-wal']) {
    if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix)
  }
  return copy
}
