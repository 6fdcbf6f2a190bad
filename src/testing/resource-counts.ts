/**
 * For tests: counts of what a part of the program holds, before and after work that must not leak anything.
 * Each part counts its own things (bytes that wait, batches in flight); timers, sockets, open files and
 * listeners are counted here.
 */
import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { queryObjects } from 'node:v8'

/** How many of each kind there are. A kind that is not named counts as 0. */
export type ResourceCounts = Readonly<Record<string, number>>

const OWN_FILES = '/proc/self/fd'

/** How long a closed resource may still be counted. */
const PATIENCE_MS = 2_000
/** How long counts stay the same when they have settled. */
const SETTLED_MS = 100

/**
 * What keeps this process alive, by the names that Node gives it (`Timeout`, `TCPSocketWrap`, …), and its
 * open files.
 */
export function processCounts(): ResourceCounts {
  const counts: Record<string, number> = { 'open files': openFileCount(process.pid) }
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** The open files and sockets of a process. 0 on a system without /proc. */
export function openFileCount(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}

/** The open files of this process below a directory. None on a system without /proc. */
export function openFilesBelow(directory: string): string[] {
  const files: string[] = []
  for (const name of existsSync(OWN_FILES) ? readdirSync(OWN_FILES) : []) {
    try {
      const path = readlinkSync(join(OWN_FILES, name))
      if (path.startsWith(`${directory}/`)) files.push(path)
    } catch {
      // It was closed meanwhile: the list itself is such a file.
    }
  }
  return files
}

/**
 * How many objects of a class, or of one derived from it, are in use. It collects garbage first, so that it
 * counts only objects that something still refers to. It walks over all objects, which may take a second.
 */
export function liveCount(kind: abstract new (...args: never) => object): number {
  return queryObjects(kind as never, { format: 'count' })
}

/** The listeners of an emitter, by event. `name` is the name of the emitter. */
export function listenerCounts(name: string, emitter: EventEmitter): ResourceCounts {
  const events = emitter
    .eventNames()
    .map((event) => [`${name}: ${String(event)}`, emitter.listenerCount(event)])
  return Object.fromEntries(events)
}

/** Asserts that all counts are the same as before. For parts whose clock the test drives. */
export function assertSameCounts(before: ResourceCounts, after: ResourceCounts): void {
  assert.deepEqual(differences(before, after), [], 'there is more or less than before')
}

/**
 * Runs `work` and asserts that, at the latest two seconds after it, no count is higher than before.
 * `work` runs once before everything is counted: a thing that is made at its first use is not a leak.
 */
export async function assertNothingLeft(
  count: () => ResourceCounts,
  work: () => void | Promise<void>,
): Promise<void> {
  await work()
  const before = await settledCounts(count)
  await work()
  const untilMs = performance.now() + PATIENCE_MS
  let grown: string[]
  do {
    // Not at once, and seldom: a count that collects garbage takes half a second of CPU.
    await pause(SETTLED_MS)
    grown = differences(before, count(), isMore)
  } while (grown.length > 0 && performance.now() < untilMs)
  assert.deepEqual(grown, [], 'a resource has leaked')
}

/** The counts when they have not changed for a moment, or after two seconds. */
async function settledCounts(count: () => ResourceCounts): Promise<ResourceCounts> {
  const untilMs = performance.now() + PATIENCE_MS
  for (let counts = count(); ; ) {
    await pause(SETTLED_MS)
    const now = count()
    if (differences(counts, now).length === 0 || performance.now() > untilMs) return now
    counts = now
  }
}

/** Each kind whose count differs, as a sentence. */
function differences(before: ResourceCounts, after: ResourceCounts, isNamed = isOther): string[] {
  const kinds = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return kinds
    .filter((kind) => isNamed(before[kind] ?? 0, after[kind] ?? 0))
    .map((kind) => `${kind}: ${before[kind] ?? 0} before, ${after[kind] ?? 0} after`)
}

function isOther(before: number, after: number): boolean {
  return before !== after
}

function isMore(before: number, after: number): boolean {
  return after > before
}
