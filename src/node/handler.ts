import { FaultError } from '../process/fault.ts'
import { answer, EMPTY_RECORD } from '../register/acceptor.ts'
import { compareBallots, FIRST_BALLOT } from '../register/ballot.ts'
import { isDamage, onDamaged } from '../register/damage.ts'
import type { Answer, KeyRecord, Reply, Request } from '../register/messages.ts'
import { adoptionOf, isMeantFor } from '../rpc/adoption.ts'
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
} from '../rpc/messages.ts'
import { ANSWER_BYTES_MAX, answerBytes } from './answer-bytes.ts'
import { ChangeLog } from './change-log.ts'
import { NodeCounters } from './counters.ts'
import { Damages } from './damages.ts'
import type { NodeHandlerOptions } from './handler-options.ts'
import { notAMember } from './not-a-member.ts'
import { type HeldSlice, Questions } from './questions.ts'
import { DamagedRecordError } from './store/damaged-record.ts'
import type { RecordStore } from './store/record-store.ts'

/** A node that has saved nothing during this many calls of `reclaim` is idle. */
const QUIET_CALLS = 10

/** A node without a membership votes only on these keys, with which its cluster is formed. */
const BIRTH_NAMESPACE = 'cluster/'

type Arrival = Readonly<{
  batch: RequestBatch
  reply: (answers: AnswerBatch) => void
  refuse: (reason: string) => void
}>

/** The result of a batch: its answers, or the reason why there are none. */
type Handled = Readonly<{ answers: AnswerBatch } | { refusal: string }>

/** Whether the store may have to save something for a batch. It keeps marks in memory. */
function mayChange({ batch }: Arrival): boolean {
  if (batch.membership !== undefined) return true
  return batch.requests.some(({ request: { kind } }) => kind !== 'read' && kind !== 'mark')
}

/**
 * A node: an acceptor for every key, on top of a store. It has no sockets and no timers of its own.
 *
 * All batches that arrived since the last turn are handled in one transaction, which is one sync of the disk
 * if something is saved, and answered after it (protocol.md §3).
 */
export class NodeHandler {
  readonly #store: RecordStore
  readonly #questions: Questions
  readonly #defer: NodeHandlerOptions['defer']
  readonly #clusterId: string | undefined
  readonly #onFatal: NodeHandlerOptions['onFatal']
  #onForeign: (sentence: string) => void
  readonly #counters: NodeCounters
  readonly #damages: Damages
  readonly #changes: ChangeLog
  #arrivals: Arrival[] = []
  /** Changes of the store in this turn. */
  #saves = 0
  /** The size of the answers of this turn. */
  #turnBytes = 0
  /** Calls of `reclaim` since something was last saved. */
  #quietCalls = 0
  #hasFailed = false

  constructor(options: NodeHandlerOptions) {
    const { store, version, clusterId, defer, onFatal, counters = new NodeCounters() } = options
    const { damages = new Damages() } = options
    const { changes = new ChangeLog({ isNew: store.inventory.counts.recordCount === 0 }) } = options
    this.#store = store
    this.#questions = new Questions({ store, damages, changes, version })
    this.#defer = defer
    this.#clusterId = clusterId
    this.#onFatal = onFatal
    this.#onForeign = options.onForeign ?? (() => undefined)
    this.#counters = counters
    this.#damages = damages
    this.#changes = changes
  }

