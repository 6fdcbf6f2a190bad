/**
 * The one form of bytes that a state has on the wire and on the disk (docs/decisions/0011-form-of-bytes.md):
 * the protobuf message `State`, with a checksum beside it. The connector that proposes a state encodes it.
 * The node keeps these bytes unchanged and sends them in its answers.
 */
import { crc32 } from 'node:zlib'
import { PROPOSER_ID_MAX } from '../register/ballot.ts'
import { ABSENT, LINEAGE_LENGTH, type State, sameWriteId, type WriteId } from '../register/state.ts'
import { VALUE_BYTES_MAX } from './limits.ts'
import {
  decodeWith,
  encodeWith,
  enter,
  leave,
  type Reader,
  readInteger,
  refuse,
  skip,
  WireError,
  type Writer,
  writeInteger,
} from './wire.ts'

/** A state whose bytes are not those that were sealed for its key: they are damaged, or of another key. */
export class DamagedStateError extends WireError {
  override name = 'DamagedStateError'
}

/** A state as bytes, and what is kept beside them. */
export type SealedState = Readonly<{
  writeId: WriteId
  /** The length of the value, which is the end of the bytes; `undefined`: the state has no value. */
  valueBytes: number | undefined
  /** The CRC-32 of the key and the bytes, as a signed integer. */
  checksum: number
  /** The protobuf message `State`. Empty for the absent state. */
  bytes: Uint8Array
}>

/** The absent state. It has no bytes, so it cannot be damaged. */
export const SEALED_ABSENT: SealedState = {
  writeId: ABSENT.writeId,
  valueBytes: undefined,
  checksum: 0,
  bytes: new Uint8Array(),
}

type KeptForm = Readonly<{ key: string; form: SealedState }>

/** Gives back the object that it gets, so that a subclass can add a private field to that object. */
class Given {
  constructor(state: State) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what the class is for
    return state
  }
}

/**
 * Attaches the sealed form to a state that a node has received or loaded, and may save or send. Nobody else
 * sees it, and a changed copy of the state does not have it. A WeakMap instead took 1.5 µs for each state. A
 * connector attaches none: what it remembers would keep whole messages alive.
 */
class KeptState extends Given {
  readonly #kept: KeptForm

  constructor(state: State, kept: KeptForm) {
    super(state)
    this.#kept = kept
  }

  static keptOf(state: State): KeptForm | undefined {
    return #kept in state ? state.#kept : undefined
  }
}

/** A state of a key as bytes: those that it was read from, or new ones. */
export function seal(key: string, state: State): SealedState {
  if (state.generation === 0) return SEALED_ABSENT
  const known = KeptState.keptOf(state)
  if (known?.key === key) return known.form
  const { writeId, value } = state
  const bytes = encodeState(state)
  return { writeId, valueBytes: value?.length, checksum: checksumOf(key, bytes), bytes }
}

/** The bytes of a state, with its value or without. */
export function encodeState({ generation, lineage, value }: State, omitValue = false): Uint8Array {
  return encodeWith((writer) => {
    writeInteger(writer, 8, generation)
    for (const writeId of lineage) writeWriteId(writer, 18, writeId)
    if (value !== undefined && !omitValue) writer.uint32(26).bytes(value)
  })
}

/**
 * The key of the last checksum, and its own checksum: the head of a record and its state have the same key.
 */
let lastKey = ''
let lastKeyChecksum = 0

/** The CRC-32 of a key and some bytes, as a signed integer. */
export function checksumOf(key: string, bytes: Uint8Array): number {
  if (key !== lastKey) {
    lastKeyChecksum = crc32(key)
    lastKey = key
  }
  return crc32(bytes, lastKeyChecksum) | 0
}

/**
 * The state in the bytes of a message. Its value is a view of the bytes. `checksum` is `undefined` if the
 * sender gave none: the message has no value, or comes from an older program.
 *
 * @throws {DamagedStateError} @throws {WireError}
 */
