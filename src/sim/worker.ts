/** A thread of the search: from time to time it tells the main thread what it has covered. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Coverage, cover, type WorldSize } from './search.ts'

const { size, firstSeed, step, untilMs } = workerData as {
  size: WorldSize
  firstSeed: number
  step: number
  /** `Date.now()` at the end of the search. */
  untilMs: number
}

const TELL_MS = 1_000

let coverage: Coverage = { runs: 0, messages: 0, failures: [] }
let toldAtMs = Date.now()
for (let seed = firstSeed; Date.now() < untilMs; seed += step) {
  await cover(size, seed, coverage)
  if (Date.now() - toldAtMs < TELL_MS) continue
  toldAtMs = Date.now()
  parentPort!.postMessage(coverage)
  coverage = { runs: 0, messages: 0, failures: [] }
}
parentPort!.postMessage(coverage)
