import assert from 'node:assert/strict'
import { ChangeLog } from '../../node/change-log.ts'
import { NodeHandler } from '../../node/handler.ts'
import { HeldChanges } from '../../node/held-changes.ts'
import type { HeldSlice } from '../../node/questions.ts'
import { Scrub } from '../../node/scrub.ts'
import { FaultError } from '../../process/fault.ts'
import { isDamage } from '../../register/damage.ts'
import type { Answer } from '../../register/messages.ts'
import type {
  AnswerBatch,
  ChangesAnswer,
  ChangesRequest,
  Description,
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

export type MachineOptions = Readonly<{
  /** The address at which connectors reach its node, as host:port. */
  address: string
  store: MemoryStore
  timeline: Timeline
  chance: Chance
  drift: Drift
  /** Whether the node reads all its records again and again. */
  isScrubbing: boolean
  /** The node has crashed, or has ended: its connections are gone. */
  onCrash: () => void
  /** The node was told that it is no longer a member, and has ended. */
  onRetired: () => void
  onAnswer: (nodeId: string, request: KeyedRequest, answer: Answer) => void
  /** A bug was found. */
  onFailure: (error: unknown) => void
}>

/** The time between two writes of the marks that a node has put off. */
const FLUSH_INTERVAL_MS = 100

/** So few that connectors which were away for long cannot go on. */
const CHANGES_KEPT = 32

/** How long a node takes to read all its records once. */
const SCRUB_PASS_MS = 500

/**
 * A machine with a disk, and the real handler of a node in a process that can be stopped, crash anywhere, and
 * start again from the disk. The disk can be replaced: then another node runs on this machine.
 */
export class Machine implements Listener {
  readonly address: string
  readonly #options: MachineOptions
  #store: MemoryStore
  #clock: ProcessClock
  #handler: NodeHandler | undefined
  #heldChanges: HeldChanges | undefined
  #isRetired = false
  /** The duration of a turn, in milliseconds: longer on a slow node. */
  turnMs = 0
  startCount = 0

  constructor(options: MachineOptions) {
    this.address = options.address
    this.#options = options
    this.#store = options.store
    this.#clock = this.#newClock()
    this.start()
  }

  get store(): MemoryStore {
    return this.#store
  }

  get nodeId(): string {
    return this.#store.nodeId
  }

  get isUp(): boolean {
    return this.#handler !== undefined
  }

  get isStopped(): boolean {
    return this.#clock.isStopped
  }

  /** Whether the node has ended because it is no longer a member. It does not start again. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  start(): void {
    if (this.isUp || this.#isRetired) return
    this.startCount += 1
    const { timeline } = this.#options
    const clock = this.#newClock()
    this.#clock = clock
    const handler = new NodeHandler({
      store: this.#store,
      version: 'simulated',
      defer: (task) => timeline.after(this.turnMs, () => clock.run(task)),
      onFatal: (error) => this.#onFatal(error),
      changes: new ChangeLog({
        life: `${this.address} ${this.startCount}`,
        nowMs: () => clock.nowMs(),
        capacity: CHANGES_KEPT,
        isNew: this.#store.isEmpty,
      }),
    })
    this.#handler = handler
    this.#heldChanges = new HeldChanges(handler, clock)
    const flush = (): void => {
      handler.flush()
      clock.after(FLUSH_INTERVAL_MS, flush)
    }
    clock.after(FLUSH_INTERVAL_MS, flush)
    const store = this.#store
    if (!this.#options.isScrubbing) return
    new Scrub({
      handler,
      recordCount: () => store.keys.length,
      clock,
      passMs: SCRUB_PASS_MS,
      onPass: () => {},
    }).run()
  }

  crash(): void {
    if (!this.isUp) return
    this.#clock.kill()
    this.#options.store.forgetMarks()
    this.#handler = undefined
    this.#store.nextCut = undefined
    this.#options.onCrash()
  }

  /** Replaces the disk, and starts the node to which the new disk belongs. Returns the old disk. */
  exchangeDisk(store: MemoryStore): MemoryStore {
    this.crash()
    const before = this.#store
    this.#store = store
    this.#isRetired = false
    this.start()
    return before
  }

  stop(): void {
    this.#clock.stop()
  }

  resume(): void {
    this.#clock.resume()
  }

  #onFatal(error: unknown): void {
    if (error instanceof PowerCut) this.crash()
    else if (error instanceof FaultError && error.code === 'not_a_member') {
      this.crash()
      this.#isRetired = true
      this.#options.onRetired()
    } else this.#options.onFailure(error)
  }

  receive(
    batch: RequestBatch,
    reply: (answers: AnswerBatch) => void,
    isFresh: (nowMs: number) => boolean,
  ): void {
    const handler = this.#handler!
    const clock = this.#clock
    const { nodeId } = this
    clock.run(() => {
      if (!isFresh(clock.nowMs())) return
      const answer = (answers: AnswerBatch): void => {
        this.#observe(nodeId, batch, answers)
        reply(answers)
      }
      handler.receive(batch, answer, (reason) => assert.fail(reason))
    })
  }

  describe(reply: (description: Description) => void): void {
    const handler = this.#handler!
    this.#clock.run(() => {
      const description = handler.describe()
      if (description !== undefined) reply(description)
    })
  }

  digest(request: DigestRequest, reply: (answer: DigestAnswer) => void): void {
    const handler = this.#handler!
    this.#clock.run(() => {
      const answer = handler.digest(request)
      if (answer !== undefined && answer !== 'counting') reply(answer)
    })
  }

  changes(request: ChangesRequest, reply: (answer: ChangesAnswer) => void): void {
    const held = this.#heldChanges!
    this.#clock.run(() => {
      held.ask(request, (answer) => {
        if (answer !== undefined) reply(answer)
      })
    })
  }

  scan(range: ScanRange, limit: number, reply: (slice: HeldSlice | undefined) => void): void {
    const handler = this.#handler!
    this.#clock.run(() => {
      const slice = handler.scan(range, limit)
      if (slice !== undefined) reply(slice === 'not_meant' ? undefined : slice)
    })
  }

  #observe(nodeId: string, { requests }: RequestBatch, { answers }: AnswerBatch): void {
    let index = 0
    for (const request of requests) {
      if (request.request.kind === 'mark') continue
      const answer = answers[index]
      index += 1
      if (answer !== undefined && !isDamage(answer)) this.#options.onAnswer(nodeId, request, answer)
    }
  }

  #newClock(): ProcessClock {
    const { timeline, chance, drift } = this.#options
    return new ProcessClock(timeline, chance, drift)
  }
}
