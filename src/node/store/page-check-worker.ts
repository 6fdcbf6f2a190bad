/** Checks the pages of the database whose path is given, and posts the first problems, one text for each. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { isMalformed } from './sqlite-fault.ts'

/** So that one line of the log holds them. */
const PROBLEMS_MAX = 5

parentPort!.postMessage(problemsOf(workerData as string))

function problemsOf(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = db.prepare(`PRAGMA quick_check(${PROBLEMS_MAX})`).all()
    return rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok')
  } catch (error) {
    // The damage is where the check itself cannot pass it.
    if (isMalformed(error)) return [(error as Error).message]
    throw error
  } finally {
    db.close()
  }
}
