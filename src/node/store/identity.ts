import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Membership } from '../../rpc/messages.ts'
import { checksumOf, DamagedColumnError, integer, text } from './columns.ts'

/** The id of the node that owns a database. A new database is given one. */
export function readNodeId(db: DatabaseSync): string {
  const id = randomUUID()
  db.prepare('INSERT OR IGNORE INTO node (id, node_id, checksum) VALUES (1, ?, ?)').run(id, checksumOf(id))
  const found = db.prepare('SELECT node_id, checksum FROM node').get()
  const nodeId = text(found?.node_id)
  if (found?.checksum !== checksumOf(nodeId)) throw new DamagedColumnError('the id of the node is damaged')
  return nodeId
}

const COLUMNS = 'cluster_id, epoch, members, outgoing, tombstone_grace_ms, hash_secret'

/** The membership in a database; `undefined` when there is none. */
export function readMembership(db: DatabaseSync): Membership | undefined {
  const found = db.prepare(`SELECT ${COLUMNS}, checksum FROM membership`).get()
  if (found === undefined) return undefined
  const columns = COLUMNS.split(', ').map((name) => found[name])
  if (found.checksum !== checksumOf(...columns)) throw new DamagedColumnError('the membership is damaged')
  const membership = {
    clusterId: text(found.cluster_id),
    epoch: integer(found.epoch),
    members: JSON.parse(text(found.members)),
    tombstoneGraceMs: integer(found.tombstone_grace_ms),
  }
  const outgoing = found.outgoing === null ? {} : { outgoing: JSON.parse(text(found.outgoing)) }
  const secret = found.hash_secret === null ? {} : { hashSecret: text(found.hash_secret) }
  return { ...membership, ...outgoing, ...secret }
}

/** Replaces the membership in a database. */
export function writeMembership(db: DatabaseSync, membership: Membership): void {
  const { clusterId, epoch, members, outgoing, tombstoneGraceMs, hashSecret } = membership
  const columns = [
    clusterId,
    epoch,
    JSON.stringify(members),
    outgoing === undefined ? null : JSON.stringify(outgoing),
    tombstoneGraceMs,
    hashSecret ?? null,
  ]
  const places = ', ?'.repeat(columns.length + 1)
  db.prepare(`INSERT OR REPLACE INTO membership (id, ${COLUMNS}, checksum) VALUES (1${places})`).run(
    ...columns,
    checksumOf(...columns),
  )
}

/** Adds checksums to the rows of an older database, which has none. */
export function addChecksums(db: DatabaseSync): void {
  db.function('checksum_of', { varargs: true, deterministic: true }, (...columns) => checksumOf(...columns))
  db.exec(`
    UPDATE node SET checksum = checksum_of(node_id);
    UPDATE membership SET checksum = checksum_of(${COLUMNS});
  `)
}
