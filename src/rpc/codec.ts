import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { Answer, KeyRecord, Request } from '../register/messages.ts'
import { NAME_LENGTH_MAX, REQUESTS_PER_BATCH_MAX } from './limits.ts'
import {
  type AnswerBatch,
  BRANCH_COUNT,
  type Description,
  type DigestAnswer,
  type DigestRequest,
  type KeyedRequest,
  LEAF_COUNT,
  type Member,
  type Membership,
  type Mismatch,
  type RequestBatch,
  type ScanEntry,
  type ScanRange,
} from './messages.ts'
import {
  readAnswer,
  readRecord,
  readRequest,
  writeAnswer,
  writeRecord,
  writeRequest,
} from './register-codec.ts'
import {
  decodeWith,
  encodeWith,
  enter,
  leave,
  type Reader,
  readInteger,
  readString,
  refuse,
  skip,
  type Writer,
  writeInteger,
  writeString,
} from './wire.ts'

/**
 * The messages of `node.proto` as bytes. Every `decode` function throws a `WireError` that says what is wrong, and
 * lets nothing through that the register core would assert against.
 */

/** The longest key, in UTF-16 units: an id of 256 characters and its namespace fit many times over. */
export const KEY_LENGTH_MAX = 4096

/** Members of one configuration. */
const MEMBERS_MAX = 7

const NAMESPACES = ['group/', 'cluster/']

/**
 * The requests of the batch that was encoded last, and their bytes: a write goes to every node, in batches that are mostly
 * the same but for whom they are for.
 */
let written: Readonly<{ requests: readonly KeyedRequest[]; bytes: Uint8Array }> = {
  requests: [],
  bytes: new Uint8Array(),
}

export function encodeRequestBatch(batch: RequestBatch): Buffer {
  const { requests } = batch
  const isWritten = requests.length > 0 && areSame(requests, written.requests)
  let start = 0
  let end = 0
  const bytes = encodeWith((writer) => {
    writeInteger(writer, 8, batch.batchId)
    writeString(writer, 18, batch.clusterId)
    writeInteger(writer, 24, batch.epoch)
    writeString(writer, 34, batch.nodeId)
    if (batch.membership !== undefined) writeMembership(writer, 42, batch.membership)
    start = writer.pos
    if (isWritten) writer.raw(written.bytes)
    else for (const request of requests) writeKeyedRequest(writer, request)
    end = writer.pos
    writeInteger(writer, 56, batch.sentMs)
    writeInteger(writer, 64, batch.lifeMs)
  })
  if (!isWritten && requests.length > 0) written = { requests, bytes: bytes.subarray(start, end) }
  return bytes
}

function writeKeyedRequest(writer: Writer, { key, request }: KeyedRequest): void {
  writer.uint32(50).fork()
  writeString(writer, 10, key)
  writeRequest(writer, request)
  writer.ldelim()
}

/** Whether these are the same requests, and not only such as look alike: they are never changed. */
function areSame(some: readonly KeyedRequest[], others: readonly KeyedRequest[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ key, request }, index) => {
      const other = others[index]!
      return request === other.request && key === other.key
    })
  )
}

/** @throws {WireError} */
export function decodeRequestBatch(bytes: Uint8Array): RequestBatch {
  return decodeWith(bytes, 'a batch', (reader) => {
    let batchId = 0
    let clusterId = ''
    let epoch = 0
    let nodeId = ''
    let membership: Membership | undefined
    let sentMs = 0
    let lifeMs = 0
    const requests: KeyedRequest[] = []
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 50) {
        if (requests.length === REQUESTS_PER_BATCH_MAX)
          refuse(`it has more than ${REQUESTS_PER_BATCH_MAX} requests`)
        requests.push(readKeyedRequest(reader))
      } else if (tag === 8) batchId = readInteger(reader)
      else if (tag === 18) clusterId = readName(reader)
      else if (tag === 24) epoch = readInteger(reader)
      else if (tag === 34) nodeId = readName(reader)
      else if (tag === 42) membership = readMembership(reader)
      else if (tag === 56) sentMs = readInteger(reader)
      else if (tag === 64) lifeMs = readInteger(reader)
      else skip(reader, tag)
    }
    if (batchId === 0) refuse('it has no batch id')
    if ((clusterId === '') !== (epoch === 0)) refuse('it names a cluster without an epoch, or the reverse')
    return { batchId, clusterId, epoch, nodeId, membership, sentMs, lifeMs, requests }
  })
}

