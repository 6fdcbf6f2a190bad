/**
 * The proposer of one key in one connector: protocol.md §4 as a state machine.
 *
 * It never sends, waits, reads a clock or draws a random number. Each event (an operation, an answer, a loss,
 * a timer) returns effects, which the driver carries out in order. The simulator and the connector drive the
 * same class. Operations that arrive while a round is under way wait for the next one, and share it
 * (combining, §4.6).
 *
 *            view, and the batch changes it          won
 *   idle ─────────────────────────────────▶ accept ───────▶ idle
 *     │            ▲ (fast or led)            │ lost  ▲
 *     │ else       │ known chosen             ▼       │ base recovered
 *     └────────▶ read ─────────────────────▶ prepare ─┘
 *                        not known
 */
import assert from 'node:assert/strict'
import {
  type Answers,
  highestPromised,
  isAnswer,
  isVoid,
  noAnswers,
  nodesThat,
  recordsOf,
} from './answers.ts'
import {
  type Ballot,
  compareBallots,
  FIRST_BALLOT,
  isFastBallot,
  nextFastBallot,
  ROUND_MAX,
} from './ballot.ts'
import { isDamage } from './damage.ts'
import type { Chosen, Records } from './known-chosen.ts'
import { type Answer, type Damage, READ_REQUEST, type Reply, type Request } from './messages.ts'
import {
  type Decision,
  type KeyFault,
  type Operation,
  type Outcome,
  UnreadableValueError,
} from './operation.ts'
import {
  allowsFastBallots,
  firstNodes,
  isClassicQuorum,
  isQuorum,
  type NodeSet,
  type Quorums,
} from './quorum.ts'
import { newRound, type Round } from './round.ts'
import { RoundNumbers } from './round-numbers.ts'
import type { Rules } from './rules.ts'
import { ABSENT, GENERATION_MAX, type State, sameWriteId, successor, type Value } from './state.ts'

/**
 * A state that is known to be chosen, and the ballot that was prepared with it. At that ballot a successor
 * may be proposed at once.
 */
export type View = Readonly<{ state: State; next: Ballot }>

/**
 * What is kept about a key between operations. The view may be lost, but not `highestRoundNumber`: see
 * `roundNumberFloor`.
 */
export type Memory = Readonly<{
  view: View | undefined
  /** The highest round number seen or used for this key. */
  highestRoundNumber: number
}>

export type Effect<O> =
  /**
   * The driver returns `token` with the answer, or with the report that the request or answer was lost. Marks
   * get no answer. `round` is the round of the request. `undefined` for marks and learns, which spread what a
   * round has chosen.
   */
  | Readonly<{ kind: 'send'; to: number; token: number; request: Request; round: Round | undefined }>
  | Readonly<{ kind: 'finish'; operation: O; outcome: Outcome }>
  /** Call `resume(token)` after a random time that grows with `retries` (1, 2, …). */
  | Readonly<{ kind: 'backoff'; token: number; retries: number }>

export type ProposerOptions = Readonly<{
  /** The id of this connector, which no other process ever uses. */
  proposerId: number
  quorums: Quorums
  rules: Rules
  /** Returns 1, 2, 3, … over all keys of the process. */
  nextSequence: () => number
  /**
   * Which nodes are suspect, so that no round waits for them (§4.6), by their index in the membership. The
   * driver updates it, and calls `reconsider` on every proposer after a node became suspect.
   */
  suspects: readonly boolean[]
  /** Which node reads ask first: any integer from 0. Reads of one turn go to the same nodes. */
  turn: number
  /** `undefined`: this connector has never seen the key, or has forgotten it. */
  memory: Memory | undefined
  /**
   * At least the `highestRoundNumber` of every memory that was forgotten: no classic ballot is ever used
   * twice.
   */
  roundNumberFloor: number
}>

/** An operation of the current round, and its outcome if the accept in flight wins. */
type Entry<O> = { readonly operation: O; outcome: Outcome | undefined }

/** The result of running a batch on a base. If nothing is carried, there is nothing to write. */
type Plan<O> = Readonly<{ base: State; value: Value; carried: { operation: O; result: unknown }[] }>

/** What all phases that have sent requests have in common. */
type Asking = {
  readonly round: Round
  readonly answers: Answers
  /** Whether a backoff has begun. */
  isWaiting: boolean
}

type ReadPhase = Asking & {
  readonly kind: 'read'
  /** To which nodes a read was sent. */
  readonly asked: boolean[]
}

