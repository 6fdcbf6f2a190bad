/**
 * For tests: nodes with real handlers at addresses in memory, and transports to them that count what is open.
 * Time goes on only when the test says so.
 */

import { NodeHandler } from '../node/handler.ts'
import { HeldChanges } from '../node/held-changes.ts'
import type { HeldSlice } from '../node/questions.ts'
import { sleep } from '../process/clock.ts'
import type {
  AnswerBatch,
  ChangesAnswer,
  ChangesRequest,
  HeldEntry,
  RequestBatch,
  ScanRange,
} from '../rpc/messages.ts'
import type { BatchStream, NodeTransport, StreamHandlers } from '../rpc/transport.ts'
import { MemoryStore } from '../sim/large/memory-store.ts'
import type { ManualClock } from './manual-clock.ts'
import type { ResourceCounts } from './resource-counts.ts'

/** The same number as a node sends. */
const PAGE_RECORDS = 128
const NOBODY = { onVote: () => undefined, onStub: () => undefined, onDrop: () => undefined }

/** A node at an address. */
export class MemoryHost {
  readonly store: MemoryStore
  /** It answers nothing, and closes nothing. */
  isStopped = false
  /** How many scans it was asked for. */
  scanCount = 0
  /** The keys of the requests that it was sent, with the kind of each. */
  readonly requests: Readonly<{ key: string; kind: string }>[] = []
  readonly #handler: NodeHandler
  #hasEnded = false
  readonly #streams = new Set<() => void>()

  constructor(nodeId: string) {
    this.store = new MemoryStore(nodeId, NOBODY)
    this.#handler = new NodeHandler({
      store: this.store,
      version: '1.2.3',
      defer: setImmediate,
      onFatal: () => this.end(),
    })
  }

  get isThere(): boolean {
    return !this.#hasEnded
  }

  get isAnswering(): boolean {
    return this.isThere && !this.isStopped
  }

  get handler(): NodeHandler {
    return this.#handler
  }

  /** Its process ends, and its streams with it. */
  end(): void {
    this.#hasEnded = true
    for (const close of this.#streams) close()
  }

  /** `close` is called when it ends. The returned function takes that back. */
  onEnd(close: () => void): () => void {
    this.#streams.add(close)
    return () => this.#streams.delete(close)
  }

  receive(batch: RequestBatch, reply: (answers: AnswerBatch) => void): void {
    for (const { key, request } of batch.requests) this.requests.push({ key, kind: request.kind })
    this.#handler.receive(batch, reply, () => undefined)
  }
}

export class MemoryNetwork {
  readonly hosts = new Map<string, MemoryHost>()
  /** How many transports were made. */
  connectCount = 0
  readonly #clock: ManualClock
  readonly #open = { transports: 0, streams: 0, scans: 0, questions: 0 }

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  /** What is open, and the timers that are set. */
  get counts(): ResourceCounts {
    return { ...this.#open, timers: this.#clock.taskCount }
  }

  /** Starts a node. */
  add(address: string, nodeId: string): MemoryHost {
    const host = new MemoryHost(nodeId)
    this.hosts.set(address, host)
    return host
  }

  connect = (address: string): NodeTransport => {
    this.connectCount += 1
    this.#open.transports += 1
    const closing = new AbortController()
    const host = () => this.hosts.get(address)
    const ask = <A>(timeoutMs: number, answer: (host: MemoryHost) => A | undefined) =>
      this.#ask(host(), { timeoutMs, signal: closing.signal }, answer)
    return {
      open: (handlers) => this.#stream(host(), handlers, closing.signal),
      describe: (timeoutMs) => ask(timeoutMs, ({ handler }) => handler.describe()),
      digest: (request, timeoutMs) =>
        ask(timeoutMs, ({ handler }) => {
          const answer = handler.digest(request)
          return answer === 'counting' ? undefined : answer
        }),
      changes: (request, timeoutMs) => this.#changes(host(), request, timeoutMs, closing.signal),
      scan: (range) => this.#scan(host(), range, closing.signal),
      close: () => {
        if (!closing.signal.aborted) this.#open.transports -= 1
        closing.abort()
      },
    }
  }

  #stream(host: MemoryHost | undefined, handlers: StreamHandlers, signal: AbortSignal): BatchStream {
    let isOpen = true
    this.#open.streams += 1
    const close = (): void => {
      if (!isOpen) return
      isOpen = false
      this.#open.streams -= 1
      signal.removeEventListener('abort', close)
      forget?.()
      // As gRPC: never from within the call that closes it.
      queueMicrotask(() => handlers.onClose('closed'))
    }
    const forget = host?.onEnd(close)
    signal.addEventListener('abort', close)
    if (host?.isThere !== true || signal.aborted) queueMicrotask(close)
    const send = (batch: RequestBatch): void => {
      if (!isOpen || host?.isAnswering !== true) return
      host.receive(batch, (answers) => {
        if (isOpen && host.isAnswering) handlers.onAnswers(answers)
      })
    }
    return { send, close }
  }

  async #ask<A>(
    host: MemoryHost | undefined,
    { timeoutMs, signal }: Readonly<{ timeoutMs: number; signal: AbortSignal }>,
    answer: (host: MemoryHost) => A | undefined,
  ): Promise<A> {
    this.#open.questions += 1
    try {
      await new Promise((resolve) => setImmediate(resolve))
      if (host?.isStopped) await sleep(timeoutMs, this.#clock, signal)
      const given = host?.isAnswering && !signal.aborted ? answer(host) : undefined
      if (given === undefined) throw new Error('no answer')
      return given
    } finally {
      this.#open.questions -= 1
    }
  }

  async #changes(
    host: MemoryHost | undefined,
    request: ChangesRequest,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ChangesAnswer> {
    const { promise, resolve } = Promise.withResolvers<ChangesAnswer | undefined>()
    await this.#ask(host, { timeoutMs, signal }, () => true)
    const held = new HeldChanges(host!.handler, this.#clock)
    const cancel = held.ask(request, resolve)
    const stop = (): void => {
      cancel()
      resolve(undefined)
    }
    const forget = host!.onEnd(stop)
    signal.addEventListener('abort', stop)
    const answer = await promise
    forget()
    signal.removeEventListener('abort', stop)
    if (answer === undefined || !host!.isAnswering) throw new Error('no answer')
    return answer
  }

  async *#scan(
    host: MemoryHost | undefined,
    range: ScanRange,
    signal: AbortSignal,
  ): AsyncGenerator<readonly HeldEntry[]> {
    this.#open.scans += 1
    if (host !== undefined) host.scanCount += 1
    try {
      let { start } = range
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        while (host?.isStopped && !signal.aborted) await sleep(1_000, this.#clock, signal)
        if (!host?.isAnswering || signal.aborted) throw new Error('the scan ended early')
        const slice: HeldSlice | 'not_meant' | undefined = host.handler.scan(
          { ...range, start },
          PAGE_RECORDS,
        )
        if (slice === undefined || slice === 'not_meant') throw new Error('it is not meant')
        if (slice.entries.length > 0) yield slice.entries
        if (slice.nextStart === undefined) return
        start = slice.nextStart
      }
    } finally {
      this.#open.scans -= 1
    }
  }
}
