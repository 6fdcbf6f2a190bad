/** API keys, for people. */
import type { ApiKey } from '../../api/key-schemas.ts'
import { printable } from '../format-group.ts'
import { type Cell, type HeadCell, type Layout, tableLines } from '../status/table.ts'

/** What a key may do: `writer for "team-a/", expires 2026-04-01T00:00:00.000Z`. */
export function rightsOf({ role, prefix, expiresAt }: Pick<ApiKey, 'role' | 'prefix' | 'expiresAt'>): string {
  const scope = prefix === undefined ? 'all groups' : JSON.stringify(prefix)
  return printable(`${role} for ${scope}${expiresAt === undefined ? '' : `, expires ${expiresAt}`}`)
}

/** Who has made and rotated a key is kept longest: after a leak, that tells which other keys to revoke. */
const HEAD: readonly HeadCell[] = [
  { text: 'id' },
  { text: 'name' },
  { text: 'role' },
  { text: 'prefix' },
  { text: 'expires' },
  { text: 'last used', rank: 1 },
  { text: 'created', rank: 0 },
  { text: 'by', rank: 3 },
  { text: 'rotated by', rank: 2 },
]

/** The lines of `cohort key list`. `now`: a key that has expired is marked. */
export function keyLines(keys: readonly ApiKey[], now: Date, layout: Layout): string[] {
  if (keys.length === 0) return ['there are no API keys: "cohort key create" makes one']
  return tableLines(
    HEAD,
    keys.map((key) => rowOf(key, now)),
    layout,
  )
}

function rowOf({ keyId, name, role, prefix, expiresAt, lastUsedAt, ...key }: ApiKey, now: Date): Cell[] {
  return [
    { text: keyId },
    { text: name },
    { text: role },
    { text: prefix === undefined ? '(all groups)' : prefix },
    expiry(expiresAt, now),
    { text: lastUsedAt === undefined ? 'never' : minutes(lastUsedAt) },
    { text: minutes(key.createdAt) },
    { text: key.createdBy },
    { text: key.rotatedBy ?? '' },
  ]
}

function expiry(expiresAt: string | undefined, now: Date): Cell {
  if (expiresAt === undefined) return { text: 'never' }
  const isOver = Date.parse(expiresAt) <= now.getTime()
  return isOver ? { text: `expired ${minutes(expiresAt)}`, tone: 'bad' } : { text: minutes(expiresAt) }
}

/** A time in UTC, without its seconds. */
function minutes(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}Z`
}
