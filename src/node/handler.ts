import { FaultError } from '../process/fault.ts'
import { answer, EMPTY_RECORD, onMark } from '../register/acceptor.ts'
import { compareBallots, FIRST_BALLOT } from '../register/ballot.ts'
import type { Answer, KeyRecord, Request } from '../register/messages.ts'
import { adoptionOf, isMeantFor } from '../rpc/adoption.ts'
import type {
  AnswerBatch,
  Description,
  DigestAnswer,
  DigestRequest,
  KeyedRequest,
  Membership,
  RequestBatch,
  ScanRange,
} from '../rpc/messages.ts'
import { NodeCounters } from './counters.ts'
import type { RecordStore, ScanSlice } from './store.ts'

/** Chosen marks kept in memory until they are written. The oldest are forgotten: marks are hints. */
const PENDING_MARKS_MAX = 16_384

/** Marks written along with one turn's changes, and in one step of an idle node. */
const MARKS_PER_TURN_MAX = 64
const MARKS_PER_FLUSH_MAX = 512

/** A node is idle when it has saved nothing for so many calls of `reclaim`. */
const QUIET_CALLS = 10

/** The only keys that a node without a membership votes on: those its birth is decided by. */
const BIRTH_NAMESPACE = 'cluster/'

/** What a handler works with. */
export type NodeHandlerOptions = Readonly<{
  store: RecordStore
  /** The version of the program, for `describe`. */
  version: string
  /** Runs a function after everything that has already arrived: `setImmediate`, or the simulator's clock. */
  defer: (fn: () => void) => void
  /**
   * The store has failed, a bug was found, or the node is a member no more (`not_a_member`). Called at most once; the
   * handler answers nothing from then on.
   */
  onFatal: (error: unknown) => void
  /** By default, one that nobody looks at. */
  counters?: NodeCounters
}>

type Mark = Extract<Request, { kind: 'mark' }>
type Arrival = Readonly<{ batch: RequestBatch; reply: (answers: AnswerBatch) => void }>

/**
 * A node: an acceptor for every key, over a store. Knows no sockets and no timers.
 *
 * All batches that arrived since the last turn are handled in one transaction, which is one sync of the disk, and
 * answered after it (protocol.md §3).
 */
export class NodeHandler {
  readonly #store: RecordStore
  readonly #version: string
  readonly #defer: NodeHandlerOptions['defer']
  readonly #onFatal: NodeHandlerOptions['onFatal']
  readonly #counters: NodeCounters
  /** By key, oldest first. Applied whenever the record is loaded, so that a mark counts before it is written. */
  readonly #pendingMarks = new Map<string, Mark>()
  #arrivals: Arrival[] = []
  #saves = 0
  /** This turn changes records, so that marks may be written along with them. */
  #isWriting = false
  /** Calls of `reclaim` since something was last saved. */
  #quietCalls = 0
  #hasFailed = false

  constructor({ store, version, defer, onFatal, counters = new NodeCounters() }: NodeHandlerOptions) {
    this.#store = store
    this.#version = version
    this.#defer = defer
    this.#onFatal = onFatal
    this.#counters = counters
  }

