/** Digests of what nodes hold, as bytes. */
import { readMismatch, writeMismatch } from './membership-codec.ts'
import { BRANCH_COUNT, type DigestAnswer, type DigestRequest, LEAF_COUNT, type Mismatch } from './messages.ts'
import { readName } from './name-codec.ts'
import {
  decodeWith,
  encodeWith,
  readInteger,
  readPacked,
  refuse,
  skip,
  writeInteger,
  writePacked,
  writeString,
} from './wire.ts'

export function encodeDigestRequest({ clusterId, epoch, nodeId, branches }: DigestRequest): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, clusterId)
    writeInteger(writer, 16, epoch)
    writeString(writer, 26, nodeId)
    writePacked(writer, 34, branches)
  })
}

/** @throws {WireError} */
export function decodeDigestRequest(bytes: Uint8Array): DigestRequest {
  return decodeWith(bytes, 'a digest request', (reader) => {
    let clusterId = ''
    let epoch = 0
    let nodeId = ''
    let branches: number[] = []
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) clusterId = readName(reader)
      else if (tag === 16) epoch = readInteger(reader)
      else if (tag === 26) nodeId = readName(reader)
      else if (tag === 34) branches = readPacked(reader, BRANCH_COUNT)
      else skip(reader, tag)
    }
    const unknown = branches.find((branch) => branch >= BRANCH_COUNT)
    if (unknown !== undefined) refuse(`there is no branch ${unknown}`)
    return { clusterId, epoch, nodeId, branches }
  })
}

export function encodeDigestAnswer({ digests, mismatch }: DigestAnswer): Buffer {
  return encodeWith((writer) => {
    writePacked(writer, 10, digests)
    if (mismatch !== undefined) writeMismatch(writer, 18, mismatch)
  })
}

/** @throws {WireError} */
export function decodeDigestAnswer(bytes: Uint8Array): DigestAnswer {
  return decodeWith(bytes, 'a digest answer', (reader) => {
    let digests: number[] = []
    let mismatch: Mismatch | undefined
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) digests = readPacked(reader, LEAF_COUNT)
      else if (tag === 18) mismatch = readMismatch(reader)
      else skip(reader, tag)
    }
    return { digests, mismatch }
  })
}
