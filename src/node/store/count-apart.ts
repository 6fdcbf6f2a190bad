/** Counts the records of a large database in a thread of its own, while the node serves. */
import { once } from 'node:events'
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
  let isStopped = false
  const ended = once(worker, 'exit')
  // Its errors are those of `counts`.
  ended.catch(() => undefined)
  await once(worker, 'message')
  const message = once(worker, 'message')
  return {
    counts: Promise.race([
      message.then(([counts]) => counts as RowCounts),
      ended.then(() => {
        if (isStopped) return undefined
        throw new Error('the thread that counts the records has ended early')
      }),
    ]),
    stop: async () => {
      isStopped = true
      await worker.terminate()
    },
  }
}