type PreparePhase = Asking & { readonly kind: 'prepare'; readonly ballot: Ballot }

type AcceptPhase = Asking & {
  readonly kind: 'accept'
  readonly ballot: Ballot
  readonly state: State
  readonly next: Ballot
  /** Whether it was sent at the ballot of a view, without a prepare before it. */
  readonly isFromView: boolean
}

type OpenPhase = ReadPhase | PreparePhase | AcceptPhase
type Phase = Readonly<{ kind: 'idle' }> | OpenPhase

/**
 * The view of a key that was never written, as far as this connector knows. If that is wrong, it costs a
 * refusal (§4.3).
 */
const FRESH_VIEW: View = { state: ABSENT, next: FIRST_BALLOT }

const IDLE: Phase = { kind: 'idle' }

export class Proposer<O extends Operation> {
  readonly #options: ProposerOptions
  #phase: Phase = IDLE
  /** Grows with every phase, so that answers of older phases can be recognized. */
  #token = 0
  #view: View | undefined
  readonly #roundNumbers: RoundNumbers
  /** The nodes whose last answer was that their record is damaged, by index. */
  readonly #damages: (Damage | undefined)[] = []
  #retries = 0
  /** The last accept of a new state in this batch. Its answers count also if they come late. */
  #trial: Readonly<{ token: number; phase: AcceptPhase }> | undefined
  #batch: Entry<O>[] = []
  #queue: O[] = []
  #effects: Effect<O>[] = []

