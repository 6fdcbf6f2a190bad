import type { Group, Labels, ShownGroup } from './group.ts'

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
  const decoded: unknown = JSON.parse(textOf(value))
  if (!isGroup(decoded)) throw new TypeError('the bytes are not a group')
  return decoded
}

/**
 * The end of what `encodeGroup` makes. A quote in a text is escaped, so nothing within a field looks like
 * this.
 */
const END =
  /"version":([1-9]\d{0,14}),"incarnation":"([^"\\]*)","(createdAt":"[^"\\]*","updatedAt":"[^"\\]*"\})$/y

/**
 * The group in bytes that `encodeGroup` made, as clients get it. The fields are in the same order, so it is
 * cut out of the text, and nothing is parsed.
 *
 * @throws Error for bytes that are no group
 */
export function showStored(value: Uint8Array): ShownGroup {
  const text = textOf(value)
  END.lastIndex = text.lastIndexOf('"version":')
  const [, version, incarnation, times] = (text.startsWith('{"groupId":"') && END.exec(text)) || []
  if (version === undefined || incarnation === undefined || times === undefined)
    return showGroup(decodeGroup(value))
  const end = text.length - times.length
  const json = `${text.slice(0, end - INCARNATION_LENGTH - incarnation.length)}${text.slice(end - 1)}`
  return { version: Number(version), incarnation, json }
}

/** What stands around an incarnation, with the quote that begins the next field. */
const INCARNATION_LENGTH = '"incarnation":"",'.length + 1

/** A group as clients get it. */
export function showGroup(group: Group): ShownGroup {
  const { groupId, description, labels, version, incarnation, createdAt, updatedAt } = group
  const json = JSON.stringify({ groupId, description, labels, version, createdAt, updatedAt })
  return { version, incarnation, json }
}

function textOf(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return bytes.toString()
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