  /** Takes a batch. `reply` is called once, when all that it says is durable, or never. It must not throw. */
  receive(batch: RequestBatch, reply: (answers: AnswerBatch) => void): void {
    if (this.#hasFailed) return
    this.#arrivals.push({ batch, reply })
    if (this.#arrivals.length === 1) this.#defer(() => this.#turn())
  }

  /** `undefined` when the store has failed. */
  describe(): Description | undefined {
    return this.#guard(() => {
      const { nodeId, membership, inventory } = this.#store
      return { nodeId, membership, version: this.#version, ...inventory.counts }
    })
  }

  /**
   * As `RecordStore.scan`, with the marks that are not written yet. `not_meant`: it is for another node, or another epoch.
   * `undefined` when the store has failed.
   */
  scan(range: ScanRange, limit: number): ScanSlice | 'not_meant' | undefined {
    return this.#guard(() => {
      if (range.recipient !== undefined && !isMeantFor(this.#store, range.recipient)) return 'not_meant'
      const { entries, nextStart } = this.#store.scan(range, limit)
      return {
        entries: entries.map(({ key, record }) => ({ key, record: this.#withMark(key, record) })),
        nextStart,
      }
    })
  }

  /** `undefined` when the store has failed. */
  digest(request: DigestRequest): DigestAnswer | undefined {
    return this.#guard(() => {
      const { nodeId, membership, inventory } = this.#store
      if (!isMeantFor(this.#store, request)) return { digests: [], mismatch: { nodeId, membership } }
      const { branches } = request
      const { digests } = inventory
      return {
        digests:
          branches.length === 0 ? digests.branches : branches.flatMap((branch) => digests.leavesOf(branch)),
        mismatch: undefined,
      }
    })
  }

  /** Writes some of the pending marks; true when there are more. For moments when nothing else is to do. */
  flush(): boolean {
    if (this.#hasFailed || this.#pendingMarks.size === 0) return false
    this.#guard(() => this.#store.transaction(() => this.#writeMarks(MARKS_PER_FLUSH_MAX)))
    return this.#pendingMarks.size > 0
  }

  /** Gives back some of the store's free space. Called every so often; true when there is more to give back. */
  reclaim(): boolean {
    if (this.#hasFailed) return false
    this.#quietCalls += 1
    return this.#guard(() => this.#store.reclaim(this.#quietCalls > QUIET_CALLS)) ?? false
  }

  #turn(): void {
    const arrivals = this.#arrivals
    this.#arrivals = []
    this.#countTurn(arrivals)
    const answers = this.#guard(() => this.#store.transaction(() => this.#handleAll(arrivals)))
    // Behind the commit, never before it: an answer is a promise that a crash must not take back.
    answers?.forEach((answer, index) => {
      arrivals[index]?.reply(answer)
    })
  }

  #countTurn(arrivals: readonly Arrival[]): void {
    let requests = 0
    for (const { batch } of arrivals) requests += batch.requests.length
    // Heartbeats alone are no turn worth counting.
    if (requests === 0) return
    this.#counters.turnBatches.observe(arrivals.length)
    this.#counters.turnRequests.observe(requests)
  }

  #handleAll(arrivals: readonly Arrival[]): AnswerBatch[] {
    this.#saves = 0
    this.#isWriting = arrivals.some(({ batch }) => batch.requests.some(isWrite))
    const answers = arrivals.map(({ batch }) => this.#handle(batch))
    // This turn syncs the disk in any case, so marks ride along for little.
    if (this.#saves > 0) {
      this.#quietCalls = 0
      this.#writeMarks(MARKS_PER_TURN_MAX)
    }
    return answers
  }

  #handle(batch: RequestBatch): AnswerBatch {
    const { batchId, requests } = batch
    this.#adopt(batch)
    if (!this.#isMeant(batch)) {
      const { nodeId, membership } = this.#store
      this.#counters.mismatchedBatches += 1
      return { batchId, answers: [], mismatch: { nodeId, membership } }
    }
    const answers: Answer[] = []
    for (const keyed of requests) {
      const given = this.#answer(keyed)
      if (given !== undefined) answers.push(given)
    }
    return { batchId, answers, mismatch: undefined }
  }

  /**
   * Takes over a chosen membership that names this node and is newer than its own (protocol.md §7).
   *
   * @throws {FaultError} `not_a_member` when one of its own cluster does not name it any more: it must not vote again.
   */
  #adopt({ nodeId, membership }: RequestBatch): void {
    if (membership === undefined || nodeId !== this.#store.nodeId) return
    const adoption = adoptionOf(this.#store, membership)
    if (adoption === 'leave') throw notAMember(nodeId, this.#store.membership!, membership)
    if (adoption === 'ignore') return
    this.#store.saveMembership(membership)
    this.#saves++
  }

  /** Whether the batch is for this node in its epoch. A new node acts only on what its birth needs. */
  #isMeant(batch: RequestBatch): boolean {
    if (!isMeantFor(this.#store, batch)) return false
    if (this.#store.membership !== undefined) return true
    return batch.requests.every(({ key }) => key.startsWith(BIRTH_NAMESPACE))
  }

  #answer(keyed: KeyedRequest): Answer | undefined {
    const counts = this.#counters.messages[keyed.request.kind]
    const given = this.#act(keyed)
    if (given === undefined || given.ok) counts.ok += 1
    else counts.refused += 1
    return given
  }

  #act({ key, request }: KeyedRequest): Answer | undefined {
    if (request.kind === 'mark') {
      if (this.#isWriting) this.#writeMark(key, request)
      else this.#keepMark(key, request)
      return undefined
    }
    const first = this.#answerFirst(key, request)
    if (first !== undefined) return first
    const record = this.#withMark(key, this.#store.load(key))
    const given = answer(record, request)
    if (given.record !== record) {
      this.#save(key, record, given.record)
      // It has been applied to what was saved, or was about a state that is there no more.
      if (this.#pendingMarks.size > 0) this.#pendingMarks.delete(key)
    }
    return given
  }

  /** Most accepts at the first ballot of all are for new keys: there is nothing to load. */
  #answerFirst(key: string, request: Request): Answer | undefined {
    if (request.kind !== 'accept' || compareBallots(request.ballot, FIRST_BALLOT) !== 0) return undefined
    const given = answer(EMPTY_RECORD, request)
    if (!this.#store.insert(key, given.record)) return undefined
    this.#saves++
    return given
  }

  #keepMark(key: string, mark: Mark): void {
    this.#pendingMarks.delete(key)
    this.#pendingMarks.set(key, mark)
    if (this.#pendingMarks.size <= PENDING_MARKS_MAX) return
    for (const oldest of this.#pendingMarks.keys()) {
      this.#pendingMarks.delete(oldest)
      break
    }
  }

  #withMark(key: string, record: KeyRecord): KeyRecord {
    // The engine interns every string that it looks up in a Map, which costs more than the rest of a read.
    if (this.#pendingMarks.size === 0) return record
    const mark = this.#pendingMarks.get(key)
    return mark === undefined ? record : onMark(record, mark).record
  }

  #writeMarks(limit: number): void {
    let written = 0
    for (const [key, mark] of this.#pendingMarks) {
      if (written++ === limit) return
      this.#writeMark(key, mark)
      this.#pendingMarks.delete(key)
    }
  }

  #writeMark(key: string, { ballot, writeId }: Mark): void {
    if (this.#store.mark(key, ballot, writeId)) this.#saves++
  }

  #save(key: string, before: KeyRecord, record: KeyRecord): void {
    this.#store.save(key, before, record)
    this.#saves++
  }

  /** Runs a step of the store. A failure is final: what is in memory may be ahead of the disk. */
  #guard<T>(fn: () => T): T | undefined {
    if (this.#hasFailed) return undefined
    try {
      return fn()
    } catch (error) {
      this.#hasFailed = true
      const isStoreError = !(error instanceof FaultError && error.code === 'not_a_member')
      if (isStoreError) this.#counters.storeErrors += 1
      this.#arrivals = []
      this.#onFatal(error)
      return undefined
    }
  }
}

function isWrite({ request }: KeyedRequest): boolean {
  return request.kind !== 'read' && request.kind !== 'mark'
}

function notAMember(nodeId: string, { clusterId, epoch }: Membership, newer: Membership): FaultError {
  return new FaultError(
    'not_a_member',
    `the node ${nodeId} is no longer a member of the cluster ${clusterId}: it was replaced or removed between the epochs ` +
      `${epoch} and ${newer.epoch}. It takes no further part, and its data are kept as they are; to use this machine ` +
      'again, start it with an empty data directory',
    undefined,
  )
}
