/**
 * Drives the proposers of one connector: carries their effects to the nodes, and answers, losses and timers back. All
 * it decides itself is how long to back off and how much to remember.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../process/clock.ts'
import { type Chosen, knownNodes, type Records } from '../register/known-chosen.ts'
import type { KeyRecord } from '../register/messages.ts'
import type { Attempt, Decision, Operation, Outcome } from '../register/operation.ts'
import { type Effect, type Memory, Proposer } from '../register/proposer.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'
import type { Round } from '../register/round.ts'
import type { Rules } from '../register/rules.ts'
import type { Value } from '../register/state.ts'
import { Counters } from './counters.ts'
import { Deadlines } from './deadlines.ts'
import { diverge, type Replica } from './divergence.ts'
import { KeyTable } from './key-table.ts'
import type { NodeLink } from './links/node-link.ts'

export type RegisterClientOptions = Readonly<{
  /** Drawn anew by every process, 1 to `PROPOSER_ID_MAX`. */
  proposerId: number
  quorums: Quorums
  rules: Rules
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /** After it, an operation is answered `not_applied` or `unknown`. */
  operationTimeoutMs: number
  /** How many keys are remembered, each with its last state. */
  memoriesMax: number
  /** A view older than this is not used (protocol.md §6). */
  viewAgeMsMax: number
  /** Where rounds and outcomes are counted; by default, where nobody looks. */
  counters?: Counters
  /** Told of two nodes that contradict each other in their answers to one read: see divergence.ts. */
  onDivergence?: (key: string, replicas: readonly Replica[]) => void
}>

export const MEMORIES_MAX = 65_536

/** First and longest backoff. The time is drawn from the upper half, so that duels end. */
const BACKOFF_MS_MIN = 4
const BACKOFF_MS_MAX = 250

/**
 * How long reads go to the same nodes before the next ones have their turn: a classic quorum then gets all of them, in
 * few large batches, where turns with every read would send small ones to every node.
 */
const TURN_MS = 50

/** A memory, and how many streams had been lost when it was made. */
type Remembered = Memory & Readonly<{ lossCount: number }>

/** What is asked for, and who waits for it. */
type Errand<R = unknown> = Readonly<{
  key: string
  needsRound: boolean
  isRead: boolean
  /** What has been sent for it already, in an older epoch. */
  attempts: readonly Attempt<R>[]
  endsAtMs: number
  decide(value: Value): Decision<R>
  resolve(outcome: Outcome<R>): void
}>

type Pending = Operation & {
  readonly key: string
  readonly needsRound: boolean
  readonly isRead: boolean
  readonly proposer: DrivenProposer
  readonly resolve: (outcome: Outcome) => void
  readonly endsAtMs: number
  /** It is no longer among the deadlines. */
  markEnded: () => void
}

/** A proposer, and what it is doing as it is counted. */
class DrivenProposer extends Proposer<Pending> {
  /** The round that was counted last. */
  countedRound: Round | undefined
  /** The first answer to the reads of one phase: the others are compared with it. */
  firstRead: Readonly<{ token: number; from: number; record: KeyRecord }> | undefined
}

