import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { NodeHandler } from '../node/handler.ts'
import { buildNodeService, type NodeSecurity } from '../node/service.ts'
import { SqliteStore } from '../node/store/sqlite-store.ts'
import { ConnectionLimit } from '../process/connection-limit.ts'
import type { KeyRecord } from '../register/messages.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import type { KeyedRequest, ReceivedAnswers, RequestBatch } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** For tests: a real node on a real store and a real socket, in this process. */
export async function aNode(
  t: TestContext,
  port = 0,
  security?: NodeSecurity,
  connections = new ConnectionLimit(1_024, () => {}),
) {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-service-'))
  const store = new SqliteStore(join(directory, 'node.db'))
  const failures: unknown[] = []
  const handler = new NodeHandler({
    store,
    version: '1.2.3',
    defer: setImmediate,
    onFatal: (error) => failures.push(error),
  })
  const service = buildNodeService(handler, connections, security)
  const address = `127.0.0.1:${await service.listen({ host: '127.0.0.1', port })}`
  t.after(() => {
    service.close()
    store.close()
    rmSync(directory, { recursive: true })
  })
  return { ...service, handler, store, address, failures }
}

/** A connector's transport to the node, which is closed after the test. */
export function aTransport(t: TestContext, address: string): NodeTransport {
  const transport = connectGrpc(address)
  t.after(() => transport.close())
  return transport
}

/** A stream whose answers the test takes one after the other. */
export function aStream(transport: NodeTransport) {
  const answers: ReceivedAnswers[] = []
  const closed = Promise.withResolvers<string>()
  let closeCount = 0
  let wake = () => {}
  const stream = transport.open({
    onAnswers: (batch) => {
      assert.equal(closeCount, 0)
      answers.push(batch)
      wake()
    },
    onClose: (reason) => {
      closeCount++
      closed.resolve(reason)
    },
  })
  const next = async (): Promise<ReceivedAnswers> => {
    while (answers.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const batch = answers.shift()
    assert.ok(batch !== undefined)
    return batch
  }
  return { stream, next, closed: closed.promise, closeCount: () => closeCount }
}

/** A batch for a node that has no membership yet. */
export function aBatch(nodeId: string, batchId: number, requests: KeyedRequest[]): RequestBatch {
  return { batchId, clusterId: '', epoch: 0, nodeId, membership: undefined, sentMs: 0, lifeMs: 0, requests }
}

/** A first write of a key. */
export function anAccept(key: string, value: Uint8Array): KeyedRequest {
  const writeId = { proposerId: 2 ** 52 - 1, sequence: 1 }
  const state = { generation: 1, writeId, lineage: [writeId], value }
  const ballot = { round: 1, proposerId: 0 }
  return { key, request: { kind: 'accept', ballot, state, next: { round: 2, proposerId: 0 } } }
}

/** The record that an accept leaves. */
export function recordOf({ request }: KeyedRequest): KeyRecord {
  assert.ok(request.kind === 'accept')
  return {
    promised: request.next,
    accepted: request.ballot,
    state: request.state,
    chosen: false,
    isStub: false,
  }
}
