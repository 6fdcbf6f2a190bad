import type { Group } from './group.ts'

/** A group as the bytes that a register stores: JSON in UTF-8, which any SQLite tool can show. */
export function encodeGroup(group: Group): Uint8Array {
  return Buffer.from(JSON.stringify(group))
}

/** The group in bytes that `encodeGroup` made. @throws SyntaxError for any others */
export function decodeGroup(value: Uint8Array): Group {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return JSON.parse(bytes.toString()) as Group
}
