import { type Ballot, compareBallots, ROUND_MAX } from '../register/ballot.ts'
import { isDamage } from '../register/damage.ts'
import {
  type Damage,
  isRecordWithinBounds,
  type KeyRecord,
  READ_REQUEST,
  type Reply,
  type Request,
} from '../register/messages.ts'
import { ABSENT, GENERATION_MAX, type State, sameWriteId, type WriteId } from '../register/state.ts'
import type { KeyedRequest } from './messages.ts'
import { readBallot, readDamage, readRecord, writeBallot, writeDamage, writeRecord } from './record-codec.ts'
import { DamagedStateError, readWriteId, receiveToKeep, seal, writeWriteId } from './state-codec.ts'
import { enter, leave, type Reader, refuse, skip, type Writer } from './wire.ts'

/**
 * The messages of the register as protobuf. They are nearly all of the traffic, so they are written field by
 * field, without objects in between. `batch-codec.test.ts` compares the bytes with `node.proto`. A `case` is
 * the tag of a field: number * 8 + wire type (0 varint, 2 length-delimited).
 *
 * The core trusts what is read here. So everything that the core asserts about its input is checked here, and
 * refused with a reason.
 */

/** Reads a ballot of a request. It must be within the bounds that a node takes. */
function readTakenBallot(reader: Reader): Ballot {
  const ballot = readBallot(reader)
  if (ballot.round > ROUND_MAX) refuse('a round number is above 2^48')
  return ballot
}

/** The state of a request: one that a node takes. */
function takenState(key: string, bytes: Uint8Array, checksum: number | undefined): State {
  const state = receiveToKeep(key, bytes, checksum)
  if (state.generation > GENERATION_MAX) refuse('a generation is above 2^48')
  return state
}

/** Writes a request about a key as its field of the `kind` oneof. */
export function writeRequest(writer: Writer, { key, request }: KeyedRequest): void {
  switch (request.kind) {
    case 'prepare':
      writer.uint32(18).fork()
      writeBallot(writer, 10, request.ballot)
      break
    case 'accept':
    case 'learn': {
      const { bytes, checksum } = seal(key, request.state)
      writer.uint32(request.kind === 'accept' ? 26 : 34).fork()
      writeBallot(writer, 10, request.ballot)
      writer.uint32(18).bytes(bytes)
      writeBallot(writer, 26, request.next)
      if (bytes.length > 0) writer.uint32(37).fixed32(checksum >>> 0)
      break
    }
    case 'mark':
    case 'stub':
      writer.uint32(request.kind === 'mark' ? 42 : 58).fork()
      writeBallot(writer, 10, request.ballot)
      writeWriteId(writer, 18, request.writeId)
      break
    case 'drop':
      writer.uint32(66).fork()
      writeBallot(writer, 10, request.promised)
      break
    case 'read':
      writer.uint32(50).fork()
      break
    default:
      request satisfies never
  }
  writer.ldelim()
}

/**
 * Reads the field `tag` of the `kind` oneof of a request about a key; `undefined` when it is none of them.
 */
export function readRequest(reader: Reader, tag: number, key: string): Request | undefined {
  switch (tag) {
    case 18:
      return { kind: 'prepare', ballot: readOnlyBallot(reader, 'a prepare') }
    case 26:
      return readAcceptOrLearn(reader, 'accept', key)
    case 34:
      return readAcceptOrLearn(reader, 'learn', key)
    case 42:
      return readMarkOrStub(reader, 'mark')
    case 58:
      return readMarkOrStub(reader, 'stub')
    case 66:
      return { kind: 'drop', promised: readOnlyBallot(reader, 'a drop') }
    case 50:
      reader.skipType(2)
      return READ_REQUEST
    default:
      return undefined
  }
}

/** Reads a message that has only a ballot. */
function readOnlyBallot(reader: Reader, name: string): Ballot {
  const outerEnd = enter(reader)
  let ballot: Ballot | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) ballot = readTakenBallot(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (ballot === undefined) refuse(`${name} has no ballot`)
  return ballot
}

