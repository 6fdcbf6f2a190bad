/**
 * Drives the proposers of one connector in one epoch: it sends their requests to the nodes, and brings
 * answers, losses and timers back to them. It decides only how long to back off and how much to remember.
 */
import type { Clock } from '../process/clock.ts'
import { isDamage } from '../register/damage.ts'
import { type Chosen, knownNodes, type Records } from '../register/known-chosen.ts'
import type { Answer } from '../register/messages.ts'
import type { Decision, KeyFault, Operation, Outcome } from '../register/operation.ts'
import type { Effect } from '../register/proposer.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'
import type { Round } from '../register/round.ts'
import type { Rules } from '../register/rules.ts'
import type { Value } from '../register/state.ts'
import { Counters } from './counters.ts'
import { Deadlines } from './deadlines.ts'
import type { Replica } from './divergence.ts'
import { DrivenProposer } from './driven-proposer.ts'
import { KeyTable } from './key-table.ts'
import type { NodeLink } from './links/node-link.ts'
import { newOperation, type PendingOperation } from './pending-operation.ts'
import { ViewCache } from './view-cache.ts'

export type RegisterClientOptions = Readonly<{
  /** Draws an id that no proposer has had before, 1 to `PROPOSER_ID_MAX`. */
  drawProposerId: () => number
  quorums: Quorums
  rules: Rules
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /** After this time, an operation ends with `not_applied` or `unknown`. */
  operationTimeoutMs: number
  /** How many bytes to use for remembering keys: see `VIEW_CACHE_BYTES_MAX`. */
  viewCacheBytesMax: number
  /** A view older than this is not used (protocol.md §6). */
  viewAgeMsMax: number
  /** Counts rounds and outcomes. Default: nothing reads the counts. */
  counters?: Counters
  /**
   * Called when an operation ended because of a fault of its key. The fault stays until a person repairs it.
   */
  onKeyFault?: (key: string, fault: KeyFault) => void
  /** Called with a key of which a node has answered that its record is damaged (protocol.md §9). */
  onDamage?: (key: string) => void
  /** Called when two nodes contradict each other in their answers to one read: see divergence.ts. */
  onDivergence?: (key: string, replicas: readonly Replica[]) => void
}>

/** First and longest backoff. The time is drawn from the upper half, so that competing proposers separate. */
const BACKOFF_MS_MIN = 4
const BACKOFF_MS_MAX = 250

/**
 * How long reads go to the same nodes before they go to the next ones. So a classic quorum gets all reads in
 * few large batches. If each read went to other nodes, every node would get many small batches.
 */
const TURN_MS = 50

type Send = Extract<Effect<PendingOperation>, { kind: 'send' }>