function readKeyedRequest(reader: Reader): KeyedRequest {
  const outerEnd = enter(reader)
  let key = ''
  let request: Request | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) key = readKey(reader)
    else {
      const kind = readRequest(reader, tag)
      if (kind === undefined) skip(reader, tag)
      else request = kind
    }
  }
  leave(reader, outerEnd)
  if (key === '') refuse('a request has no key')
  if (request === undefined) refuse(`the request about '${key}' is of no known kind`)
  return { key, request }
}

/** Reads the id of a node or a cluster, or an address. */
function readName(reader: Reader): string {
  const name = readString(reader)
  if (name.length > NAME_LENGTH_MAX) refuse(`a name is longer than ${NAME_LENGTH_MAX}`)
  return name
}

function readKey(reader: Reader): string {
  const key = readString(reader)
  if (key.length > KEY_LENGTH_MAX) refuse(`a key is longer than ${KEY_LENGTH_MAX}`)
  if (!NAMESPACES.some((namespace) => key.startsWith(namespace))) {
    refuse(`the key '${key}' is in none of the namespaces ${NAMESPACES.join(', ')}`)
  }
  // SQLite's own tools end a text there.
  if (key.includes('\0')) refuse('a key has a NUL character')
  return key
}

/** `requests` are those of the batch that is answered: a state that they carried is not sent back. */
export function encodeAnswerBatch(batch: AnswerBatch, requests: readonly KeyedRequest[]): Buffer {
  return encodeWith((writer) => {
    writeInteger(writer, 8, batch.batchId)
    let index = 0
    for (const { request } of requests) {
      if (request.kind === 'mark') continue
      const answer = batch.answers[index++]
      if (answer === undefined) break
      writeAnswer(writer, 18, answer, request)
    }
    if (batch.mismatch !== undefined) writeMismatch(writer, 26, batch.mismatch)
  })
}

/**
 * Reads the answers to a batch. `requestsOf` gives the requests of a batch that is in flight, or `undefined` when
 * there is none of that id: they complete the answers, and say how many there must be.
 *
 * @throws {WireError}
 */
export function decodeAnswerBatch(
  bytes: Uint8Array,
  requestsOf: (batchId: number) => readonly KeyedRequest[] | undefined,
): AnswerBatch {
  return decodeWith(bytes, 'an answer', (reader) => {
    const batchId = readBatchId(reader)
    const requests = requestsOf(batchId)
    if (requests === undefined) refuse(`no batch ${batchId} is in flight`)
    const answers: Answer[] = []
    let mismatch: Mismatch | undefined
    let index = nextAnswered(requests, 0)
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 18) {
        const request = requests[index]?.request
        if (request === undefined) refuse('it has more answers than there were requests')
        answers.push(readAnswer(reader, request))
        index = nextAnswered(requests, index + 1)
      } else if (tag === 26) mismatch = readMismatch(reader)
      else skip(reader, tag)
    }
    if (mismatch === undefined && index < requests.length)
      refuse('it has fewer answers than there were requests')
    if (mismatch !== undefined && answers.length > 0) refuse('it has both answers and a mismatch')
    return { batchId, answers, mismatch }
  })
}

/** The batch id, wherever in the message it is; the reader stays at the start. */
function readBatchId(reader: Reader): number {
  let batchId = 0
  while (reader.pos < reader.len && batchId === 0) {
    const tag = reader.uint32()
    if (tag === 8) batchId = readInteger(reader)
    else skip(reader, tag)
  }
  reader.pos = 0
  if (batchId === 0) refuse('it has no batch id')
  return batchId
}

/** The index of the first request from `index` on that gets an answer. */
function nextAnswered(requests: readonly KeyedRequest[], index: number): number {
  while (index < requests.length && requests[index]?.request.kind === 'mark') index++
  return index
}

