import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from allocating short-lived objects in the old generation. Call it first in a process that serves.
 *
 * V8 records for each place in the code whether the objects made there live long. If they do, it allocates
 * all objects of that place in the old generation. But the codec and the proposer make two kinds of objects
 * at the same places: those that a write leaves in a cache, and those that a read drops at once. So after a
 * burst of writes every read left garbage in the old generation, and that garbage kept young objects alive
 * until the next full collection. Scavenges took 5 ms instead of 0.8 ms, and a tenth of the CPU time of a
 * read (docs/benchmarks.md).
 */
export function keepGarbageYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
