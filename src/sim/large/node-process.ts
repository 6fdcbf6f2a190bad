import assert from 'node:assert/strict'
import { NodeHandler } from '../../node/handler.ts'
import type { ScanSlice } from '../../node/store/record-store.ts'
import type { Answer } from '../../register/messages.ts'
import type {
  AnswerBatch,
  DigestAnswer,
  DigestRequest,
  KeyedRequest,
  RequestBatch,
  ScanRange,
} from '../../rpc/messages.ts'
import type { Chance } from '../chance.ts'
import { type MemoryStore, PowerCut } from './memory-store.ts'
import type { Listener } from './network.ts'
import { type Drift, ProcessClock, type Timeline } from './timeline.ts'

export type NodeProcessOptions = Readonly<{
  store: MemoryStore
  timeline: Timeline
  chance: Chance
  drift: Drift
  /** The node has crashed: its connections are gone. */
  onCrash: () => void
  onAnswer: (request: KeyedRequest, answer: Answer) => void
  /** A bug was found. */
  onFailure: (error: unknown) => void
}>

/** How often a node writes the marks that it has put off. */
const FLUSH_INTERVAL_MS = 100

/** The real handler in a process that can be stopped, crash anywhere, and start again from its disk. */
export class NodeProcess implements Listener {
  readonly #options: NodeProcessOptions
  #clock: ProcessClock
  #handler: NodeHandler | undefined
  /** What a turn takes, in milliseconds: more on a slow node. */
  turnMs = 0
  startCount = 0

  constructor(options: NodeProcessOptions) {
    this.#options = options
    this.#clock = this.#newClock()
    this.start()
  }

  get isUp(): boolean {
    return this.#handler !== undefined
  }

  get isStopped(): boolean {
    return this.#clock.isStopped
  }

  start(): void {
    if (this.isUp) return
    this.startCount += 1
    const { store, timeline, onFailure } = this.#options
    const clock = this.#newClock()
    this.#clock = clock
    const handler = new NodeHandler({
      store,
      version: 'simulated',
      defer: (task) => timeline.after(this.turnMs, () => clock.run(task)),
      onFatal: (error) => {
        if (error instanceof PowerCut) this.crash()
        else onFailure(error)
      },
    })
    this.#handler = handler
    const flush = (): void => {
      handler.flush()
      clock.after(FLUSH_INTERVAL_MS, flush)
    }
    clock.after(FLUSH_INTERVAL_MS, flush)
  }

  crash(): void {
    if (!this.isUp) return
    this.#clock.kill()
    this.#handler = undefined
    this.#options.onCrash()
  }

  stop(): void {
    this.#clock.stop()
  }

  resume(): void {
    this.#clock.resume()
  }

  receive(
    batch: RequestBatch,
    reply: (answers: AnswerBatch) => void,
    isFresh: (nowMs: number) => boolean,
  ): void {
    const handler = this.#handler!
    const clock = this.#clock
    clock.run(() => {
      if (!isFresh(clock.nowMs())) return
      const answer = (answers: AnswerBatch): void => {
        this.#observe(batch, answers)
        reply(answers)
      }
      handler.receive(batch, answer, (reason) => assert.fail(reason))
    })
  }

  digest(request: DigestRequest, reply: (answer: DigestAnswer) => void): void {
    const handler = this.#handler!
    this.#clock.run(() => {
      const answer = handler.digest(request)
      if (answer !== undefined) reply(answer)
    })
  }

  scan(range: ScanRange, limit: number, reply: (slice: ScanSlice) => void): void {
    const handler = this.#handler!
    this.#clock.run(() => {
      const slice = handler.scan(range, limit)
      assert.notEqual(slice, 'not_meant', 'simulated nodes are who they are')
      if (slice !== undefined && slice !== 'not_meant') reply(slice)
    })
  }

  #observe({ requests }: RequestBatch, { answers }: AnswerBatch): void {
    let index = 0
    for (const request of requests) {
      if (request.request.kind === 'mark') continue
      const answer = answers[index]
      index += 1
      if (answer !== undefined) this.#options.onAnswer(request, answer)
    }
  }

  #newClock(): ProcessClock {
    const { timeline, chance, drift } = this.#options
    return new ProcessClock(timeline, chance, drift)
  }
}