export class RegisterClient {
  readonly #options: RegisterClientOptions
  readonly #counters: Counters
  readonly #links: readonly NodeLink[] = []
  /** By the index of the member; the proposers read it. */
  readonly #suspects: boolean[]
  readonly #proposers = new KeyTable<DrivenProposer>()
  readonly #memories: LRUCache<string, Remembered>
  readonly #deadlines = new Deadlines<Pending>()
  #cancelWatch: (() => void) | undefined
  /** Who goes on with everything since this one was retired. */
  #successor: RegisterClient | undefined
  #sequence = 0
  readonly #nextSequence = () => {
    this.#sequence += 1
    return this.#sequence
  }

  #roundNumberFloor = 0

  /** `connect` makes the link to the member at an index; it calls back when that node becomes, or ceases to be, suspect. */
  constructor(options: RegisterClientOptions, connect: (index: number, onChange: () => void) => NodeLink) {
    this.#options = options
    this.#counters = options.counters ?? new Counters()
    this.#suspects = Array(options.quorums.n).fill(true)
    this.#memories = new LRUCache({
      max: options.memoriesMax,
      ttl: options.viewAgeMsMax,
      perf: { now: () => options.clock.nowMs() },
      // Else the cache would reuse a time for a moment that a timer of its own ends: time comes from the clock alone.
      ttlResolution: 0,
      // A forgotten key may have spent ballots: later ones must be above them.
      dispose: ({ highestRoundNumber }, _key, reason) => {
        if (reason !== 'set') this.#roundNumberFloor = Math.max(this.#roundNumberFloor, highestRoundNumber)
      },
    })
    this.#links = this.#suspects.map((_, index) => connect(index, () => this.#onChange(index)))
  }

  get links(): readonly NodeLink[] {
    return this.#links
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

  /** Runs an operation on a key. Resolves within the operation timeout; never rejects. */
  submit<R>(key: string, decide: (value: Value) => Decision<R>): Promise<Outcome<R>> {
    return this.#enter(key, decide, {})
  }

  /** Reads a key. `resultOf` may run several times, like `decide`; what it makes of the value is the result. As `submit`. */
  read<R>(key: string, resultOf: (value: Value) => R): Promise<Outcome<R>> {
    return this.#enter(key, (value) => ({ kind: 'keep', result: resultOf(value) }), { isRead: true })
  }

  /** Runs a classic round that changes nothing: what it leaves is chosen above every promise it has met. As `submit`. */
  settle(key: string): Promise<Outcome<undefined>> {
    return this.#enter(key, () => ({ kind: 'keep', result: undefined }), { needsRound: true })
  }

  /** What records tell, each at the index of its member, of what is chosen; `undefined` without a quorum of them. */
  judge(records: Records): Readonly<{ chosen: Chosen | undefined }> | undefined {
    const { rules, quorums } = this.#options
    if (!isClassicQuorum(knownNodes(records), quorums)) return undefined
    return { chosen: rules.knownChosen(records, quorums) }
  }

  /** Closes the links: what is under way ends when its time is over. */
  close(): void {
    for (const link of this.#links) link.close()
  }

  /**
   * Ends this client's epoch: `successor` goes on with all that is under way and all that is still submitted here, in the
   * time that each has left, and knows what has been sent for it. Nothing that arrives later counts.
   */
  retire(successor: RegisterClient): void {
    const pending = this.#deadlines.all()
    this.#successor = successor
    this.#cancelWatch?.()
    this.#proposers.clear()
    this.close()
    for (const operation of pending) successor.#take(operation)
  }

  #enter<R>(
    key: string,
    decide: (value: Value) => Decision<R>,
    { needsRound = false, isRead = false }: Pick<Operation, 'needsRound' | 'isRead'>,
  ): Promise<Outcome<R>> {
    return new Promise((resolve) => {
      const { clock, operationTimeoutMs } = this.#options
      const endsAtMs = clock.nowMs() + operationTimeoutMs
      const errand: Errand<R> = { key, decide, needsRound, isRead, attempts: [], endsAtMs, resolve }
      this.#take(errand)
    })
  }

  #take(errand: Errand): void {
    if (this.#successor !== undefined) return this.#successor.#take(errand)
    this.#endOverdue()
    const { key, decide, needsRound, isRead, attempts, endsAtMs, resolve } = errand
    const proposer = this.#proposerOf(key)
    const operation: Pending = {
      decide,
      needsRound,
      isRead,
      attempts,
      key,
      proposer,
      resolve,
      endsAtMs,
      markEnded: () => {},
    }
    operation.markEnded = this.#deadlines.add(operation, endsAtMs)
    this.#watchDeadlines()
    this.#perform(key, proposer, proposer.submit(operation))
  }

  #expire(operation: Pending): void {
    this.#perform(operation.key, operation.proposer, operation.proposer.expire(operation))
  }

  /**
   * Ends all whose time is over by the clock. A process that was stopped finds answers before its timers have run: what
   * they would lead to must not be sent any more (protocol.md §6).
   */
  #endOverdue(): void {
    const nowMs = this.#options.clock.nowMs()
    for (;;) {
      const operation = this.#deadlines.overdue(nowMs)
      if (operation === undefined) return
      this.#expire(operation)
    }
  }

  /** One timer for all operations: each has the same time, so it is set for the oldest. */
  #watchDeadlines(): void {
    if (this.#cancelWatch !== undefined) return
    const { nextMs } = this.#deadlines
    if (nextMs === undefined) return
    const { clock } = this.#options
    this.#cancelWatch = clock.after(Math.max(0, nextMs - clock.nowMs()), () => {
      this.#cancelWatch = undefined
      this.#endOverdue()
      this.#watchDeadlines()
    })
  }

  /** An operation has ended. Where it was the last one, no timer keeps the process. */
  #finish({ markEnded, resolve }: Pending, outcome: Outcome): void {
    markEnded()
    if (this.#deadlines.nextMs === undefined) {
      this.#cancelWatch?.()
      this.#cancelWatch = undefined
    }
    resolve(outcome)
  }

  /** Something has happened to a proposer: it reacts, if its operations are still in time. */
  #react(key: string, proposer: DrivenProposer, event: () => readonly Effect<Pending>[]): void {
    if (this.#successor !== undefined) return
    this.#endOverdue()
    this.#perform(key, proposer, event())
  }

  #proposerOf(key: string): DrivenProposer {
    const known = this.#proposers.get(key)
    if (known !== undefined) return known
    const memory = this.#recall(key)
    const { proposerId, quorums, rules } = this.#options
    const proposer = new DrivenProposer({
      proposerId,
      quorums,
      rules,
      nextSequence: this.#nextSequence,
      suspects: this.#suspects,
      turn: Math.floor(this.#options.clock.nowMs() / TURN_MS),
      memory,
      roundNumberFloor: this.#roundNumberFloor,
    })
    this.#proposers.set(key, proposer)
    return proposer
  }

  /**
   * What is remembered of a key; no view from before a stream was lost. A machine that was suspended does not see it by its
   * clock, so its views may be older than they look. But nodes end the streams of who does not answer them, long before a
   * grace time is over (protocol.md §6).
   */
  #recall(key: string): Memory | undefined {
    const memory = this.#memories.get(key)
    if (memory === undefined || memory.lossCount === this.#lossCount) return memory
    return { view: undefined, highestRoundNumber: memory.highestRoundNumber }
  }

  get #lossCount(): number {
    let count = 0
    for (const link of this.#links) count += link.lossCount
    return count
  }

  #perform(key: string, proposer: DrivenProposer, effects: readonly Effect<Pending>[]): void {
    const unsent: { to: number; token: number }[] = []
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          if (!this.#send(key, proposer, effect)) unsent.push(effect)
          break
        case 'finish':
          this.#counters.operations[effect.outcome.kind] += 1
          this.#finish(effect.operation, effect.outcome)
          break
        case 'backoff':
          this.#counters.backoffs += 1
          this.#options.clock.after(this.#backoffMs(effect.retries), () =>
            this.#react(key, proposer, () => proposer.resume(effect.token)),
          )
          break
        default:
          effect satisfies never
      }
    }
    for (const { to, token } of unsent) this.#perform(key, proposer, proposer.withhold(to, token))
    if (proposer.isIdle && this.#proposers.get(key) === proposer) {
      this.#proposers.delete(key)
      this.#remember(key, proposer.memory)
    }
  }

  /** A memory that says nothing new keeps its age. */
  #remember(key: string, memory: Memory): void {
    const known = this.#memories.peek(key)
    if (known?.view === memory.view && known?.highestRoundNumber === memory.highestRoundNumber) return
    const { view, highestRoundNumber } = memory
    this.#memories.set(key, { view, highestRoundNumber, lossCount: this.#lossCount })
  }

  #send(key: string, proposer: DrivenProposer, effect: Extract<Effect<Pending>, { kind: 'send' }>): boolean {
    const { to, token, request, round } = effect
    if (round !== undefined && round !== proposer.countedRound) {
      proposer.countedRound = round
      this.#counters.rounds[round.kind] += 1
    }
    // Nobody waits for what becomes of a mark.
    if (request.kind === 'mark') {
      return this.#links[to]!.send({ key, request, onAnswer: ignore, onLost: ignore })
    }
    return this.#links[to]!.send({
      key,
      request,
      onAnswer: (answer) => {
        if (!answer.ok && round !== undefined && !round.isRefused) {
          round.isRefused = true
          this.#counters.refusedRounds[round.kind] += 1
        }
        if (request.kind === 'read') this.#compare(key, proposer, { token, from: to, record: answer.record })
        this.#react(key, proposer, () => proposer.receive(to, token, answer))
      },
      onLost: () => this.#react(key, proposer, () => proposer.lose(to, token)),
    })
  }

  #compare(key: string, proposer: DrivenProposer, read: NonNullable<DrivenProposer['firstRead']>): void {
    const first = proposer.firstRead
    if (first?.token !== read.token) proposer.firstRead = read
    else if (diverge(first.record, read.record)) {
      const replicas = [first, read].map(({ from, record }) => ({
        nodeId: this.#links[from]!.nodeId,
        record,
      }))
      this.#options.onDivergence?.(key, replicas)
    }
  }

  #onChange(index: number): void {
    const isSuspect = this.#links[index]?.isSuspect ?? true
    this.#suspects[index] = isSuspect
    if (!isSuspect || this.#successor !== undefined) return
    this.#endOverdue()
    for (const [key, proposer] of this.#proposers.entries())
      this.#perform(key, proposer, proposer.reconsider())
  }

  #backoffMs(retries: number): number {
    const longest = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** retries)
    return longest * (0.5 + this.#options.random() / 2)
  }
}

function ignore(): void {}