function writeMismatch(writer: Writer, tag: number, { nodeId, membership }: Mismatch): void {
  writer.uint32(tag).fork()
  writeString(writer, 10, nodeId)
  if (membership !== undefined) writeMembership(writer, 18, membership)
  writer.ldelim()
}

function readMismatch(reader: Reader): Mismatch {
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

function writeMembership(writer: Writer, tag: number, membership: Membership): void {
  writer.uint32(tag).fork()
  writeString(writer, 10, membership.clusterId)
  writeInteger(writer, 16, membership.epoch)
  for (const member of membership.members) writeMember(writer, 26, member)
  for (const member of membership.outgoing ?? []) writeMember(writer, 34, member)
  writeInteger(writer, 40, membership.tombstoneGraceMs)
  writer.ldelim()
}

function writeMember(writer: Writer, tag: number, { nodeId, address }: Member): void {
  writer.uint32(tag).fork()
  writeString(writer, 10, nodeId)
  writeString(writer, 18, address)
  writer.ldelim()
}

function readMembership(reader: Reader): Membership {
  const outerEnd = enter(reader)
  let clusterId = ''
  let epoch = 0
  const members: Member[] = []
  const outgoing: Member[] = []
  let tombstoneGraceMs = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) clusterId = readName(reader)
    else if (tag === 16) epoch = readInteger(reader)
    else if (tag === 26) members.push(readMember(reader))
    else if (tag === 34) outgoing.push(readMember(reader))
    else if (tag === 40) tombstoneGraceMs = readInteger(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (clusterId === '') refuse('a membership names no cluster')
  if (epoch === 0) refuse('a membership has no epoch')
  if (members.length === 0) refuse('a membership has no members')
  for (const configuration of [members, outgoing]) {
    if (configuration.length > MEMBERS_MAX) refuse(`a membership has more than ${MEMBERS_MAX} members`)
    if (new Set(configuration.map(({ nodeId }) => nodeId)).size < configuration.length)
      refuse('a membership names a node twice')
  }
  if (tombstoneGraceMs === 0) refuse('a membership has no grace time of tombstones')
  const stable = { clusterId, epoch, members, tombstoneGraceMs }
  return outgoing.length === 0 ? stable : { ...stable, outgoing }
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
  if (nodeId === '') refuse('a member has no node id')
  if (address === '') refuse('a member has no address')
  return { nodeId, address }
}

export function encodeDescription(description: Description): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, description.nodeId)
    if (description.membership !== undefined) writeMembership(writer, 18, description.membership)
    writeString(writer, 26, description.version)
    writeInteger(writer, 32, description.recordCount)
    writeInteger(writer, 40, description.tombstoneCount)
    writeInteger(writer, 48, description.stubCount)
  })
}

/** @throws {WireError} */
export function decodeDescription(bytes: Uint8Array): Description {
  return decodeWith(bytes, 'a description', (reader) => {
    let nodeId = ''
    let membership: Membership | undefined
    let version = ''
    let recordCount = 0
    let tombstoneCount = 0
    let stubCount = 0
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) nodeId = readName(reader)
      else if (tag === 18) membership = readMembership(reader)
      else if (tag === 26) version = readString(reader)
      else if (tag === 32) recordCount = readInteger(reader)
      else if (tag === 40) tombstoneCount = readInteger(reader)
      else if (tag === 48) stubCount = readInteger(reader)
      else skip(reader, tag)
    }
    if (nodeId === '') refuse('it names no node')
    return { nodeId, membership, version, recordCount, tombstoneCount, stubCount }
  })
}

export function encodeScanRange(range: ScanRange): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, range.start)
    writeString(writer, 18, range.end)
    if (range.omitValues) writer.uint32(24).bool(true)
    if (range.removableOnly) writer.uint32(32).bool(true)
    if (range.leaves !== undefined) writer.uint32(42).bytes(bitsOf(range.leaves))
    if (range.recipient !== undefined) {
      writeString(writer, 50, range.recipient.clusterId)
      writeInteger(writer, 56, range.recipient.epoch)
      writeString(writer, 66, range.recipient.nodeId)
    }
    writeInteger(writer, 72, range.limit ?? 0)
  })
}

