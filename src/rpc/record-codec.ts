import {
  type Ballot,
  compareBallots,
  FIRST_BALLOT,
  PLAUSIBLE_ROUND_MAX,
  PROPOSER_ID_MAX,
} from '../register/ballot.ts'
import type { Damage, KeyRecord } from '../register/messages.ts'
import { ABSENT } from '../register/state.ts'
import { encodeState, receive, seal } from './state-codec.ts'
import { enter, leave, type Reader, readInteger, refuse, skip, type Writer, writeInteger } from './wire.ts'

/**
 * What a node holds for a key, as protobuf: a record with its ballots, or the word that it is damaged. As in
 * `register-codec.ts`, a `case` is the tag of a field, and what the core asserts is checked here.
 */

export function writeBallot(writer: Writer, tag: number, ballot: Ballot): void {
  writer.uint32(tag).fork()
  writeInteger(writer, 8, ballot.round)
  writeInteger(writer, 16, ballot.proposerId)
  writer.ldelim()
}

export function readBallot(reader: Reader): Ballot {
  const outerEnd = enter(reader)
  let round = 0
  let proposerId = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) round = readInteger(reader)
    else if (tag === 16) proposerId = readInteger(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (round === 0) refuse('a ballot has no round')
  if (proposerId > PROPOSER_ID_MAX) refuse('a proposer id is above 2^52 - 1')
  return round === 1 && proposerId === 0 ? FIRST_BALLOT : { round, proposerId }
}

/**
 * Writes a record. `omitState`: the answer says `same_state` instead. `omitValue`: a scan that wants none.
 */
export function writeRecord(
  writer: Writer,
  tag: number,
  { key, record }: Readonly<{ key: string; record: KeyRecord }>,
  { omitState = false, omitValue = false }: { omitState?: boolean; omitValue?: boolean },
): void {
  writer.uint32(tag).fork()
  writeBallot(writer, 10, record.promised)
  if (record.accepted !== undefined) writeBallot(writer, 18, record.accepted)
  const hasState = record.state.generation > 0 && !omitState
  // Bytes without the value have no checksum.
  const isCut = omitValue && record.state.value !== undefined
  const form = hasState && !isCut ? seal(key, record.state) : undefined
  if (form !== undefined) writer.uint32(26).bytes(form.bytes)
  else if (hasState) writer.uint32(26).bytes(encodeState(record.state, true))
  if (record.chosen) writer.uint32(32).bool(true)
  if (record.isStub) writer.uint32(40).bool(true)
  if (form !== undefined) writer.uint32(53).fixed32(form.checksum >>> 0)
  writer.ldelim()
}

/**
 * Reads a record of a key; one without a state has `ABSENT`.
 *
 * @throws {DamagedStateError} when its state does not have its checksum: the reader is then at the end of the
 * record
 */
export function readRecord(reader: Reader, key: string): KeyRecord {
  const outerEnd = enter(reader)
  let promised: Ballot | undefined
  let accepted: Ballot | undefined
  let bytes: Uint8Array | undefined
  let checksum: number | undefined
  let chosen = false
  let isStub = false
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) promised = readBallot(reader)
    else if (tag === 18) accepted = readBallot(reader)
    else if (tag === 26) bytes = reader.bytes()
    else if (tag === 53) checksum = reader.fixed32() | 0
    else if (tag === 32) chosen = reader.bool()
    else if (tag === 40) isStub = reader.bool()
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  const state = bytes === undefined ? ABSENT : receive(key, bytes, checksum)
  if (promised === undefined) refuse('a record has no promised ballot')
  if (accepted === undefined) {
    if (state !== ABSENT) refuse('a record has a state and no accepted ballot')
    if (chosen) refuse('a record is chosen and has no accepted ballot')
  } else if (compareBallots(accepted, promised) >= 0) {
    refuse('a record has accepted a ballot that is not below the promised one')
  } else if (isStub) refuse('a stub has an accepted ballot')
  return { promised, accepted, state, chosen, isStub }
}

export function writeDamage(writer: Writer, tag: number, { promiseBound }: Damage): void {
  writer.uint32(tag).fork()
  writeInteger(writer, 8, promiseBound)
  writer.ldelim()
}

/** Reads a damage, whose bound is a round number that a node can have. */
export function readDamage(reader: Reader): Damage {
  const outerEnd = enter(reader)
  let promiseBound = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) promiseBound = readInteger(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (promiseBound > PLAUSIBLE_ROUND_MAX) refuse('a promise bound is above 2^44')
  return { promiseBound }
}