function readAcceptOrLearn(reader: Reader, kind: 'accept' | 'learn', key: string): Request {
  const outerEnd = enter(reader)
  let ballot: Ballot | undefined
  let bytes: Uint8Array | undefined
  let checksum: number | undefined
  let next: Ballot | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) ballot = readTakenBallot(reader)
    else if (tag === 18) bytes = reader.bytes()
    else if (tag === 37) checksum = reader.fixed32() | 0
    else if (tag === 26) next = readTakenBallot(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (ballot === undefined) refuse(`${kind}: the ballot is missing`)
  if (bytes === undefined) refuse(`${kind}: the state is missing`)
  if (next === undefined) refuse(`${kind}: the next ballot is missing`)
  if (compareBallots(next, ballot) <= 0) refuse(`${kind}: the next ballot is not above the ballot`)
  return { kind, ballot, state: takenState(key, bytes, checksum), next }
}

function readMarkOrStub(reader: Reader, kind: 'mark' | 'stub'): Request {
  const outerEnd = enter(reader)
  let ballot: Ballot | undefined
  let writeId: WriteId | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) ballot = readTakenBallot(reader)
    else if (tag === 18) writeId = readWriteId(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (ballot === undefined) refuse(`a ${kind} has no ballot`)
  if (writeId === undefined) refuse(`a ${kind} has no write id`)
  return { kind, ballot, writeId }
}

/** Writes the answer to `request`, without the state if the request had the same state. */
export function writeAnswer(writer: Writer, tag: number, reply: Reply, { key, request }: KeyedRequest): void {
  if (isDamage(reply)) {
    writer.uint32(tag).fork()
    writeDamage(writer, 34, reply)
    writer.ldelim()
    return
  }
  const { ok, record } = reply
  const isSameState =
    (request.kind === 'accept' || request.kind === 'learn') &&
    record.state.generation > 0 &&
    sameWriteId(record.state.writeId, request.state.writeId)
  writer.uint32(tag).fork()
  if (ok) writer.uint32(8).bool(true)
  writeRecord(writer, 18, { key, record }, { omitState: isSameState })
  if (isSameState) writer.uint32(24).bool(true)
  writer.ldelim()
}

/**
 * Reads the answer to a request. `undefined`: the record counts for nothing, because its numbers are above
 * those that a node takes, or its state does not have its checksum. That is a fault of one key, and the other
 * answers of the batch are right.
 */
export function readAnswer(reader: Reader, { key, request }: KeyedRequest): Reply | undefined {
  const outerEnd = enter(reader)
  let ok = false
  let record: KeyRecord | undefined
  let damage: Damage | undefined
  let isSameState = false
  let isStateDamaged = false
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) ok = reader.bool()
    else if (tag === 18) {
      try {
        record = readRecord(reader, key)
      } catch (error) {
        if (!(error instanceof DamagedStateError)) throw error
        isStateDamaged = true
      }
    } else if (tag === 24) isSameState = reader.bool()
    else if (tag === 34) damage = readDamage(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (damage !== undefined) {
    if (ok || record !== undefined || isStateDamaged) refuse('an answer has both a damage and a record')
    return damage
  }
  if (isStateDamaged) return undefined
  if (record === undefined) refuse('an answer has no record')
  if (isSameState) {
    if (request.kind !== 'accept' && request.kind !== 'learn') {
      refuse(`an answer to a ${request.kind} refers to a state that it did not carry`)
    }
    if (record.accepted === undefined) refuse('a record has a state and no accepted ballot')
    const { promised, accepted, chosen } = record
    record = { promised, accepted, state: request.state, chosen, isStub: false }
  }
  if (ok && !isShownBy(record, request))
    refuse(`an ok to a ${request.kind} has a record that does not show it`)
  return isRecordWithinBounds(record) ? { ok, record } : undefined
}

/** Whether a node can have this record after it has answered ok to the request. */
function isShownBy({ promised, accepted, state, isStub }: KeyRecord, request: Request): boolean {
  switch (request.kind) {
    case 'prepare':
      return compareBallots(promised, request.ballot) === 0
    case 'accept':
      return (
        accepted !== undefined &&
        compareBallots(accepted, request.ballot) === 0 &&
        sameWriteId(state.writeId, request.state.writeId)
      )
    case 'learn':
      return accepted !== undefined && compareBallots(accepted, request.ballot) >= 0
    case 'stub':
      return accepted === undefined && state === ABSENT
    case 'drop':
      return accepted === undefined && !isStub
    case 'read':
    case 'mark':
      return true
    default:
      return request satisfies never
  }
}
