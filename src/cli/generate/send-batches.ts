import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../api-client.ts'
import { mayBeDone } from '../may-be-done.ts'
import { Latencies } from './latencies.ts'
import { Ledger } from './ledger.ts'

/** The results of one kind of request so far. It is updated while the requests run. */
export type Tally = {
  /** What became of each thing. */
  readonly ledger: Ledger
  /** Why requests failed (`503 unavailable`, `connection refused`), and how many things that left unmade. */
  readonly failures: Map<string, number>
  /** The latencies of the requests that succeeded. */
  readonly latencies: Latencies
  /** For how many things the requests have ended, in any way. */
  finished: number
}

/** The tally before the first request for `size` things. */
export function emptyTally(size: number): Tally {
  return { ledger: new Ledger(size), failures: new Map(), latencies: new Latencies(), finished: 0 }
}

export type SendOptions<T> = Readonly<{
  /** The numbers of the things that each request makes, each thing once. Taken when they are needed. */
  batches: Iterable<readonly number[]>
  /** Sends one request. The reply to each thing, in order. */
  send: (batch: readonly number[]) => Promise<readonly Reply<T>[]>
  /** A text that differs for each state of a thing that was made. */
  stateOf: (made: T, etag: string | undefined) => string
  /** How many requests are under way at a time. */
  concurrency: number
  /** Whether things for which the connector had no time (`overloaded`) are asked for again. */
  repeatsOverloaded: boolean
  /** When it aborts, no further request is sent. Requests that were sent are still waited for. */
  signal: AbortSignal
  onProgress: (tally: Tally) => void
}>

/** How many requests in a row may be refused as a whole before their things count as failed. */
const REFUSALS_MAX = 100
const PAUSE_MS = 100

/**
 * Sends the requests and records the results in `tally`. It repeats a request only for things for which the
 * connector had no time: nothing was changed then.
 */
export async function sendBatches<T>(options: SendOptions<T>, tally: Tally): Promise<void> {
  const { concurrency, repeatsOverloaded, send, signal, onProgress } = options
  // The workers share one iterator: each batch is taken once.
  const rest = Iterator.from(options.batches)
  const postponed: (readonly number[])[] = []
  let refusalsInRow = 0
  const next = () => postponed.pop() ?? rest.next().value
  const worker = async () => {
    for (let batch = next(); batch !== undefined; batch = next()) {
      // Until a request is answered, its outcome is unknown. The report after an interrupt relies on this.
      for (const number of batch) tally.ledger.send(number)
      const startMs = performance.now()
      const replies = await send(batch)
      if (replies.some(({ kind }) => kind === 'answered')) tally.latencies.add(performance.now() - startMs)
      refusalsInRow = replies.every(isOverloaded) ? refusalsInRow + 1 : 0
      const mayPostpone = repeatsOverloaded && refusalsInRow <= REFUSALS_MAX && !signal.aborted
      const again: number[] = []
      for (const [index, reply] of replies.entries()) {
        const number = batch[index]!
        if (!mayPostpone || !isOverloaded(reply)) record(options, tally, number, reply)
        else {
          tally.ledger.drop(number)
          again.push(number)
        }
      }
      if (again.length > 0) postponed.push(again)
      onProgress(tally)
      if (signal.aborted) return
      if (refusalsInRow > 0) await sleep(PAUSE_MS)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

function isOverloaded(reply: Reply<unknown>): boolean {
  return reply.kind === 'problem' && reply.problem.code === 'overloaded'
}

function record<T>({ stateOf }: SendOptions<T>, tally: Tally, number: number, reply: Reply<T>): void {
  tally.finished += 1
  if (reply.kind === 'answered') return tally.ledger.make(number, stateOf(reply.value, reply.etag))
  const reason = reply.kind === 'problem' ? `${reply.problem.status} ${reply.problem.code}` : reply.reason
  tally.failures.set(reason, (tally.failures.get(reason) ?? 0) + 1)
  if (!mayBeDone(reply)) tally.ledger.drop(number)
}
