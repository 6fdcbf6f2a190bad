/**
 * For tests: a node of a few records in memory, on a real gRPC server. It answers correctly unless a test
 * tells it to lie. Then it sends the bytes that the test gives, at any moment, and ends its streams as the
 * test says.
 */
import type { TestContext } from 'node:test'
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { digestOf, leafOf } from '../node/store/digest-hash.ts'
import { DigestTree } from '../node/store/digest-tree.ts'
import { answer, EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord } from '../register/messages.ts'
import { decodeRequestBatch, encodeAnswerBatch } from '../rpc/batch-codec.ts'
import { encodeDescription } from '../rpc/description-codec.ts'
import { decodeDigestRequest, encodeDigestAnswer } from '../rpc/digest-codec.ts'
import { compareKeys } from '../rpc/key-order.ts'
import type { AnswerBatch, DigestRequest, RequestBatch, ScanRange } from '../rpc/messages.ts'
import { decodeScanRange, encodeScanPage } from '../rpc/scan-codec.ts'
import { nodeService } from '../rpc/service.ts'

/** A batch that has arrived, and what can be done with it. */
export type BatchTurn = Readonly<{
  batch: RequestBatch
  /** The right answer. The node has acted on the batch already. */
  right: AnswerBatch
  /** Sends bytes as one message of the stream. */
  send: (bytes: Uint8Array) => void
  /** Sends the right answer. */
  sendRight: () => void
  /** Ends the stream; by default in the same way as a node that is stopped. */
  end: (code?: number, details?: string) => void
}>

/** A unary call or a scan: the bytes of the messages to send, or the status to fail with. */
type Reply = readonly Uint8Array[] | Readonly<{ code: number; details: string }>

/** How a node lies. For parts that are not given, it answers correctly. */
export type Lie = Readonly<{
  /**
   * Called instead of sending the right answer to a batch that has requests. Heartbeats are answered
   * correctly.
   */
  exchange?: (turn: BatchTurn) => void
  /** Called for each batch, heartbeats and the first of a stream included. */
  everyBatch?: (turn: BatchTurn) => void
  /** Called when a stream is opened. */
  open?: (send: (bytes: Uint8Array) => void) => void
  describe?: (right: Uint8Array) => Reply | 'silence'
  digest?: (request: DigestRequest, right: Uint8Array) => Reply | 'silence'
  scan?: (range: ScanRange, right: readonly Uint8Array[]) => Reply | 'silence'
}>

/** Entries in a page of a scan. */
const PAGE_SIZE = 4

const RAW = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
}

export class LyingNode {
  readonly nodeId: string
  readonly records = new Map<string, KeyRecord>()
  lie: Lie = {}
  /** Streams that are open now. */
  streamCount = 0
  /** Streams that were opened since the start. */
  openedCount = 0
  readonly #server = new Server({ 'grpc.max_send_message_length': -1 })
  #address = ''

  private constructor(nodeId: string) {
    this.nodeId = nodeId
    this.#server.addService(
      {
        exchange: nodeService.exchange,
        describe: { ...nodeService.describe, ...RAW } as MethodDefinition<Buffer, Buffer>,
        digest: { ...nodeService.digest, ...RAW } as MethodDefinition<Buffer, Buffer>,
        scan: { ...nodeService.scan, ...RAW } as MethodDefinition<Buffer, Buffer>,
      },
      {
        exchange: (call: ServerDuplexStream<Buffer, Buffer>) => this.#exchange(call),
        describe: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
          this.#describe(call, done),
        digest: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
          this.#digest(call, done),
        scan: (call: ServerWritableStream<Buffer, Buffer>) => this.#scan(call),
      },
    )
  }

  /** Listens on a port of loopback, by default on a free one, until the test ends. */
  static async start(t: Pick<TestContext, 'after'>, nodeId: string, wanted = 0): Promise<LyingNode> {
    const node = new LyingNode(nodeId)
    const port = await new Promise<number>((resolve, reject) => {
      node.#server.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    node.#address = `127.0.0.1:${port}`
    t.after(() => node.#server.forceShutdown())
    return node
  }

  get address(): string {
    return this.#address
  }

  #exchange(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.streamCount += 1
    this.openedCount += 1
    let isOver = false
    const over = () => {
      if (!isOver) this.streamCount -= 1
      isOver = true
    }
    call.on('cancelled', over)
    call.on('close', over)
    call.on('error', over)
    call.on('end', () => call.end())
    const send = (bytes: Uint8Array) => {
      if (!isOver) call.write(Buffer.from(bytes))
    }
    this.lie.open?.(send)
    call.on('data', (bytes: Buffer) => {
      const batch = decodeRequestBatch(bytes)
      const right = this.#answerTo(batch)
      const sendRight = () => send(encodeAnswerBatch(right, batch.requests))
      const end = (code: number = status.OK, details = '') => {
        if (code === status.OK) call.end()
        else call.emit('error', { code, details })
      }
      const lie = this.lie.everyBatch ?? (batch.requests.length === 0 ? undefined : this.lie.exchange)
      if (lie === undefined) sendRight()
      else lie({ batch, right, send, sendRight, end })
    })
  }

  #answerTo({ batchId, requests }: RequestBatch): AnswerBatch {
    const answers = requests.flatMap(({ key, request }) => {
      const given = answer(this.records.get(key) ?? EMPTY_RECORD, request)
      this.records.set(key, given.record)
      return request.kind === 'mark' ? [] : [given]
    })
    return { batchId, answers, mismatch: undefined }
  }

  #describe(_call: unknown, done: sendUnaryData<Buffer>): void {
    const counts = {
      recordCount: this.records.size,
      tombstoneCount: 0,
      stubCount: 0,
      damagedCount: 0,
      healedCount: 0,
    }
    const right = encodeDescription({ nodeId: this.nodeId, membership: undefined, version: '0', ...counts })
    reply(done, this.lie.describe?.(right) ?? [right])
  }

  #digest({ request: bytes }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
    const request = decodeDigestRequest(bytes)
    const tree = new DigestTree()
    for (const [key, record] of this.records) tree.replace(leafOf(key), 0, digestOf(key, record))
    const { branches } = request
    const digests =
      branches.length === 0 ? tree.branches : branches.flatMap((branch) => tree.leavesOf(branch))
    const right = encodeDigestAnswer({ digests, mismatch: undefined })
    reply(done, this.lie.digest?.(request, right) ?? [right])
  }

  #scan(call: ServerWritableStream<Buffer, Buffer>): void {
    const range = decodeScanRange(call.request)
    const { start, end, limit = Number.POSITIVE_INFINITY, leaves, omitValues } = range
    const entries = [...this.records]
      .map(([key, record]) => ({ key, record }))
      .filter(({ key }) => compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0))
      .filter(({ key }) => leaves === undefined || leaves.has(leafOf(key)))
      .sort((a, b) => compareKeys(a.key, b.key))
      .slice(0, limit)
    const right: Buffer[] = []
    for (let at = 0; at < entries.length; at += PAGE_SIZE) {
      right.push(encodeScanPage(entries.slice(at, at + PAGE_SIZE), omitValues))
    }
    const told = this.lie.scan?.(range, right) ?? right
    if (told === 'silence') return
    if ('code' in told) call.emit('error', told)
    else {
      for (const bytes of told) call.write(Buffer.from(bytes))
      call.end()
    }
  }
}

function reply(done: sendUnaryData<Buffer>, told: Reply | 'silence'): void {
  if (told === 'silence') return
  if ('code' in told) done(told)
  else done(null, Buffer.from(told[0] ?? []))
}

function asIs(bytes: Buffer): Buffer {
  return bytes
}
