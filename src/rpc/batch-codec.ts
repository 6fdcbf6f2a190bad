/** Batches of requests, and the answers to them, as bytes. */
import type { Reply, Request } from '../register/messages.ts'
import { REQUESTS_PER_BATCH_MAX } from './limits.ts'
import { readMembership, readMismatch, writeMembership, writeMismatch } from './membership-codec.ts'
import type {
  AnswerBatch,
  KeyedRequest,
  Membership,
  Mismatch,
  ReceivedAnswers,
  RequestBatch,
} from './messages.ts'
import { readKeyAhead, readName } from './name-codec.ts'
import { readAnswer, readRequest, writeAnswer, writeRequest } from './register-codec.ts'
import {
  decodeWith,
  encodeWith,
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
import { assertUnderstood, writeVersions } from './wire-version.ts'

/** The fields of the versions in a batch and in an answer. */
const REQUEST_VERSIONS = [72, 80] as const
const ANSWER_VERSIONS = [32, 40] as const

/**
 * The requests of the batch that was encoded last, and their bytes. A write goes to every node, in batches
 * that usually differ only in their recipient.
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
    if (batch.batchId === 1) writeVersions(writer, REQUEST_VERSIONS)
  })
  if (!isWritten && requests.length > 0) written = { requests, bytes: bytes.subarray(start, end) }
  return bytes
}

function writeKeyedRequest(writer: Writer, keyed: KeyedRequest): void {
  writer.uint32(50).fork()
  writeString(writer, 10, keyed.key)
  writeRequest(writer, keyed)
  writer.ldelim()
}

/** Whether these are the same request objects. That is enough, because requests are never changed. */
function areSame(some: readonly KeyedRequest[], others: readonly KeyedRequest[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ key, request }, index) => {
      const other = others[index]!
      return request === other.request && key === other.key
    })
  )
}

/**
 * @throws {WireVersionError} when the first batch of a stream comes from a connector that this program does
 * not understand
 * @throws {WireError}
 */
export function decodeRequestBatch(bytes: Uint8Array): RequestBatch {
  return decodeWith(bytes, 'a batch', (reader) => {
    if (peekBatchId(reader) === 1) assertUnderstood(reader, REQUEST_VERSIONS, 'connector')
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
  const key = readKeyAhead(reader)
  let request: Request | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const kind = readRequest(reader, tag, key)
    if (kind === undefined) skip(reader, tag)
    else request = kind
  }
  leave(reader, outerEnd)
  if (key === '') refuse('a request has no key')
  if (request === undefined) refuse(`the request about '${key}' is of no known kind`)
  return { key, request }
}

/** `requests` are those of the batch that is answered. A state that a request had is not sent back. */
export function encodeAnswerBatch(batch: AnswerBatch, requests: readonly KeyedRequest[]): Buffer {
  return encodeWith((writer) => {
    writeInteger(writer, 8, batch.batchId)
    let index = 0
    for (const keyed of requests) {
      if (keyed.request.kind === 'mark') continue
      const answer = batch.answers[index++]
      if (answer === undefined) break
      writeAnswer(writer, 18, answer, keyed)
    }
    if (batch.mismatch !== undefined) writeMismatch(writer, 26, batch.mismatch)
    if (batch.batchId === 1) writeVersions(writer, ANSWER_VERSIONS)
  })
}

/**
 * Reads the answers to a batch. `oldest` is the oldest batch in flight, which must be answered next.
 * `undefined`: there is none. Its requests complete the answers, and say how many answers there must be.
 *
 * @throws {WireVersionError} when the first answer of a stream comes from a node that this program does not
 * understand
 * @throws {WireError}
 */
export function decodeAnswerBatch(
  bytes: Uint8Array,
  oldest: Pick<RequestBatch, 'batchId' | 'requests'> | undefined,
): ReceivedAnswers {
  return decodeWith(bytes, 'an answer', (reader) => {
    const batchId = peekBatchId(reader)
    if (batchId === 1) assertUnderstood(reader, ANSWER_VERSIONS, 'node')
    if (batchId === 0) refuse('it has no batch id')
    if (oldest === undefined) refuse(`it answers batch ${batchId}, and no batch is in flight`)
    if (batchId !== oldest.batchId) refuse(`it answers batch ${batchId} before batch ${oldest.batchId}`)
    const { requests } = oldest
    const answers: (Reply | undefined)[] = []
    let mismatch: Mismatch | undefined
    let index = nextAnswered(requests, 0)
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 18) {
        const asked = requests[index]
        if (asked === undefined) refuse('it has more answers than there were requests')
        answers.push(readAnswer(reader, asked))
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

/** The batch id, wherever in the message it is; 0: there is none. The reader stays at the start. */
function peekBatchId(reader: Reader): number {
  let batchId = 0
  while (reader.pos < reader.len && batchId === 0) {
    const tag = reader.uint32()
    if (tag === 8) batchId = readInteger(reader)
    else skip(reader, tag)
  }
  reader.pos = 0
  return batchId
}

/** The index of the first request from `index` on that gets an answer. */
function nextAnswered(requests: readonly KeyedRequest[], index: number): number {
  while (index < requests.length && requests[index]?.request.kind === 'mark') index++
  return index
}
