/**
 * The one form of bytes that a state has on the wire and on the disk (docs/decisions/0011-form-of-bytes.md).
 * The proposing connector seals a state; nodes store and send the bytes without decoding them; connectors
 * unseal them.
 */
import { crc32 } from 'node:zlib'
import { ABSENT, LINEAGE_LENGTH, type State, sameWriteId, type WriteId } from '../register/state.ts'
import { readWriteId, writeWriteId } from './register-codec.ts'
import { decodeWith, encodeWith, type Reader, readInteger, refuse, skip, writeInteger } from './wire.ts'

/** A state as bytes, and what a node needs to know of it. */
export type SealedState = Readonly<{
  writeId: WriteId
  /** The length of the value, which is the end of the bytes; `undefined`: the state has no value. */
  valueBytes: number | undefined
  /** The CRC-32 of the key and the bytes, as a signed integer. */
  checksum: number
  /** The protobuf message `State`. Empty for the absent state. */
  bytes: Uint8Array
}>

/** The absent state. It has no bytes, and so nothing that could be damaged. */
export const SEALED_ABSENT: SealedState = {
  writeId: ABSENT.writeId,
  valueBytes: undefined,
  checksum: 0,
  bytes: new Uint8Array(),
}

export function seal(key: string, state: State): SealedState {
  if (state.generation === 0) return SEALED_ABSENT
  const { generation, lineage, writeId, value } = state
  const bytes = encodeWith((writer) => {
    writeInteger(writer, 8, generation)
    for (const ancestor of lineage) writeWriteId(writer, 18, ancestor)
    if (value !== undefined) writer.uint32(26).bytes(value)
  })
  return { writeId, valueBytes: value?.length, checksum: checksumOf(key, bytes), bytes }
}

/** The checksum of a state of a key. */
export function checksumOf(key: string, bytes: Uint8Array): number {
  return crc32(bytes, crc32(key)) | 0
}

/**
 * The state that was sealed. Its value is a view of the bytes.
 *
 * @throws {WireError} when the bytes are not what was sealed for this key: they are damaged, or belong to
 * another key.
 */
export function unseal(key: string, { writeId, valueBytes, checksum, bytes }: SealedState): State {
  if (bytes.length === 0 && sameWriteId(writeId, ABSENT.writeId)) return ABSENT
  if (checksumOf(key, bytes) !== checksum) refuse(`the state of '${key}' does not have its checksum`)
  const state = decodeWith(bytes, 'a state', readState)
  if (!sameWriteId(state.writeId, writeId))
    refuse(`the state of '${key}' has another write id than its record`)
  if (state.value?.length !== valueBytes)
    refuse(`the value of '${key}' has another length than its record says`)
  return state
}

function readState(reader: Reader): State {
  let generation = 0
  let value: Uint8Array | undefined
  const lineage: WriteId[] = []
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) generation = readInteger(reader)
    else if (tag === 18) {
      if (lineage.length === LINEAGE_LENGTH) refuse(`a lineage is longer than ${LINEAGE_LENGTH}`)
      lineage.push(readWriteId(reader))
    } else if (tag === 26) value = reader.bytes()
    else skip(reader, tag)
  }
  const writeId = lineage.at(-1)
  if (generation === 0 || writeId === undefined) refuse('a written state has no generation or no lineage')
  if (lineage.length !== Math.min(generation, LINEAGE_LENGTH))
    refuse(`a state of generation ${generation} has a lineage of ${lineage.length}`)
  if (lineage.includes(ABSENT.writeId)) refuse('a lineage has an empty write id')
  return { generation, writeId, lineage, value }
}
