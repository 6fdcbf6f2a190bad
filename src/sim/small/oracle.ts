import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { decodeMembership } from '../../membership/membership-register.ts'
import type { KeyRecord, Request } from '../../register/messages.ts'
import type { Outcome } from '../../register/operation.ts'
import type { Membership } from '../../rpc/messages.ts'
import { ChangingElectorate } from '../checkers/electorate.ts'
import { ExactlyOnce } from '../checkers/exactly-once.ts'
import { Ledger } from '../checkers/ledger.ts'
import { Promises } from '../checkers/promises.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { Command, Reply } from './command.ts'
import { type Epoch, epochOf, firstMembership, formatEpoch } from './epoch.ts'
import { GROUP, KEYS, type Key, MEMBERSHIP } from './key.ts'
import { MODEL, type NumberedCommand } from './model.ts'
import type { Teller } from './teller.ts'

/**
 * Watches a world: it is told what is sent, what nodes accept and what clients are answered, and throws a
 * `Violation` when a rule is broken. It alone knows which memberships are chosen, and when.
 */
export class Oracle {
  /** The chosen memberships, in their order. */
  readonly epochs: Epoch[]
  readonly #proposed: Epoch[] = []
  readonly #protocol: Protocol
  readonly #teller: Teller | undefined
  readonly #electorate = new ChangingElectorate()
  /**
   * By key. In a world whose membership never changes, nothing uses the register that names the members.
   */
  readonly #ledgers: readonly Ledger[]
  readonly #promises: readonly Promises[]
  readonly #exactlyOnce: ExactlyOnce
  /** By the number of the operation. */
  readonly #calls: (Call<NumberedCommand, Reply> | undefined)[] = []

  constructor(nodeCount: number, canChange: boolean, protocol: Protocol, teller: Teller | undefined) {
    this.#protocol = protocol
    this.#teller = teller
    const first = firstMembership(nodeCount)
    this.#electorate.chose(first)
    this.epochs = [epochOf(first, protocol)]
    const keys = canChange ? KEYS : [GROUP]
    this.#ledgers = keys.map(
      () =>
        new Ledger(
          canChange
            ? (voters, ballot, writer) => this.#electorate.isEnough(voters, ballot, writer)
            : nodeCount,
        ),
    )
    this.#promises = keys.map(() => new Promises())
    this.#exactlyOnce = new ExactlyOnce(this.#ledgers[GROUP]!)
  }

  /** The epoch that was chosen last. */
  get newest(): Epoch {
    return this.epochs[this.epochs.length - 1]!
  }

  /** The epoch of a membership that a connector or a node considers chosen. */
  epochOf(membership: Membership): Epoch {
    const epoch = this.epochs[membership.epoch - 1]
    if (epoch !== undefined && !this.#electorate.chose(membership)) return epoch
    throw new Violation('only chosen memberships are followed', `epoch ${membership.epoch} is not chosen`)
  }

  /** A connector proposes a membership, which may be chosen from now on. */
  proposed(membership: Membership): void {
    this.#proposed.push(epochOf(membership, this.#protocol))
  }

  /** The chosen epochs from this one on, and those that may be chosen next. */
  epochsFrom(number: number): readonly Epoch[] {
    const next = this.#proposed.filter((epoch) => epoch.number > this.newest.number)
    return [...this.epochs.slice(number - 1), ...next]
  }

  /** A proposer works in an epoch, and in no other. */
  began(proposerId: number, epoch: Epoch): void {
    this.#electorate.began(proposerId, epoch.number)
  }

  // What connectors and nodes do ----------------------------------------------------------------------------

  /** A connector sends a request. `deciders`: the operations whose changes it carries. */
  sent(key: Key, request: Request, deciders: readonly number[]): void {
    const ledger = this.#ledgers[key]!
    if (request.kind === 'accept') ledger.proposed(request.ballot, request.state, deciders)
    else if (request.kind === 'learn') ledger.toldChosen(request.ballot, request.state.writeId)
    else if (request.kind === 'mark') ledger.toldChosen(request.ballot, request.writeId)
  }

  /** A node has accepted a state, and would remember it after a crash. */
  voted(node: number, key: Key, { ballot, state }: Extract<Request, { kind: 'accept' }>): void {
    this.#ledgers[key]!.voted(node, ballot, state)
    if (key === MEMBERSHIP) this.#noteChosen()
  }

  /** A node answers with a record. */
  told(node: number, key: Key, record: KeyRecord): void {
    this.#promises[key]!.told(node, record)
  }

  /** A node has turned a tombstone, or an absence, into a stub. */
  removed({ accepted, state }: KeyRecord): void {
    this.#ledgers[GROUP]!.removed(accepted!, state)
  }

  /** A node has dropped a stub. */
  dropped(node: number): void {
    this.#promises[GROUP]!.dropped(node)
  }

  /** Checks whether the register names other members than before. */
  #noteChosen(): void {
    const value = this.#ledgers[MEMBERSHIP]!.value
    const membership = value === undefined ? undefined : decodeMembership(value)
    if (membership === undefined || membership.epoch <= this.newest.number) return
    if (membership.epoch !== this.newest.number + 1)
      throw new Violation(
        'epochs follow one another',
        `epoch ${membership.epoch} follows ${this.newest.number}`,
      )
    this.#electorate.chose(membership)
    this.epochs.push(epochOf(membership, this.#protocol))
    this.#teller?.note(`${formatEpoch(this.newest)} is chosen`)
    for (const ledger of this.#ledgers) ledger.reconsider()
    this.#noteChosen()
  }

  // What clients see ----------------------------------------------------------------------------------------

  /** A client was told, at the time `now`, how its operation ended. */
  answered(number: number, command: Command, calledAt: number, outcome: Outcome, now: number): void {
    const call = { operation: number, command }
    if (outcome.kind === 'decided') {
      const result = outcome.result as Reply
      this.#calls[number] = { call, calledAt, returned: { at: now, result } }
      this.#exactlyOnce.told(number, hasChanged(result) ? 'changed' : 'unchanged')
      return
    }
    if (outcome.kind === 'unknown') this.#calls[number] = { call, calledAt, returned: undefined }
    this.#exactlyOnce.told(number, outcome.kind)
  }

  /** A client was never told how its operation ended. */
  unanswered(number: number, command: Command, calledAt: number): void {
    this.#calls[number] = { call: { operation: number, command }, calledAt, returned: undefined }
  }

  /** Checks what only a whole run can show. */
  finish(operationCount: number): void {
    this.#exactlyOnce.checkAll(operationCount)
    const calls: Call<NumberedCommand, Reply>[] = []
    const indexes: number[] = []
    this.#calls.forEach((call, operation) => {
      if (call !== undefined) indexes[operation] = calls.push(call) - 1
    })
    const witness = this.#ledgers[GROUP]!.order().map((operation) => indexes[operation] ?? -1)
    const explanation = linearize(MODEL, calls, witness)
    if (explanation.kind === 'found') return
    const text =
      explanation.kind === 'none'
        ? 'no order of the operations explains their answers'
        : 'the order in which states were chosen does not explain the answers, and no other was found'
    throw new Violation('the history is linearizable', text)
  }
}

function hasChanged({ kind }: Reply): boolean {
  return kind === 'created' || kind === 'updated' || kind === 'deleted'
}
