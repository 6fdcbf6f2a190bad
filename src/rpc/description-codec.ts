/** The description of a node, as bytes. */
import { readMembership, writeMembership } from './membership-codec.ts'
import type { Description, Membership } from './messages.ts'
import { readName } from './name-codec.ts'
import {
  decodeWith,
  encodeWith,
  readInteger,
  readString,
  refuse,
  skip,
  writeInteger,
  writeString,
} from './wire.ts'
import { assertUnderstood, writeVersions } from './wire-version.ts'

/** The fields of the versions. */
const VERSIONS = [56, 64] as const

export function encodeDescription(description: Description): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, description.nodeId)
    if (description.membership !== undefined) writeMembership(writer, 18, description.membership)
    writeString(writer, 26, description.version)
    writeInteger(writer, 32, description.recordCount)
    writeInteger(writer, 40, description.tombstoneCount)
    writeInteger(writer, 48, description.stubCount)
    writeVersions(writer, VERSIONS)
    if (description.membershipVote !== undefined) writer.uint32(74).bytes(description.membershipVote)
    writeInteger(writer, 80, description.damagedCount)
    writeInteger(writer, 88, description.healedCount)
  })
}

/**
 * @throws {WireVersionError} when this program does not understand the node
 * @throws {WireError}
 */
export function decodeDescription(bytes: Uint8Array): Description {
  return decodeWith(bytes, 'a description', (reader) => {
    assertUnderstood(reader, VERSIONS, 'node')
    let nodeId = ''
    let membership: Membership | undefined
    let version = ''
    let recordCount = 0
    let tombstoneCount = 0
    let stubCount = 0
    let damagedCount = 0
    let healedCount = 0
    let membershipVote: Uint8Array | undefined
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) nodeId = readName(reader)
      else if (tag === 18) membership = readMembership(reader)
      else if (tag === 26) version = readString(reader)
      else if (tag === 32) recordCount = readInteger(reader)
      else if (tag === 40) tombstoneCount = readInteger(reader)
      else if (tag === 48) stubCount = readInteger(reader)
      else if (tag === 80) damagedCount = readInteger(reader)
      else if (tag === 88) healedCount = readInteger(reader)
      else if (tag === 74) membershipVote = reader.bytes()
      else skip(reader, tag)
    }
    if (nodeId === '') refuse('it names no node')
    const counts = { recordCount, tombstoneCount, stubCount, damagedCount, healedCount }
    const described = { nodeId, membership, version, ...counts }
    return membershipVote === undefined ? described : { ...described, membershipVote }
  })
}
