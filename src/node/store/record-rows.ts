import assert from 'node:assert/strict'
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import type { KeyRecord } from '../../register/messages.ts'
import type { State, WriteId } from '../../register/state.ts'
import { checksumOf, SEALED_ABSENT, type SealedState, seal, unseal } from '../../rpc/state-codec.ts'
import { DamagedRecordError } from './damaged-record.ts'
import type { Digested } from './digest-hash.ts'
import type { Weight } from './inventory.ts'

/**
 * The columns that hold a record beside its key, in the order in which the functions below use them. Those
 * before `chosen` are the head, which `head_checksum` covers. `migrations.ts` describes each column.
 */
export const ROW_COLUMNS = [
  'leaf',
  'digest',
  'promised_round',
  'promised_proposer',
  'accepted_round',
  'accepted_proposer',
  'is_stub',
  'write_proposer',
  'write_sequence',
  'value_bytes',
  'checksum',
  'chosen',
  'head_checksum',
  'state',
] as const

type Column = SQLOutputValue | undefined

const CHOSEN = ROW_COLUMNS.indexOf('chosen')
const HEAD_CHECKSUM = ROW_COLUMNS.indexOf('head_checksum')
const STATE = ROW_COLUMNS.indexOf('state')
const HEAD_LENGTH = CHOSEN

/** Ballots count in `chosen` modulo 2^32. */
const BALLOT_END = 2 ** 32

/**
 * The value of `chosen` when the state of a row is known to be chosen: a number made from the checksum and
 * the ballot of the row. So a flipped bit does not make a state chosen, and a vote at another ballot ends the
 * mark without a write.
 */
export const CHOSEN_VALUE = `(checksum
  + (accepted_round % ${BALLOT_END} * 31 + accepted_proposer % ${BALLOT_END}) % ${BALLOT_END})`

function chosenValueOf({ round, proposerId }: Ballot, checksum: number): number {
  return checksum + (((round % BALLOT_END) * 31 + (proposerId % BALLOT_END)) % BALLOT_END)
}

/** The fields that decide whether a chosen mark is for this record, and the mark as `chosen` holds it. */
export type RecordHead = Readonly<{
  accepted: Ballot | undefined
  writeId: WriteId
  /** `undefined`: nothing was accepted. */
  mark: number | undefined
}>

export function headOf(key: string, { accepted, state }: KeyRecord): RecordHead {
  const mark = accepted === undefined ? undefined : chosenValueOf(accepted, seal(key, state).checksum)
  return { accepted, writeId: state.writeId, mark }
}

/** Whether a record is in the table `removable_key`. */
export function isRemovable(record: KeyRecord): boolean {
  return record !== EMPTY_RECORD && record.state.value === undefined
}

/** Asserts that the acceptor can have made a record. */
export function assertValid({ promised, accepted, isStub }: KeyRecord): void {
  assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
  assert.ok(!isStub || accepted === undefined, 'a stub has accepted nothing')
}

/** The leaf of a record, and what the record adds to its digest. */
export type Digest = Readonly<{ leaf: number; digest: number }>

/** A record as the values of a row: the key, and `ROW_COLUMNS`. */
export function rowOf(key: string, record: KeyRecord, { leaf, digest }: Digest): SQLInputValue[] {
  const { promised, accepted, state, chosen, isStub } = record
  const { writeId, valueBytes, checksum, bytes } = seal(key, state)
  const row: SQLInputValue[] = [
    key,
    leaf,
    digest,
    promised.round,
    promised.proposerId,
    accepted?.round ?? null,
    accepted?.proposerId ?? null,
    isStub ? 1 : 0,
    writeId.proposerId,
    writeId.sequence,
    valueBytes ?? null,
    checksum,
    chosen && accepted !== undefined ? chosenValueOf(accepted, checksum) : null,
    0,
    bytes.length === 0 ? null : bytes,
  ]
  row[1 + HEAD_CHECKSUM] = headChecksum(key, row, 1)
  return row
}

/**
 * The new `leaf`, `digest` and `head_checksum` of a row whose place in the digests changes. The row
 * holds `columns`, whose head is whole.
 */
export function movedHead(
  key: string,
  columns: readonly SQLOutputValue[],
  digestOf: (record: Digested) => Digest,
): [leaf: number, digest: number, headChecksum: number] {
  const { leaf, digest } = digestOf(digestedIn(columns))
  return [leaf, digest, headChecksum(key, [leaf, digest, ...(columns as number[]).slice(2)], 0)]
}