function bitsOf(leaves: ReadonlySet<number>): Uint8Array {
  const bits = new Uint8Array(LEAF_COUNT / 8)
  for (const leaf of leaves) bits[leaf >> 3]! |= 1 << (leaf & 7)
  return bits
}

function leavesIn(bits: Uint8Array): ReadonlySet<number> | undefined {
  if (bits.length === 0) return undefined
  if (bits.length !== LEAF_COUNT / 8) refuse(`it has ${bits.length * 8} bits for ${LEAF_COUNT} leaves`)
  const leaves = new Set<number>()
  for (let leaf = 0; leaf < LEAF_COUNT; leaf += 1) {
    if ((bits[leaf >> 3]! >> (leaf & 7)) & 1) leaves.add(leaf)
  }
  return leaves
}

/** @throws {WireError} */
export function decodeScanRange(bytes: Uint8Array): ScanRange {
  return decodeWith(bytes, 'a scan range', (reader) => {
    let start = ''
    let end = ''
    let omitValues = false
    let removableOnly = false
    let leaves: ReadonlySet<number> | undefined
    let limit = 0
    let clusterId = ''
    let epoch = 0
    let nodeId = ''
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) start = readString(reader)
      else if (tag === 18) end = readString(reader)
      else if (tag === 24) omitValues = reader.bool()
      else if (tag === 32) removableOnly = reader.bool()
      else if (tag === 42) leaves = leavesIn(reader.bytes())
      else if (tag === 50) clusterId = readName(reader)
      else if (tag === 72) limit = readInteger(reader)
      else if (tag === 56) epoch = readInteger(reader)
      else if (tag === 66) nodeId = readName(reader)
      else skip(reader, tag)
    }
    if (removableOnly && leaves !== undefined)
      refuse('it asks both for some leaves and for what is removable')
    const recipient = nodeId === '' ? undefined : { clusterId, epoch, nodeId }
    return {
      start,
      end,
      omitValues,
      removableOnly,
      leaves,
      limit: limit === 0 ? undefined : limit,
      recipient,
    }
  })
}

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

/** Writes a packed field of integers of 0 to 2^53 - 1. */
function writePacked(writer: Writer, tag: number, integers: readonly number[]): void {
  if (integers.length === 0) return
  writer.uint32(tag).fork()
  for (const integer of integers) writer.uint64(integer)
  writer.ldelim()
}

function readPacked(reader: Reader, countMax: number): number[] {
  const outerEnd = enter(reader)
  const integers: number[] = []
  while (reader.pos < reader.len) {
    if (integers.length === countMax) refuse(`a list has more than ${countMax} integers`)
    integers.push(readInteger(reader))
  }
  leave(reader, outerEnd)
  return integers
}

/** With `omitValues` a live state looks like a tombstone: the asker knows that it wanted none. */
export function encodeScanPage(entries: readonly ScanEntry[], omitValues: boolean): Buffer {
  return encodeWith((writer) => {
    for (const { key, record } of entries) {
      writer.uint32(10).fork()
      writeString(writer, 10, key)
      writeRecord(writer, 18, record, { omitValue: omitValues })
      writer.ldelim()
    }
  })
}

/** @throws {WireError} */
export function decodeScanPage(bytes: Uint8Array): readonly ScanEntry[] {
  return decodeWith(bytes, 'a scan page', (reader) => {
    const entries: ScanEntry[] = []
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) entries.push(readScanEntry(reader))
      else skip(reader, tag)
    }
    return entries
  })
}

function readScanEntry(reader: Reader): ScanEntry {
  const outerEnd = enter(reader)
  let key = ''
  let record: KeyRecord = EMPTY_RECORD
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) key = readKey(reader)
    else if (tag === 18) record = readRecord(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (key === '') refuse('an entry has no key')
  if (record === EMPTY_RECORD) refuse('an entry has no record')
  return { key, record }
}
