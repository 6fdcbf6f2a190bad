import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from allocating short-lived objects in the old generation. Call it first in a process that serves.
 *
 * V8 remembers, by the place in the code, which objects live long, and then allocates all from there as old.
 * But what a write leaves in a cache and what a read drops at once are made at the same places, in the codec
 * and in the proposer: after a burst of writes every read left old garbage behind, which kept the young
 * objects alive that it pointed at, up to the next full collection (scavenges of 5 ms instead of 0.8, and a
 * tenth of a read's CPU; docs/benchmarks.md).
 */
export function keepGarbageYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