/**
 * Whether the leaf and the digest in a head are those that `digestOf` computes of its other columns. A record
 * that has accepted nothing has no digest.
 */
export function hasDigest(
  columns: readonly SQLOutputValue[],
  digestOf: (record: Digested) => Digest,
): boolean {
  const { leaf, digest } = digestOf(digestedIn(columns))
  return digest !== 0 && leaf === columns[0] && digest === columns[1]
}

function digestedIn(columns: readonly SQLOutputValue[]): Digested {
  const at = (index: number) => Number(columns[index])
  const accepted = columns[4] === null ? undefined : { round: at(4), proposerId: at(5) }
  return { accepted, state: { writeId: { proposerId: at(7), sequence: at(8) } } }
}

const headBytes = new Uint8Array(8 * HEAD_LENGTH)
const headView = new DataView(headBytes.buffer)

/**
 * The CRC-32 of a key and the head in the columns from index `at` on. A column without a number counts as -1.
 */
function headChecksum(key: string, columns: readonly (SQLInputValue | undefined)[], at: number): number {
  for (let index = 0; index < HEAD_LENGTH; index += 1) {
    const value = columns[at + index]
    // -1 stands for NULL. Only the last column of the head can be negative, and it is never NULL.
    headView.setFloat64(8 * index, typeof value === 'number' ? value : -1, true)
  }
  return checksumOf(key, headBytes)
}

/** The columns of a row that `isWholeHead` needs. It does not read the state, which may be large. */
export const HEAD_COLUMNS = ROW_COLUMNS.slice(0, STATE)

/** Whether the head in the columns of a row is the one that was written for this key. */
export function isWholeHead(key: string, columns: readonly SQLOutputValue[]): boolean {
  return headChecksum(key, columns, 0) === columns[HEAD_CHECKSUM]
}

/** What a record whose head is whole adds to the inventory. */
export function weightOfHead(columns: readonly SQLOutputValue[]): Weight {
  const isTombstone = columns[9] === null && columns[4] !== null
  const stubCount = columns[6] === 1 ? 1 : 0
  return { recordCount: 1, tombstoneCount: isTombstone ? 1 : 0, stubCount, digest: Number(columns[1]) }
}

/** Whether the state in a row was written for this key, whatever the rest of the row holds. */
export function isStateOf(key: string, checksum: Column, state: Column): boolean {
  return state instanceof Uint8Array && checksumOf(key, state) === checksum
}

/**
 * The record in the columns of a row, which begin with `ROW_COLUMNS`. `marked` is a mark that is not in the
 * row.
 *
 * @throws {DamagedRecordError} when a checksum shows that these are not the columns that were written
 */
export function recordOf(
  key: string,
  columns: readonly SQLOutputValue[],
  marked: SQLOutputValue | undefined,
): KeyRecord {
  if (!isWholeHead(key, columns))
    throw new DamagedRecordError(key, 'the head of its row does not have its checksum')
  // The checksum has shown that these are the integers that were written.
  const head = columns as readonly (number | null)[]
  const promised = { round: head[2]!, proposerId: head[3]! }
  const acceptedRound = head[4]!
  const accepted = acceptedRound === null ? undefined : { round: acceptedRound, proposerId: head[5]! }
  if (accepted !== undefined && compareBallots(accepted, promised) >= 0)
    throw new DamagedRecordError(key, 'it has accepted a ballot that is not below its promise')
  const checksum = head[10]!
  const bytes = columns[STATE]
  const state = stateOf(key, {
    writeId: { proposerId: head[7]!, sequence: head[8]! },
    valueBytes: head[9] ?? undefined,
    checksum,
    bytes: bytes instanceof Uint8Array ? bytes : SEALED_ABSENT.bytes,
  })
  const chosenValue = accepted === undefined ? undefined : chosenValueOf(accepted, checksum)
  const chosen = chosenValue !== undefined && (columns[CHOSEN] === chosenValue || marked === chosenValue)
  return { promised, accepted, state, chosen, isStub: head[6] === 1 }
}

function stateOf(key: string, form: SealedState): State {
  try {
    return unseal(key, form)
  } catch (cause) {
    throw new DamagedRecordError(key, (cause as Error).message)
  }
}
