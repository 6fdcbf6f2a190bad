/**
 * Counts the records in the database whose path is given. It posts `begun` when it has its view of the
 * database, which later changes do not change, and then the counts.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { countRows } from './count-rows.ts'

const db = new DatabaseSync(workerData as string, { readOnly: true })
db.exec('BEGIN')
// A transaction has its view from its first read on.
db.prepare('SELECT indexed_to FROM indexing').get()
parentPort!.postMessage('begun')
const counts = countRows(db)
db.close()
parentPort!.postMessage(counts, [counts.buffer])
