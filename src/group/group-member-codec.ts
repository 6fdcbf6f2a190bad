import type { GroupMember } from './group-member.ts'

/** The bytes that a register stores for a group member: JSON in UTF-8. */
export function encodeGroupMember(member: GroupMember): Uint8Array {
  return Buffer.from(JSON.stringify(member))
}

/**
 * The group member in bytes that `encodeGroupMember` made.
 *
 * @throws Error for all other bytes. A faulty node can send any.
 */
export function decodeGroupMember(value: Uint8Array): GroupMember {
  const decoded = parsed(value)
  if (!isGroupMember(decoded)) throw new TypeError('the bytes are not a group member')
  return decoded
}

/**
 * The bytes of an entry in the index of the groups of a member. `ticket`: drawn for each write of the entry.
 */
export function encodeEntry(ticket: string): Uint8Array {
  return Buffer.from(JSON.stringify({ ticket }))
}

/**
 * The ticket in bytes that `encodeEntry` made.
 *
 * @throws Error for all other bytes
 */
export function decodeEntry(value: Uint8Array): string {
  const { ticket } = Object(parsed(value)) as Readonly<{ ticket?: unknown }>
  if (typeof ticket !== 'string') throw new TypeError('the bytes are not an entry of the index')
  return ticket
}

function parsed(value: Uint8Array): unknown {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString())
}

function isGroupMember(decoded: unknown): decoded is GroupMember {
  if (typeof decoded !== 'object' || decoded === null) return false
  const member = decoded as Readonly<Record<keyof GroupMember, unknown>>
  return (
    typeof member.memberId === 'string' &&
    (member.role === undefined || typeof member.role === 'string') &&
    Number.isSafeInteger(member.version) &&
    typeof member.incarnation === 'string' &&
    typeof member.addedAt === 'string' &&
    typeof member.updatedAt === 'string' &&
    (member.updatedBy === undefined || typeof member.updatedBy === 'string') &&
    (member.requestId === undefined || typeof member.requestId === 'string')
  )
}
