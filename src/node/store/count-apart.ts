/** Counts the records of a large database in a thread of its own, while the node serves. */
import { Worker } from 'node:worker_threads'
import type { RowCounts } from './count-rows.ts'

/** A count that is under way. */
export type Count = Readonly<{
  /** What the database held when the count began. `undefined`: the count was stopped. May reject. */
  counts: Promise<RowCounts | undefined>
  /** Ends the count early. Resolves when its thread has released the database. May be called again. */
  stop: () => Promise<void>
}>

/**
 * Begins to count the records of the database at `path`. Resolves when the count has its view of the
 * database: what is written later is not counted. Until the count ends, SQLite's log cannot start again from
 * its beginning.
 *
 * @throws when the database cannot be read
 */
export async function countApart(path: string): Promise<Count> {
  const worker = new Worker(new URL('./count-worker.ts', import.meta.url), { workerData: path })
  const begun = Promise.withResolvers<void>()
  const counted = Promise.withResolvers<RowCounts | undefined>()
  // The error of a thread that never begins is that of `begun`.
  counted.promise.catch(() => undefined)
  let isStopped = false
  const fail = (error: unknown) => {
    begun.reject(error)
    counted.reject(error)
  }
  // Both messages of a quick count may be delivered in one go, so this listener is there before the first.
  worker.on('message', (message: 'begun' | RowCounts) => {
    if (message === 'begun') begun.resolve()
    else counted.resolve(message)
  })
  worker.once('error', fail)
  worker.once('exit', () => {
    if (isStopped) counted.resolve(undefined)
    else fail(new Error('the thread that counts the records has ended early'))
  })
  await begun.promise
  return {
    counts: counted.promise,
    stop: async () => {
      isStopped = true
      await worker.terminate()
    },
  }
}