export function receive(key: string, bytes: Uint8Array, checksum: number | undefined): State {
  const state = decodeState(bytes)
  if (state !== ABSENT && checksum !== undefined && checksum !== checksumOf(key, bytes))
    throw new DamagedStateError(`the state of '${key}' does not have its checksum`)
  return state
}

/**
 * As `receive`, for a node: what it saves and sends of this state are these bytes.
 *
 * @throws {DamagedStateError} @throws {WireError}
 */
export function receiveToKeep(key: string, bytes: Uint8Array, checksum: number | undefined): State {
  const state = receive(key, bytes, checksum)
  if (state === ABSENT) return ABSENT
  const { writeId, value } = state
  const form = { writeId, valueBytes: value?.length, checksum: checksum ?? checksumOf(key, bytes), bytes }
  new KeptState(state, { key, form })
  return state
}

/**
 * The state that was sealed. Its value is a view of the bytes.
 *
 * @throws {DamagedStateError} @throws {WireError}
 */
export function unseal(key: string, form: SealedState): State {
  const { writeId, valueBytes, checksum, bytes } = form
  if (bytes.length === 0 && sameWriteId(writeId, ABSENT.writeId)) return ABSENT
  if (checksumOf(key, bytes) !== checksum)
    throw new DamagedStateError(`the state of '${key}' does not have its checksum`)
  const state = decodeState(bytes)
  if (!sameWriteId(state.writeId, writeId))
    refuse(`the state of '${key}' has another write id than its record`)
  if (state.value?.length !== valueBytes)
    refuse(`the value of '${key}' has another length than its record says`)
  new KeptState(state, { key, form })
  return state
}

function decodeState(bytes: Uint8Array): State {
  return decodeWith(bytes, 'a state', readState)
}

function readState(reader: Reader): State {
  let generation = 0
  let value: Uint8Array | undefined
  let lineage: WriteId[] | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) generation = readInteger(reader)
    else if (tag === 18) {
      if (lineage?.length === LINEAGE_LENGTH) refuse(`a lineage is longer than ${LINEAGE_LENGTH}`)
      // Most states have one write id. An array to which it is added would get room for 17.
      if (lineage === undefined) lineage = [readWriteId(reader)]
      else lineage.push(readWriteId(reader))
    } else if (tag === 26) {
      // A view of the message: copies of small values cost more than all the rest of the decoding.
      value = reader.bytes()
      if (value.length > VALUE_BYTES_MAX) refuse(`a value of ${value.length} bytes is too large`)
    } else skip(reader, tag)
  }
  const writeId = lineage?.at(-1)
  if (generation === 0 || lineage === undefined || writeId === undefined) {
    if (generation !== 0) refuse(`a state of generation ${generation} has no lineage`)
    if (writeId !== undefined) refuse('a state of generation 0 has a lineage')
    if (value !== undefined) refuse('a state of generation 0 has a value')
    return ABSENT
  }
  if (lineage.length !== Math.min(generation, LINEAGE_LENGTH)) {
    refuse(`a state of generation ${generation} has a lineage of ${lineage.length}`)
  }
  if (lineage.includes(ABSENT.writeId)) refuse('a lineage has an empty write id')
  return { generation, writeId, lineage, value }
}

export function writeWriteId(writer: Writer, tag: number, writeId: WriteId): void {
  writer.uint32(tag).fork()
  writeInteger(writer, 8, writeId.proposerId)
  writeInteger(writer, 16, writeId.sequence)
  writer.ldelim()
}

/** Reads a write id. Both parts 0 is the one of the absent state, which has no lineage but can be marked. */
export function readWriteId(reader: Reader): WriteId {
  const outerEnd = enter(reader)
  let proposerId = 0
  let sequence = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) proposerId = readInteger(reader)
    else if (tag === 16) sequence = readInteger(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (proposerId > PROPOSER_ID_MAX) refuse('a proposer id is above 2^52 - 1')
  if ((proposerId === 0) !== (sequence === 0)) refuse('a write id is half empty')
  return proposerId === 0 ? ABSENT.writeId : { proposerId, sequence }
}
