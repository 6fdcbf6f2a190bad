/**
 * For tests: three nodes in memory, a client of them with real links, and a clock that goes on only when it
 * is told to.
 */
import assert from 'node:assert/strict'
import { answer, EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord } from '../register/messages.ts'
import type { Outcome } from '../register/operation.ts'
import { quorumsOf } from '../register/quorum.ts'
import { RULES } from '../register/rules.ts'
import type { Value } from '../register/state.ts'
import { Counters } from '../replication/counters.ts'
import { LINK_LIMITS } from '../replication/links/link-limits.ts'
import { NodeLink } from '../replication/links/node-link.ts'
import { RegisterClient, type RegisterClientOptions } from '../replication/register-client.ts'
import type { AnswerBatch, RequestBatch } from '../rpc/messages.ts'
import type { NodeTransport, StreamHandlers } from '../rpc/transport.ts'
import { ManualClock } from './manual-clock.ts'

/** The operation timeout of clients. */
export const TIMEOUT_MS = 1_000
/** The age up to which a view may be used. */
export const VIEW_AGE_MS = 10_000

/** A node in memory. Its answers wait in `answers` until the test delivers them. */
export class MemoryNode implements NodeTransport {
  readonly records = new Map<string, KeyRecord>()
  readonly answers: (() => void)[] = []
  /** The kinds of the requests that it has answered. */
  readonly kinds: string[] = []
  isManual = false
  /** Streams that are open. */
  streamCount = 0
  endStream = () => {}

  open({ onAnswers, onClose }: StreamHandlers) {
    let isOpen = true
    this.streamCount += 1
    const end = (reason: string) => {
      if (!isOpen) return
      isOpen = false
      this.streamCount -= 1
      onClose(reason)
    }
    this.endStream = () => end('ended')
    return {
      send: (batch: RequestBatch) => {
        const deliver = () => {
          const answers = this.#answer(batch)
          if (isOpen) onAnswers(answers)
        }
        if (this.isManual) this.answers.push(deliver)
        else queueMicrotask(deliver)
      },
      close: () => end('closed'),
    }
  }

  describe = () => assert.fail('not used')
  digest = () => assert.fail('not used')
  changes = () => assert.fail('not used')
  scan = () => assert.fail('not used')
  close = () => {}

  #answer({ batchId, requests }: RequestBatch): AnswerBatch {
    const answers = requests.flatMap(({ key, request }) => {
      const given = answer(this.records.get(key) ?? EMPTY_RECORD, request)
      this.records.set(key, given.record)
      this.kinds.push(request.kind)
      return request.kind === 'mark' ? [] : [given]
    })
    return { batchId, answers, mismatch: undefined }
  }
}

/** Three nodes and a client whose links are open. */
export async function aCluster(options: Partial<RegisterClientOptions> = {}) {
  const clock = new ManualClock()
  const nodes = [new MemoryNode(), new MemoryNode(), new MemoryNode()]
  const counters = new Counters()
  const divergent: string[] = []
  const client = aClient(clock, nodes, 7, {
    counters,
    onDivergence: (key, replicas) => {
      divergent.push(`${key} on ${replicas.map(({ nodeId }) => nodeId).join(' and ')}`)
    },
    ...options,
  })
  await settled()
  return { clock, nodes, client, counters, divergent }
}

/** A client of these nodes. */
export function aClient(
  clock: ManualClock,
  nodes: readonly MemoryNode[],
  proposerId: number,
  options: Partial<RegisterClientOptions> = {},
): RegisterClient {
  return new RegisterClient(
    {
      drawProposerId: () => proposerId,
      quorums: quorumsOf(3),
      rules: RULES,
      clock,
      random: () => 0.5,
      operationTimeoutMs: TIMEOUT_MS,
      viewCacheBytesMax: 100_000,
      viewAgeMsMax: VIEW_AGE_MS,
      ...options,
    },
    (index, onChange) =>
      new NodeLink({
        transport: () => nodes[index]!,
        nodeId: `n${index}`,
        membership: undefined,
        clock,
        limits: LINK_LIMITS,
        onChange,
        onMismatch: () => assert.fail('no node may have another id than expected'),
      }),
  )
}

/** Waits until all microtasks have run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Writes a key, whatever it holds. */
export function write(client: RegisterClient, key: string): Promise<Outcome> {
  const value: Value = Uint8Array.of(1)
  return client.submit(key, () => ({ kind: 'propose', value, result: 'written' }))
}

/** Lets time pass, and delivers what is on its way. */
export async function pass(clock: ManualClock, timeMs: number): Promise<void> {
  for (let ms = 0; ms < timeMs; ms += 1) {
    await settled()
    clock.advance(1)
  }
}
