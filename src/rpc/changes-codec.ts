/** What a node has changed lately, as bytes. */
import { readMismatch, writeMismatch } from './membership-codec.ts'
import type { ChangesAnswer, ChangesRequest, Mismatch } from './messages.ts'
import { readKey, readName } from './name-codec.ts'
import { decodeWith, encodeWith, readInteger, refuse, skip, writeInteger, writeString } from './wire.ts'

/** More keys than a node ever sends: a connector reads no more of them. */
const KEYS_MAX = 131_072

export function encodeChangesRequest(request: ChangesRequest): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, request.clusterId)
    writeInteger(writer, 16, request.epoch)
    writeString(writer, 26, request.nodeId)
    writeString(writer, 34, request.from?.life ?? '')
    writeInteger(writer, 40, request.from?.number ?? 0)
    writeInteger(writer, 48, request.waitMs)
  })
}

/** @throws {WireError} */
export function decodeChangesRequest(bytes: Uint8Array): ChangesRequest {
  return decodeWith(bytes, 'a request for changes', (reader) => {
    let clusterId = ''
    let epoch = 0
    let nodeId = ''
    let life = ''
    let number = 0
    let waitMs = 0
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) clusterId = readName(reader)
      else if (tag === 16) epoch = readInteger(reader)
      else if (tag === 26) nodeId = readName(reader)
      else if (tag === 34) life = readName(reader)
      else if (tag === 40) number = readInteger(reader)
      else if (tag === 48) waitMs = readInteger(reader)
      else skip(reader, tag)
    }
    const from = life === '' ? undefined : { life, number }
    return { clusterId, epoch, nodeId, from, waitMs }
  })
}

export function encodeChangesAnswer(answer: ChangesAnswer): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, answer.at?.life ?? '')
    writeInteger(writer, 16, answer.at?.number ?? 0)
    for (const key of answer.keys) writeString(writer, 26, key)
    if (answer.begins) writer.uint32(32).bool(true)
    if (answer.isTooEarly) writer.uint32(40).bool(true)
    if (answer.mismatch !== undefined) writeMismatch(writer, 50, answer.mismatch)
    if (answer.hasMore) writer.uint32(56).bool(true)
  })
}

/** @throws {WireError} */
export function decodeChangesAnswer(bytes: Uint8Array): ChangesAnswer {
  return decodeWith(bytes, 'an answer with changes', (reader) => {
    const keys: string[] = []
    let life = ''
    let number = 0
    let begins = false
    let isTooEarly = false
    let mismatch: Mismatch | undefined
    let hasMore = false
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) life = readName(reader)
      else if (tag === 16) number = readInteger(reader)
      else if (tag === 26) {
        if (keys.length === KEYS_MAX) refuse(`it has more than ${KEYS_MAX} keys`)
        keys.push(readKey(reader))
      } else if (tag === 32) begins = reader.bool()
      else if (tag === 40) isTooEarly = reader.bool()
      else if (tag === 50) mismatch = readMismatch(reader)
      else if (tag === 56) hasMore = reader.bool()
      else skip(reader, tag)
    }
    const at = life === '' ? undefined : { life, number }
    if (at === undefined && mismatch === undefined) refuse('it has no position')
    return { at, keys, begins, isTooEarly, mismatch, hasMore }
  })
}
