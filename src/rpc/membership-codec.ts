/** Memberships and mismatches as bytes. A mismatch is the answer of a node that is in another epoch. */

import { faultOf } from './membership.ts'
import type { Member, Membership, Mismatch } from './messages.ts'
import { readName } from './name-codec.ts'
import {
  enter,
  leave,
  type Reader,
  readInteger,
  refuse,
  skip,
  type Writer,
  writeInteger,
  writeString,
} from './wire.ts'

export function writeMembership(writer: Writer, tag: number, membership: Membership): void {
  writer.uint32(tag).fork()
  writeString(writer, 10, membership.clusterId)
  writeInteger(writer, 16, membership.epoch)
  for (const member of membership.members) writeMember(writer, 26, member)
  for (const member of membership.outgoing ?? []) writeMember(writer, 34, member)
  writeInteger(writer, 40, membership.tombstoneGraceMs)
  writeString(writer, 50, membership.hashSecret ?? '')
  writer.ldelim()
}

export function readMembership(reader: Reader): Membership {
  const outerEnd = enter(reader)
  let clusterId = ''
  let epoch = 0
  const members: Member[] = []
  const outgoing: Member[] = []
  let tombstoneGraceMs = 0
  let hashSecret = ''
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) clusterId = readName(reader)
    else if (tag === 16) epoch = readInteger(reader)
    else if (tag === 26) members.push(readMember(reader))
    else if (tag === 34) outgoing.push(readMember(reader))
    else if (tag === 40) tombstoneGraceMs = readInteger(reader)
    else if (tag === 50) hashSecret = readName(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  const membership = {
    clusterId,
    epoch,
    members,
    tombstoneGraceMs,
    ...(outgoing.length === 0 ? {} : { outgoing }),
    ...(hashSecret === '' ? {} : { hashSecret }),
  }
  const fault = faultOf(membership)
  if (fault !== undefined) refuse(fault)
  return membership
}

function writeMember(writer: Writer, tag: number, { nodeId, address }: Member): void {
  writer.uint32(tag).fork()
  writeString(writer, 10, nodeId)
  writeString(writer, 18, address)
  writer.ldelim()
}

function readMember(reader: Reader): Member {
  const outerEnd = enter(reader)
  let nodeId = ''
  let address = ''
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) nodeId = readName(reader)
    else if (tag === 18) address = readName(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  return { nodeId, address }
}

export function writeMismatch(writer: Writer, tag: number, { nodeId, membership }: Mismatch): void {
  writer.uint32(tag).fork()
  writeString(writer, 10, nodeId)
  if (membership !== undefined) writeMembership(writer, 18, membership)
  writer.ldelim()
}

export function readMismatch(reader: Reader): Mismatch {
  const outerEnd = enter(reader)
  let nodeId = ''
  let membership: Membership | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) nodeId = readName(reader)
    else if (tag === 18) membership = readMembership(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (nodeId === '') refuse('a mismatch names no node')
  return { nodeId, membership }
}