export class RegisterClient {
  readonly #options: RegisterClientOptions
  readonly #counters: Counters
  readonly #links: readonly NodeLink[] = []
  /** Whether each node is suspect, by the index of the member. The proposers read it. */
  readonly #suspects: boolean[]
  readonly #proposers = new KeyTable<DrivenProposer>()
  readonly #views: ViewCache
  #proposerId: number
  readonly #deadlines: Deadlines<PendingOperation>
  /** The client of the next epoch, which continues all operations. */
  #successor: RegisterClient | undefined
  #isClosed = false
  readonly #backoffs = new Set<() => void>()
  #sequence = 0
  readonly #nextSequence = () => {
    this.#sequence += 1
    return this.#sequence
  }

  /**
   * `connect` makes the link to the member at an index. The link calls `onChange` when that node becomes
   * suspect, or is not suspect any more.
   */
  constructor(options: RegisterClientOptions, connect: (index: number, onChange: () => void) => NodeLink) {
    this.#options = options
    this.#counters = options.counters ?? new Counters()
    const { clock, quorums, viewCacheBytesMax: bytesMax, viewAgeMsMax: ageMsMax } = options
    this.#suspects = Array(quorums.n).fill(true)
    this.#proposerId = options.drawProposerId()
    this.#views = new ViewCache({
      clock,
      bytesMax,
      ageMsMax,
      onImplausible: () => {
        this.#proposerId = options.drawProposerId()
      },
    })
    this.#deadlines = new Deadlines(clock, (operation) => {
      const { key, proposer } = operation
      if (proposer !== undefined) this.#perform(key, proposer, proposer.expire(operation))
    })
    this.#links = this.#suspects.map((_, index) => connect(index, () => this.#onChange(index)))
  }

  get links(): readonly NodeLink[] {
    return this.#links
  }

  /** How many operations have not ended. */
  get pendingCount(): number {
    return this.#deadlines.count
  }

  /** Whether a classic quorum of nodes acts on what this connector sends. */
  get isQuorumReachable(): boolean {
    return this.isQuorum(
      this.#links.reduce((set, link, index) => (link.isReachable ? set | (1 << index) : set), 0),
    )
  }

  /** Whether these nodes, by the indexes of their links, are a classic quorum. */
  isQuorum(nodes: NodeSet): boolean {
    return isClassicQuorum(nodes, this.#options.quorums)
  }

  /**
   * Runs an operation on a key. `decide` may throw an `UnreadableValueError`. Resolves within the operation
   * timeout; never rejects.
   */
  submit<R>(key: string, decide: (value: Value) => Decision<R>): Promise<Outcome<R>> {
    return this.#enter(key, decide, {})
  }

  /**
   * Reads a key. `resultOf` makes the result from the value. It may run several times. Otherwise like
   * `submit`.
   */
  read<R>(key: string, resultOf: (value: Value) => R): Promise<Outcome<R>> {
    return this.#enter(key, (value) => ({ kind: 'keep', result: resultOf(value) }), { isRead: true })
  }

  /**
   * Runs a classic round that changes nothing. The state is then chosen at a ballot above every promise that
   * the round has met. Otherwise like `submit`.
   */
  settle(key: string): Promise<Outcome<undefined>> {
    return this.#enter(key, () => ({ kind: 'keep', result: undefined }), { needsRound: true })
  }

  /**
   * Finds the chosen state from records, each at the index of its member. `undefined`: they are fewer than a
   * classic quorum.
   */
  judge(records: Records): Readonly<{ chosen: Chosen | undefined }> | undefined {
    const { rules, quorums } = this.#options
    if (!isClassicQuorum(knownNodes(records), quorums)) return undefined
    return { chosen: rules.knownChosen(records, quorums) }
  }

  /**
   * Closes the links. Operations that are under way end at once, and so do those that are submitted later:
   * nothing of this client keeps the process running.
   */
  close(): void {
    this.#isClosed = true
    this.#closeLinks()
    this.#endAll()
  }

  /**
   * Ends the epoch of this client. `successor` continues all operations that are under way or are submitted
   * here later, in the time that each has left. It knows what was sent for them. Answers that arrive later
   * are ignored.
   */
  retire(successor: RegisterClient): void {
    this.#successor = successor
    this.#proposers.clear()
    this.#closeLinks()
    for (const operation of this.#deadlines.stop()) successor.#take(operation)
  }

  // Operations ----------------------------------------------------------------------------------------------

  #enter<R>(
    key: string,
    decide: (value: Value) => Decision<R>,
    kind: Pick<Operation, 'needsRound' | 'isRead'>,
  ): Promise<Outcome<R>> {
    const { clock, operationTimeoutMs } = this.#options
    const endsAtMs = clock.nowMs() + operationTimeoutMs
    return new Promise((resolve) => {
      this.#take(newOperation(key, decide, kind, endsAtMs, resolve))
    })
  }

  /** Begins to work on an operation, which is new or comes from an older epoch. */
  #take(operation: PendingOperation): void {
    if (this.#successor !== undefined) return this.#successor.#take(operation)
    this.#deadlines.endOverdue()
    const { key } = operation
    const proposer = this.#proposerOf(key)
    operation.proposer = proposer
    operation.takeOffDeadlines = this.#deadlines.add(operation, operation.endsAtMs)
    this.#perform(key, proposer, proposer.submit(operation))
    if (this.#isClosed) this.#endAll()
  }

  /** Ends all operations as if their time were over. */
  #endAll(): void {
    for (const operation of this.#deadlines.all()) {
      const { key, proposer } = operation
      if (proposer !== undefined) this.#perform(key, proposer, proposer.expire(operation))
    }
  }

  #finish(operation: PendingOperation, outcome: Outcome): void {
    this.#counters.operations[outcome.kind] += 1
    if (outcome.kind !== 'decided' && outcome.fault !== undefined) {
      this.#counters.keyFaults[outcome.fault] += 1
      this.#options.onKeyFault?.(operation.key, outcome.fault)
    }
    operation.takeOffDeadlines()
    operation.resolve(outcome)
  }

  // Proposers -----------------------------------------------------------------------------------------------

  #proposerOf(key: string): DrivenProposer {
    const known = this.#proposers.get(key)
    if (known !== undefined) return known
    const { quorums, rules, clock } = this.#options
    const proposer = new DrivenProposer({
      proposerId: this.#proposerId,
      quorums,
      rules,
      nextSequence: this.#nextSequence,
      suspects: this.#suspects,
      turn: Math.floor(clock.nowMs() / TURN_MS),
      memory: this.#views.recall(key, this.#lossCount),
      roundNumberFloor: this.#views.roundNumberFloor,
    })
    this.#proposers.set(key, proposer)
    return proposer
  }

  /** Passes an event to a proposer, after operations whose time is over have ended. */
  #react(key: string, proposer: DrivenProposer, event: () => readonly Effect<PendingOperation>[]): void {
    if (this.#successor !== undefined) return
    this.#deadlines.endOverdue()
    this.#perform(key, proposer, event())
  }

  #perform(key: string, proposer: DrivenProposer, effects: readonly Effect<PendingOperation>[]): void {
    const unsent: Send[] = []
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          if (!this.#send(key, proposer, effect)) unsent.push(effect)
          break
        case 'finish':
          this.#finish(effect.operation, effect.outcome)
          break
        case 'backoff':
          this.#counters.backoffs += 1
          this.#backOff(effect.retries, () => {
            this.#react(key, proposer, () => proposer.resume(effect.token))
          })
          break
        default:
          effect satisfies never
      }
    }
    for (const { to, token } of unsent) this.#perform(key, proposer, proposer.withhold(to, token))
    if (proposer.isIdle && this.#proposers.get(key) === proposer) {
      this.#proposers.delete(key)
      this.#views.remember(key, proposer.memory, this.#lossCount)
    }
  }

  #send(key: string, proposer: DrivenProposer, { to, token, request, round }: Send): boolean {
    const link = this.#links[to]!
    if (round !== undefined) this.#counters.countRequest(round)
    // A mark gets no answer.
    if (request.kind === 'mark') return link.send({ key, request, onAnswer: ignore, onLost: ignore })
    return link.send({
      key,
      request,
      onAnswer: (answer) => {
        if (isDamage(answer)) this.#options.onDamage?.(key)
        else {
          if (round !== undefined) this.#counters.countAnswer(round, answer)
          if (request.kind === 'read') this.#compare(key, proposer, to, round!, answer)
        }
        this.#react(key, proposer, () => proposer.receive(to, token, answer))
      },
      onLost: () => this.#react(key, proposer, () => proposer.lose(to, token)),
    })
  }

  #compare(key: string, proposer: DrivenProposer, from: number, round: Round, { record }: Answer): void {
    const replica = { nodeId: this.#links[from]!.nodeId, record }
    const first = proposer.compareRead(round, replica)
    if (first !== undefined) this.#options.onDivergence?.(key, [first, replica])
  }

  #onChange(index: number): void {
    const isSuspect = this.#links[index]?.isSuspect ?? true
    this.#suspects[index] = isSuspect
    if (!isSuspect || this.#successor !== undefined) return
    this.#deadlines.endOverdue()
    for (const [key, proposer] of this.#proposers.entries())
      this.#perform(key, proposer, proposer.reconsider())
  }

  /** How many streams of all links have been lost. */
  get #lossCount(): number {
    let count = 0
    for (const link of this.#links) count += link.lossCount
    return count
  }

  /** Runs `resume` after a while, unless the links are closed before. */
  #backOff(retries: number, resume: () => void): void {
    const cancel = this.#options.clock.after(this.#backoffMs(retries), () => {
      this.#backoffs.delete(cancel)
      resume()
    })
    this.#backoffs.add(cancel)
  }

  #closeLinks(): void {
    for (const link of this.#links) link.close()
    for (const cancel of this.#backoffs) cancel()
    this.#backoffs.clear()
  }

  #backoffMs(retries: number): number {
    const longest = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** retries)
    return longest * (0.5 + this.#options.random() / 2)
  }
}

function ignore(): void {}