  /**
   * Takes a batch. `reply` is called when everything in the answers is durable. `refuse` is called instead
   * when the answers would be too large for a message; some requests of the batch may then have been acted
   * on. At most one of them is called, at most once. They must not throw.
   */
  receive(batch: RequestBatch, reply: Arrival['reply'], refuse: Arrival['refuse']): void {
    if (this.#hasFailed) return
    this.#arrivals.push({ batch, reply, refuse })
    if (this.#arrivals.length === 1) this.#defer(() => this.#turn())
  }

  /** As `Questions.describe`. `undefined` when the store has failed. */
  describe(): Description | undefined {
    return this.#guard(() => this.#questions.describe())
  }

  /** As `Questions.scan`. `undefined` when the store has failed. */
  scan(range: ScanRange, limit: number): HeldSlice | 'not_meant' | undefined {
    return this.#guard(() => this.#questions.scan(range, limit))
  }

  /** As `Questions.digest`. `undefined` when the store has failed. */
  digest(request: DigestRequest): DigestAnswer | 'counting' | undefined {
    return this.#guard(() => this.#questions.digest(request))
  }

  /** As `Questions.changes`. `undefined` when the store has failed. */
  changes(request: ChangesRequest): ChangesAnswer | undefined {
    return this.#guard(() => this.#questions.changes(request))
  }

  /** As `ChangeLog.onNews`. */
  onNews(fn: () => void): () => void {
    return this.#changes.onNews(fn)
  }

  /**
   * Writes some of what the store has put off; true when there is more. Called again and again, at intervals.
   */
  flush(): boolean {
    if (this.#hasFailed) return false
    return this.#guard(() => this.#store.flush(this.#isIdle)) ?? false
  }

  /** Writes all that the store has put off, for `limitMs` at most. Called before the node ends. */
  settle(limitMs: number, nowMs: () => number): void {
    const untilMs = nowMs() + limitMs
    const step = (): boolean => this.#guard(() => this.#store.flush(true)) ?? false
    while (nowMs() < untilMs && step());
  }

  /**
   * Gives back some of the store's free space; true when there is more to give back. Called again and again,
   * at intervals.
   */
  reclaim(): boolean {
    if (this.#hasFailed) return false
    this.#quietCalls += 1
    return this.#guard(() => this.#store.reclaim(this.#isIdle)) ?? false
  }

  get #isIdle(): boolean {
    return this.#quietCalls > QUIET_CALLS
  }

  #turn(): void {
    const arrivals = this.#arrivals
    const handleAll = () => this.#handleAll(arrivals)
    const handled = this.#guard(() =>
      arrivals.some(mayChange) ? this.#store.transaction(handleAll) : this.#store.view(handleAll),
    )
    if (handled === undefined) return
    this.#countTurn(arrivals, handled.length)
    this.#arrivals = arrivals.slice(handled.length)
    if (this.#arrivals.length > 0) this.#defer(() => this.#turn())
    // After the commit, never before it: an answer is a promise that a crash must not take back.
    handled.forEach((outcome, index) => {
      const { reply, refuse } = arrivals[index]!
      if ('answers' in outcome) reply(outcome.answers)
      else refuse(outcome.refusal)
    })
    if (this.#saves > 0) this.#changes.committed()
  }

  #countTurn(arrivals: readonly Arrival[], count: number): void {
    let requests = 0
    for (const { batch } of arrivals.slice(0, count)) requests += batch.requests.length
    // A turn that has only heartbeats is not counted.
    if (requests === 0) return
    this.#counters.turnBatches.observe(count)
    this.#counters.turnRequests.observe(requests)
  }

  /**
   * Handles the first arrivals, at least one. It stops when their answers have reached the bound of their
   * memory.
   */
  #handleAll(arrivals: readonly Arrival[]): Handled[] {
    this.#saves = 0
    this.#turnBytes = 0
    const handled: Handled[] = []
    for (const { batch } of arrivals) {
      handled.push(this.#handle(batch))
      if (this.#turnBytes >= ANSWER_BYTES_MAX) break
    }
    if (this.#saves > 0) this.#quietCalls = 0
    return handled
  }

  #handle(batch: RequestBatch): Handled {
    const { batchId, requests } = batch
    this.#adopt(batch)
    if (!this.#isMeant(batch)) {
      const { nodeId, membership } = this.#store
      this.#counters.mismatchedBatches += 1
      return { answers: { batchId, answers: [], mismatch: { nodeId, membership } } }
    }
    const answers: Reply[] = []
    let bytes = 0
    for (const keyed of requests) {
      const given = this.#answer(keyed)
      if (given === undefined) continue
      bytes += answerBytes(given, keyed.request)
      if (bytes > ANSWER_BYTES_MAX) {
        this.#turnBytes += bytes
        return {
          refusal: `the answers to a batch of ${requests.length} requests are too large for a message`,
        }
      }
      answers.push(given)
    }
    this.#turnBytes += bytes
    return { answers: { batchId, answers, mismatch: undefined } }
  }

  /**
   * Adopts a chosen membership that names this node and is newer than the node's own (protocol.md §7).
   *
   * @throws {FaultError} `not_a_member` when a newer membership of its own cluster does not name it: the node
   *   must not vote again.
   */
  #adopt({ nodeId, membership }: RequestBatch): void {
    if (membership === undefined || nodeId !== this.#store.nodeId) return
    if (this.#clusterId !== undefined && membership.clusterId !== this.#clusterId)
      return this.#tellForeign(`as a member of the cluster ${membership.clusterId}`)
    const adoption = adoptionOf(this.#store, membership)
    if (adoption === 'leave') throw notAMember(nodeId, this.#store.membership!, membership)
    if (adoption === 'ignore') return
    // A connector of an older version does not pass the secret on.
    const { hashSecret = this.#store.membership?.hashSecret } = membership
    this.#store.saveMembership(hashSecret === undefined ? membership : { ...membership, hashSecret })
    this.#saves++
  }

  /**
   * Whether the batch is for this node in its epoch. A new node acts only on the keys that the formation of
   * its cluster needs.
   */
  #isMeant(batch: RequestBatch): boolean {
    if (!isMeantFor(this.#store, batch)) return false
    if (this.#store.membership !== undefined) return true
    if (this.#clusterId !== undefined && batch.requests.length > 0) {
      this.#tellForeign('for a new cluster, because it is empty')
      return false
    }
    return batch.requests.every(({ key }) => key.startsWith(BIRTH_NAMESPACE))
  }

  /** A connector asks again and again, and the log needs one line. */
  #tellForeign(what: string): void {
    this.#onForeign(
      `a connector wants this node ${what}, but CLUSTER_ID is ${this.#clusterId}: the node does not answer it`,
    )
    this.#onForeign = () => undefined
  }

  #answer(keyed: KeyedRequest): Reply | undefined {
    const counts = this.#counters.messages[keyed.request.kind]
    const given = this.#act(keyed)
    if (given === undefined) counts.ok += 1
    else if (isDamage(given)) counts.damaged += 1
    else if (given.ok) counts.ok += 1
    else counts.refused += 1
    return given
  }

  #act({ key, request }: KeyedRequest): Reply | undefined {
    if (request.kind === 'mark') {
      this.#store.mark(key, request)
      this.#changes.marked(key, request.writeId)
      return undefined
    }
    const first = this.#answerFirst(key, request)
    if (first !== undefined) return first
    const record = this.#load(key)
    if (record instanceof DamagedRecordError) return this.#actOnDamaged(key, request, record)
    this.#damages.readWhole(key)
    const given = answer(record, request)
    if (given.record === record) return given
    this.#store.save(key, record, given.record)
    this.#saved(key, record, given.record)
    return given
  }

  #load(key: string): KeyRecord | DamagedRecordError {
    try {
      return this.#store.load(key)
    } catch (error) {
      if (error instanceof DamagedRecordError) return error
      throw error
    }
  }

  /**
   * The other nodes and the connectors go on as if this node had not answered, until it learns a state that
   * heals the record.
   */
  #actOnDamaged(key: string, request: Request, { message }: DamagedRecordError): Reply {
    const damage = this.#damages.note(key, this.#store.promiseBound, message)
    const given = onDamaged(damage, request)
    if (given === undefined) return damage
    this.#store.heal(key, given.record)
    this.#damages.healed(key)
    this.#saved(key, EMPTY_RECORD, given.record)
    return given
  }

  /** Most accepts at the very first ballot are for new keys, of which there is no record to load. */
  #answerFirst(key: string, request: Request): Answer | undefined {
    if (request.kind !== 'accept' || compareBallots(request.ballot, FIRST_BALLOT) !== 0) return undefined
    const given = answer(EMPTY_RECORD, request)
    if (!this.#store.insert(key, given.record)) return undefined
    this.#saved(key, EMPTY_RECORD, given.record)
    return given
  }

  #saved(key: string, before: KeyRecord, record: KeyRecord): void {
    this.#changes.saved(key, before, record)
    this.#saves++
  }

  /** Runs a step of the store. A failure is final, because the memory may then hold more than the disk. */
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
