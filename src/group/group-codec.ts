import type { Group, Labels } from './group.ts'

/** The bytes that a register stores for a group: JSON in UTF-8, which every SQLite tool can show. */
export function encodeGroup(group: Group): Uint8Array {
  return Buffer.from(JSON.stringify(group))
}

/**
 * The group in bytes that `encodeGroup` made.
 *
 * @throws Error for all other bytes. A faulty node can send any.
 */
export function decodeGroup(value: Uint8Array): Group {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const decoded: unknown = JSON.parse(bytes.toString())
  if (!isGroup(decoded)) throw new TypeError('the bytes are not a group')
  return decoded
}

/** Whether every field has the type on which the rest of the program relies. */
function isGroup(decoded: unknown): decoded is Group {
  if (typeof decoded !== 'object' || decoded === null) return false
  const group = decoded as Readonly<Record<keyof Group, unknown>>
  return (
    typeof group.groupId === 'string' &&
    (group.description === undefined || typeof group.description === 'string') &&
    (group.labels === undefined || areLabels(group.labels)) &&
    Number.isSafeInteger(group.version) &&
    typeof group.incarnation === 'string' &&
    typeof group.createdAt === 'string' &&
    typeof group.updatedAt === 'string'
  )
}

function areLabels(labels: unknown): boolean {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return false
  for (const key in labels) if (typeof (labels as Labels)[key] !== 'string') return false
  return true
}
