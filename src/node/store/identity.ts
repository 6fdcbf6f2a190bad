import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Membership } from '../../rpc/messages.ts'
import { integer, text } from './columns.ts'

/** The id of the node that owns a database. A new database is given one. */
export function readNodeId(db: DatabaseSync): string {
  db.prepare('INSERT OR IGNORE INTO node (id, node_id) VALUES (1, ?)').run(randomUUID())
  return text(db.prepare('SELECT node_id FROM node').get()?.node_id)
}

/** The membership in a database; `undefined` when there is none. */
export function readMembership(db: DatabaseSync): Membership | undefined {
  const found = db
    .prepare('SELECT cluster_id, epoch, members, outgoing, tombstone_grace_ms FROM membership')
    .get()
  if (found === undefined) return undefined
  const membership = {
    clusterId: text(found.cluster_id),
    epoch: integer(found.epoch),
    members: JSON.parse(text(found.members)),
    tombstoneGraceMs: integer(found.tombstone_grace_ms),
  }
  return found.outgoing === null ? membership : { ...membership, outgoing: JSON.parse(text(found.outgoing)) }
}

/** Puts a membership in the place of the one that a database has. */
export function writeMembership(db: DatabaseSync, membership: Membership): void {
  const { clusterId, epoch, members, outgoing, tombstoneGraceMs } = membership
  db.prepare(
    'INSERT OR REPLACE INTO membership (id, cluster_id, epoch, members, outgoing, tombstone_grace_ms) VALUES (1, ?, ?, ?, ?, ?)',
  ).run(
    clusterId,
    epoch,
    JSON.stringify(members),
    outgoing === undefined ? null : JSON.stringify(outgoing),
    tombstoneGraceMs,
  )
}