  constructor(options: ProposerOptions) {
    this.#options = options
    this.#view = options.memory === undefined ? FRESH_VIEW : options.memory.view
    this.#roundNumbers = new RoundNumbers(
      options.quorums,
      Math.max(options.memory?.highestRoundNumber ?? 0, options.roundNumberFloor),
    )
  }

  /** Whether nothing is under way. Then the proposer may be dropped, if its `memory` is kept. */
  get isIdle(): boolean {
    return this.#phase.kind === 'idle'
  }

  get memory(): Memory {
    return { view: this.#view, highestRoundNumber: this.#roundNumbers.highest }
  }

  submit(operation: O): readonly Effect<O>[] {
    this.#queue.push(operation)
    if (this.isIdle) this.#begin()
    return this.#takeEffects()
  }

  /**
   * An answer has arrived. An answer of an older phase still shows a round number, and whether an attempt can
   * still happen.
   */
  receive(from: number, token: number, reply: Reply): readonly Effect<O>[] {
    this.#damages[from] = isDamage(reply) ? reply : undefined
    // The next round is above all that a damaged record can have promised, so that what it chooses heals it.
    const round = isDamage(reply) ? reply.promiseBound : reply.record.promised.round
    this.#roundNumbers.notePromise(from, round)
    return this.#note(from, token, reply)
  }

  /** A request or its answer was lost with its stream: the node may or may not have acted on it. */
  lose(from: number, token: number): readonly Effect<O>[] {
    return this.#note(from, token, 'lost')
  }

  /** The node could not be reached: the request was not sent, and never will be. */
  withhold(from: number, token: number): readonly Effect<O>[] {
    return this.#note(from, token, 'unsent')
  }

  /** A node became suspect, so there may be nothing left to wait for. */
  reconsider(): readonly Effect<O>[] {
    if (this.#phase.kind !== 'idle') this.#evaluate(this.#phase)
    return this.#takeEffects()
  }

  /** The time of a backoff is over. */
  resume(token: number): readonly Effect<O>[] {
    const phase = this.#phase
    if (token === this.#token && phase.kind !== 'idle') {
      if (phase.kind === 'read') this.#read()
      else this.#prepare()
    }
    return this.#takeEffects()
  }

  /** The time of the operation is over: it ends now, however the round ends. */
  expire(operation: O): readonly Effect<O>[] {
    const isWaiting = this.#queue.includes(operation)
    if (isWaiting) this.#queue = this.#queue.filter((waiting) => waiting !== operation)
    else if (this.#batch.some((entry) => entry.operation === operation)) {
      this.#batch = this.#batch.filter((entry) => entry.operation !== operation)
      if (this.#batch.length === 0) this.#giveUp()
    } else return this.#takeEffects()
    this.#finish(operation, { kind: operation.attempts.length === 0 ? 'not_applied' : 'unknown' })
    return this.#takeEffects()
  }

  #note(from: number, token: number, what: Reply | 'lost' | 'unsent'): readonly Effect<O>[] {
    const current = this.#phase
    const phase = token === this.#token ? current : token === this.#trial?.token ? this.#trial.phase : IDLE
    if (phase.kind !== 'idle' && phase.answers[from] === undefined) {
      phase.answers[from] = what
      if (phase === this.#trial?.phase && isVoid(phase.answers)) this.#forget(phase.state)
      if (phase === current) this.#evaluate(phase)
    }
    return this.#takeEffects()
  }

  /**
   * Ends a round whose operations have all ended. Its ballot is never used again, because the view was
   * dropped when the round began. A view that a read should confirm is dropped too: it would count as fresh
   * as this round (§6).
   */
  #giveUp(): void {
    this.#view = undefined
    this.#end()
  }

  // Phases --------------------------------------------------------------------------------------------------

  /**
   * Takes all waiting operations as the next batch. They are new, except those that began in an older epoch.
   * If such an operation has sent an accept, it must see what a round recovers (§4.5).
   */
  #begin(): void {
    assert.equal(this.#batch.length, 0)
    this.#absorbQueue()
    this.#retries = 0
    if (this.#batch.length === 0) return
    // Without a view (a round was given up), or with nothing to write: read. A refusal or a read needs a
    // state that is confirmed now, not one that was chosen once.
    if (this.#batch.some(needsRound)) this.#prepare()
    else if (this.#view === undefined || this.#batch.every(isRead)) this.#read()
    else {
      const plan = this.#plan(this.#view.state)
      if (plan.carried.length === 0) this.#read()
      else this.#propose(plan, this.#view.next)
    }
  }

  /** §4.3, or a led key: one round trip, without a prepare, if enough nodes are up. */
  #propose(plan: Plan<O>, ballot: Ballot): void {
    const { quorums } = this.#options
    const isAllowed = ballot.round < ROUND_MAX && (!isFastBallot(ballot) || allowsFastBallots(quorums))
    if (isAllowed && isQuorum(this.#nodesUp(), ballot, quorums)) this.#accept(plan, ballot, undefined)
    else this.#prepare()
  }

  /** §4.2. Asks a classic quorum first, and the other nodes if that is not enough. */
  #read(): void {
    const { quorums, suspects, turn } = this.#options
    const { n } = quorums
    const phase: ReadPhase = {
      kind: 'read',
      round: newRound('read'),
      answers: noAnswers(this.#options.quorums.n),
      asked: Array(n).fill(false),
      isWaiting: false,
    }
    this.#enter(phase)
    const isQuorumUp = isClassicQuorum(this.#nodesUp(), quorums)
    let asked = 0
    for (let i = 0; i < n && !(isQuorumUp && isClassicQuorum(asked, quorums)); i += 1) {
      const node = (turn + i) % n
      if (suspects[node] && isQuorumUp) continue
      asked |= 1 << node
      this.#ask(phase, node)
    }
  }

  /**
   * The present view, if it has the state that was read and no promise is above its ballot. So a led key
   * stays led.
   */
  #confirmView({ state }: Chosen, promised: Ballot): View | undefined {
    const view = this.#view
    const isCurrent = view !== undefined && sameWriteId(view.state.writeId, state.writeId)
    return isCurrent && compareBallots(promised, view.next) <= 0 ? view : undefined
  }

  /** §4.4, step 1. */
  #prepare(): void {
    this.#view = undefined
    const roundNumber = this.#roundNumbers.draw()
    if (roundNumber === undefined) return this.#fail('exhausted')
    const ballot = { round: roundNumber, proposerId: this.#options.proposerId }
    const round = newRound('classic')
    this.#enter({
      kind: 'prepare',
      round,
      answers: noAnswers(this.#options.quorums.n),
      ballot,
      isWaiting: false,
    })
    this.#sendAll({ kind: 'prepare', ballot }, round)
  }

  /**
   * §4.3, step 2, and §4.4, step 5: proposes what was planned, or its base unchanged. `prepared`: the round
   * that has prepared the ballot. `undefined`: the ballot is that of a view, and a round begins.
   */
  #accept(plan: Plan<O>, ballot: Ballot, prepared: Round | undefined): void {
    if (plan.carried.length > 0 && plan.base.generation >= GENERATION_MAX) return this.#fail('exhausted')
    const state = this.#stateOf(plan)
    // An accept uses up its ballot, so the view is dropped. If the accept wins, there is a new one.
    this.#view = undefined
    const { quorums } = this.#options
    // If no fast ballot can follow, a key that is being written stays led by its writer.
    const isNextFast = allowsFastBallots(quorums)
      ? this.#nodesUp() === firstNodes(quorums.n)
      : plan.carried.length === 0
    const isLed = !isFastBallot(ballot) && !isNextFast
    const next = isLed
      ? { round: ballot.round + 1, proposerId: this.#options.proposerId }
      : nextFastBallot(ballot)
    this.#roundNumbers.noteOwn(next)
    const round = prepared ?? newRound(isFastBallot(ballot) ? 'fast' : 'led')
    const phase: AcceptPhase = {
      kind: 'accept',
      round,
      answers: noAnswers(quorums.n),
      ballot,
      state,
      next,
      isFromView: prepared === undefined,
      isWaiting: false,
    }
    this.#enter(phase)
    // A base that is proposed again is an older attempt, for which other nodes may have voted.
    if (state !== plan.base) this.#trial = { token: this.#token, phase }
    this.#sendAll({ kind: 'accept', ballot, state, next }, round)
  }

  #evaluate(phase: OpenPhase): void {
    switch (phase.kind) {
      case 'read':
        return this.#evaluateRead(phase)
      case 'prepare':
        return this.#evaluatePrepare(phase)
      case 'accept':
        return this.#evaluateAccept(phase)
      default:
        phase satisfies never
    }
  }

  #evaluateRead(phase: ReadPhase): void {
    const { rules, quorums } = this.#options
    const chosen = rules.knownChosen(recordsOf(phase.answers, true), quorums)
    if (chosen !== undefined) return this.#onRead(phase, chosen)
    if (this.#awaited(phase, phase.asked) !== 0) return
    for (let node = 0; node < quorums.n; node += 1) {
      if (!phase.asked[node]) this.#ask(phase, node)
    }
    if (this.#awaited(phase) !== 0) return
    if (isClassicQuorum(nodesThat(phase.answers, true), quorums)) this.#prepare()
    else this.#backOff(phase)
  }

  /**
   * The newest chosen state is known. Answers from it if there is nothing to write, else proposes a
   * successor.
   */
  #onRead(phase: ReadPhase, chosen: Chosen): void {
    const promised = highestPromised(recordsOf(phase.answers, true))
    const view = this.#confirmView(chosen, promised) ?? viewOf(chosen, promised)
    this.#heal(phase, chosen)
    const plan = this.#plan(chosen.state)
    if (plan.carried.length === 0) {
      this.#view = view
      this.#finishBatch()
      this.#end()
    } else if (view === undefined) this.#prepare()
    else this.#propose(plan, view.next)
  }

  #evaluatePrepare(phase: PreparePhase): void {
    const { rules, quorums } = this.#options
    const promised = nodesThat(phase.answers, true)
    if (isClassicQuorum(promised, quorums)) {
      // Operations that have arrived meanwhile may join, because the following accept orders them.
      this.#absorbQueue()
      const base = rules.recoverBase(recordsOf(phase.answers, true), quorums)
      this.#accept(this.#plan(base), phase.ballot, phase.round)
    } else if (!isClassicQuorum(promised | this.#awaited(phase), quorums)) this.#backOff(phase)
  }

  #evaluateAccept(phase: AcceptPhase): void {
    const { rules, quorums } = this.#options
    const { answers, ballot } = phase
    const accepted = nodesThat(answers, true)
    if (rules.isQuorum(accepted, ballot, quorums)) return this.#onChosen(phase)
    const awaited = this.#awaited(phase)
    const mayWin = isQuorum(accepted | awaited, ballot, quorums)
    if (!phase.isFromView) {
      if (!mayWin) this.#backOff(phase)
      return
    }
    const refused = nodesThat(answers, false)
    const isRefused = isClassicQuorum(refused, quorums)
    if (isRefused && this.#answerFromRefusals(phase, recordsOf(answers, false))) return
    const isOpen = mayWin || (!isRefused && isClassicQuorum(refused | awaited, quorums))
    // If no node has voted for it yet, it is worth waiting for all answers: see `#forget`.
    if (awaited === 0 || (!isOpen && accepted !== 0)) this.#prepare()
  }

  /** The state is chosen: answers the batch, and tells the nodes. */
  #onChosen(phase: AcceptPhase): void {
    const { ballot, state, next } = phase
    this.#view = { state, next }
    phase.answers.forEach((answer, node) => {
      if (answer === 'lost' || answer === 'unsent') return
      const lacksState = this.#isHealedBy(node, ballot) || (isAnswer(answer) && !answer.ok)
      this.#send(
        node,
        lacksState
          ? { kind: 'learn', ballot, state, next }
          : { kind: 'mark', ballot, writeId: state.writeId },
        undefined,
      )
    })
    this.#finishBatch()
    this.#end()
  }

  /**
   * §4.3, step 4. The accept at the ballot of a view cannot be chosen any more, and the refusals show what
   * was chosen instead. An operation that did not happen, and that decides `keep` on this state, is answered
   * at once.
   *
   * @returns whether that ended the whole batch
   */
  #answerFromRefusals(phase: AcceptPhase, refused: Records): boolean {
    const { rules, quorums } = this.#options
    const chosen = rules.knownChosen(refused, quorums)
    if (chosen?.ballot === undefined || compareBallots(chosen.ballot, phase.ballot) < 0) return false
    const { state } = chosen
    const open: Entry<O>[] = []
    for (const entry of this.#batch) {
      const { operation } = entry
      const verdict = rules.judge(operation.attempts, state)
      const decision = verdict.kind === 'not_happened' ? decide(operation, state.value) : undefined
      if (verdict.kind === 'happened') this.#finish(operation, { kind: 'decided', result: verdict.result })
      else if (decision === undefined || decision.kind === 'propose') open.push(entry)
      else this.#finish(operation, outcomeOf(decision))
    }
    this.#batch = open
    if (open.length > 0) return false
    this.#view = viewOf(chosen, highestPromised(refused))
    this.#end()
    return true
  }

  // Batches -------------------------------------------------------------------------------------------------

  #absorbQueue(): void {
    for (const operation of this.#queue) this.#batch.push({ operation, outcome: undefined })
    this.#queue = []
  }

  /**
   * Runs the batch on `base`: each operation on the value that the one before has left (combining, §4.6). It
   * records the outcome of each operation for the case that the state of the plan is chosen.
   */
  #plan(base: State): Plan<O> {
    const carried: Plan<O>['carried'] = []
    let value = base.value
    for (const entry of this.#batch) {
      const { operation } = entry
      const verdict = this.#options.rules.judge(operation.attempts, base)
      if (verdict.kind === 'happened') entry.outcome = { kind: 'decided', result: verdict.result }
      else if (verdict.kind === 'unknown') entry.outcome = { kind: 'unknown' }
      else {
        const decision = decide(operation, value)
        entry.outcome = outcomeOf(decision)
        if (decision.kind !== 'propose') continue
        value = decision.value
        carried.push({ operation, result: decision.result })
      }
    }
    return { base, value, carried }
  }

  /** The state that a plan proposes. From here on the operations it carries may happen. */
  #stateOf({ base, value, carried }: Plan<O>): State {
    const { rules, proposerId, nextSequence } = this.#options
    if (carried.length === 0) return base
    const writeId = { proposerId, sequence: nextSequence() }
    const state = successor(base, writeId, value)
    for (const { operation, result } of carried) {
      const attempt = { writeId, generation: state.generation, result }
      operation.attempts = rules.remember(operation.attempts, attempt)
    }
    return state
  }

  /**
   * No node has voted for `state`, and none will: it did not happen, whatever else was chosen since (§4.5).
   */
  #forget({ writeId }: State): void {
    for (const { operation } of this.#batch) {
      operation.attempts = operation.attempts.filter((attempt) => !sameWriteId(attempt.writeId, writeId))
    }
  }

  #finishBatch(): void {
    for (const { operation, outcome } of this.#batch) {
      assert.ok(outcome !== undefined, 'a batch that ends was planned')
      this.#finish(operation, outcome)
    }
    this.#batch = []
  }

  /**
   * Nothing can be written to the key, so the batch ends early. Reads that were in a batch with changes are
   * tried again alone.
   */
  #fail(fault: KeyFault): void {
    const reads = this.#batch.every(isRead) ? [] : this.#batch.filter(isRead)
    for (const entry of this.#batch) {
      const { operation } = entry
      if (reads.includes(entry)) continue
      this.#finish(operation, { kind: operation.attempts.length === 0 ? 'not_applied' : 'unknown', fault })
    }
    this.#batch = []
    this.#queue = [...reads.map(({ operation }) => operation), ...this.#queue]
    this.#giveUp()
  }

  #finish(operation: O, outcome: Outcome): void {
    this.#effects.push({ kind: 'finish', operation, outcome })
  }

  // Bookkeeping ---------------------------------------------------------------------------------------------

  #enter(phase: OpenPhase): void {
    this.#token += 1
    this.#phase = phase
  }

  #end(): void {
    this.#token += 1
    this.#phase = IDLE
    this.#trial = undefined
    this.#begin()
  }

  /**
   * Waiting for nodes that are up cannot win the round. A late answer of another node may still win it.
   * Otherwise the round starts again after the backoff.
   */
  #backOff(phase: OpenPhase): void {
    if (phase.isWaiting) return
    phase.isWaiting = true
    this.#retries += 1
    this.#effects.push({ kind: 'backoff', token: this.#token, retries: this.#retries })
  }

  #ask(phase: ReadPhase, node: number): void {
    phase.asked[node] = true
    this.#send(node, READ_REQUEST, phase.round)
  }

  /** Gives the chosen state to the nodes whose answers show that they lack it. */
  #heal(phase: ReadPhase, { state, ballot }: Chosen): void {
    if (ballot === undefined) return
    const has = ({ record: { accepted, state: voted } }: Answer): boolean => {
      const order = accepted === undefined ? -1 : compareBallots(accepted, ballot)
      // A vote at the same fast ballot may be for a state that lost.
      return order > 0 || (order === 0 && sameWriteId(voted.writeId, state.writeId))
    }
    phase.answers.forEach((answer, node) => {
      if (!this.#isHealedBy(node, ballot) && (!isAnswer(answer) || has(answer))) return
      this.#send(node, { kind: 'learn', ballot, state, next: nextFastBallot(ballot) }, undefined)
    })
  }

  /** Whether a node is known to have a damaged record, and what is chosen at a ballot heals it (§9). */
  #isHealedBy(node: number, { round }: Ballot): boolean {
    const damage = this.#damages[node]
    return damage !== undefined && round > damage.promiseBound
  }

  #sendAll(request: Request, round: Round): void {
    for (let node = 0; node < this.#options.quorums.n; node += 1) this.#send(node, request, round)
  }

  #send(to: number, request: Request, round: Round | undefined): void {
    this.#effects.push({ kind: 'send', to, token: this.#token, request, round })
  }

  #nodesUp(): NodeSet {
    const { suspects } = this.#options
    let nodes = 0
    for (let node = 0; node < suspects.length; node += 1) if (!suspects[node]) nodes |= 1 << node
    return nodes
  }

  /**
   * The nodes without an answer that are worth waiting for: those that are up, and also suspect ones if there
   * is no classic quorum without them.
   */
  #awaited(phase: OpenPhase, asked?: readonly boolean[]): NodeSet {
    const { quorums } = this.#options
    const up = this.#nodesUp()
    const candidates = isClassicQuorum(up, quorums) ? up : firstNodes(quorums.n)
    let nodes = 0
    for (let node = 0; node < quorums.n; node += 1) {
      const isAsked = asked === undefined || asked[node]
      if (isAsked && phase.answers[node] === undefined) nodes |= 1 << node
    }
    return nodes & candidates
  }

  #takeEffects(): readonly Effect<O>[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}

/**
 * A value that cannot be read is data of a node, and gives a decision of its own. Any other error is a bug.
 */
function decide(operation: Operation, value: Value): Decision {
  try {
    return operation.decide(value)
  } catch (error) {
    if (error instanceof UnreadableValueError) return { kind: 'unreadable' }
    throw error
  }
}

/**
 * The outcome of an operation with this decision, when the state on which it was decided, or its successor,
 * is chosen.
 */
function outcomeOf(decision: Decision): Outcome {
  if (decision.kind === 'unreadable') return { kind: 'not_applied', fault: 'unreadable' }
  return { kind: 'decided', result: decision.result }
}

function needsRound({ operation }: Entry<Operation>): boolean {
  return operation.needsRound === true || operation.attempts.length > 0
}

function isRead({ operation }: Entry<Operation>): boolean {
  return operation.isRead === true
}

/** The view that a read gives. `undefined`: a known promise is above its ballot. */
function viewOf({ state, ballot }: Chosen, promised: Ballot): View | undefined {
  const next = ballot === undefined ? FIRST_BALLOT : nextFastBallot(ballot)
  return compareBallots(promised, next) > 0 ? undefined : { state, next }
}
