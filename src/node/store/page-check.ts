/**
 * Checks the pages of a node's database while the node serves: the tables' and indexes' structure, which the
 * checksums of records do not cover.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Runs SQLite's `quick_check` on the database at `path`, in a thread of its own and on a connection that only
 * reads. It takes some seconds for a million records. Until it ends, SQLite's log cannot start again from its
 * beginning.
 *
 * @returns the first problems, one text for each; none: the pages are whole. `undefined`: it was aborted
 * @throws when the database cannot be read
 */
export async function checkPages(path: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
  if (signal.aborted) return undefined
  const worker = new Worker(new URL('./page-check-worker.ts', import.meta.url), { workerData: path })
  const stop = () => void worker.terminate()
  signal.addEventListener('abort', stop)
  try {
    const [problems] = await once(worker, 'message', { signal })
    return problems as readonly string[]
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}
