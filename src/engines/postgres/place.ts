/** Where a watch of a database goes on, as text that clients do not read. */

/** The part of the history of a database that one primary has made. */
export type History = Readonly<{ systemId: string; timeline: number }>

/**
 * Everything that the transactions did that are over in a snapshot: in the form of Postgres, the first
 * transaction that is not, the first one that had not begun, and those between that are not.
 */
export type DatabasePlace = History & Readonly<{ snapshot: string }>

const SNAPSHOT = /^\d{1,19}:\d{1,19}:(?:\d{1,19}(?:,\d{1,19})*)?$/
/** Longer snapshots are made shorter: a place may be earlier than it must. */
const SNAPSHOT_LENGTH_MAX = 1_024

export function isSameHistory(one: History, other: History): boolean {
  return one.systemId === other.systemId && one.timeline === other.timeline
}

export function encodeDatabasePlace({ systemId, timeline, snapshot }: DatabasePlace): string {
  const first = snapshot.slice(0, snapshot.indexOf(':'))
  const text = snapshot.length > SNAPSHOT_LENGTH_MAX ? `${first}:${first}:` : snapshot
  return Buffer.from(JSON.stringify(['pg', systemId, timeline, text])).toString('base64url')
}

/** `undefined`: it is not a place of a database. */
export function decodeDatabasePlace(text: string): DatabasePlace | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || parts.length !== 4) return undefined
  const [kind, systemId, timeline, snapshot] = parts
  if (kind !== 'pg' || typeof systemId !== 'string' || !Number.isSafeInteger(timeline)) return undefined
  if (typeof snapshot !== 'string' || !SNAPSHOT.test(snapshot)) return undefined
  return { systemId, timeline, snapshot }
}
