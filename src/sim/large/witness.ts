import { type Call, linearize } from '../../linearizability/linearizability.ts'
import type { Ballot } from '../../register/ballot.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import type { State } from '../../register/state.ts'
import { ExactlyOnce } from '../checkers/exactly-once.ts'
import { type Electorate, Ledger } from '../checkers/ledger.ts'
import { Promises } from '../checkers/promises.ts'
import { Violation } from '../checkers/violation.ts'
import type { PairCommand, PairSeen } from '../members/pair-model.ts'
import { GROUP_MODEL, type GroupCommand, type Seen } from './group-model.ts'
import { MemberHistory } from './member-history.ts'

/** How an operation ended for its client. `gone`: its connector died. */
export type Ending =
  | Readonly<{ kind: 'done'; seen: Seen; hasChanged: boolean }>
  | Readonly<{ kind: 'not_applied' | 'unknown' | 'gone' }>

type Operation = {
  readonly command: GroupCommand
  readonly calledAt: number
  call: Call<GroupCommand, Seen> | undefined
}

/** Is told all that happens to the register of one key, and checks it. */
export class RegisterWitness {
  protected readonly ledger: Ledger
  readonly #promises = new Promises()

  constructor(electorate: Electorate) {
    this.ledger = new Ledger(electorate)
  }

  /** The value that was chosen last. */
  get value(): Uint8Array | undefined {
    return this.ledger.value
  }

  /** As in `Ledger`. */
  get depth(): number {
    return this.ledger.depth
  }

  /** As in `Ledger`. */
  valuesFrom(depth: number): Iterable<Uint8Array | undefined> {
    return this.ledger.valuesFrom(depth)
  }

  /** A connector sends a request, in a turn of the run. */
  sent(request: Request, turn: number): void {
    if (request.kind === 'accept') {
      this.ledger.proposed(request.ballot, request.state, this.decidersIn(turn))
    } else if (request.kind === 'learn') this.ledger.toldChosen(request.ballot, request.state.writeId)
    else if (request.kind === 'mark') this.ledger.toldChosen(request.ballot, request.writeId)
  }

  voted(node: number, ballot: Ballot, state: State): void {
    this.ledger.voted(node, ballot, state)
  }

  /** A node has turned this record into a stub. */
  stubbed({ accepted, state }: KeyRecord): void {
    this.ledger.removed(accepted!, state)
  }

  dropped(node: number): void {
    this.#promises.dropping(node)
  }

  answered(node: number, { record }: Answer): void {
    this.#promises.told(node, record)
  }

  /** Another membership was chosen, so a state that was accepted before may now be chosen. */
  reconsider(): void {
    this.ledger.reconsider()
  }

  /** The clients' operations that have decided, in this turn, to change the value. */
  protected decidersIn(_turn: number): readonly number[] {
    return []
  }
}

/** The same for a group, and it also checks what clients see of the group. */
export class GroupWitness extends RegisterWitness {
  readonly #groupId: string
  readonly #exactlyOnce: ExactlyOnce
  readonly #operations: Operation[] = []
  readonly #members = new Map<string, MemberHistory>()
  #deciders: number[] = []
  #turn = -1
  #time = 0

  constructor(groupId: string, electorate: Electorate) {
    super(electorate)
    this.#groupId = groupId
    this.#exactlyOnce = new ExactlyOnce(this.ledger)
  }

  /** A client calls. Returns the number of the operation. */
  called(command: GroupCommand): number {
    this.#time += 1
    return this.#operations.push({ command, calledAt: this.#time, call: undefined }) - 1
  }

  /** A proposer has run an operation's command, which changes the group. */
  decided(operation: number, turn: number): void {
    if (turn !== this.#turn) this.#deciders = []
    this.#turn = turn
    if (!this.#deciders.includes(operation)) this.#deciders.push(operation)
  }

  ended(operation: number, ending: Ending): void {
    const entry = this.#operations[operation]!
    const { command, calledAt } = entry
    this.#time += 1
    if (ending.kind === 'done') {
      entry.call = { call: command, calledAt, returned: { at: this.#time, result: ending.seen } }
      this.#exactlyOnce.told(operation, ending.hasChanged ? 'changed' : 'unchanged')
    } else if (ending.kind === 'not_applied') this.#exactlyOnce.told(operation, 'not_applied')
    else {
      if (command.kind !== 'read') entry.call = { call: command, calledAt, returned: undefined }
      this.#exactlyOnce.told(operation, 'unknown')
    }
  }

  /** A client does something to a member of the group. Returns the number of the operation. */
  memberCalled(memberId: string, command: PairCommand): number {
    this.#time += 1
    return this.#historyOf(memberId).called(command, this.#time)
  }

  /** `seen`: `undefined` if the client does not know how its operation has ended. */
  memberEnded(memberId: string, operation: number, seen: PairSeen | undefined): void {
    this.#time += 1
    this.#historyOf(memberId).ended(operation, this.#time, seen)
  }

  /**
   * Checks the histories at the end, when every operation has ended.
   *
   * @returns whether each search has come to an end
   */
  finish(): boolean {
    this.#finishGroup()
    const ofGroup = this.#operations.flatMap(({ call }) =>
      call === undefined ? [] : (asPairCall(call) ?? []),
    )
    return [...this.#members.values()].map((history) => history.finish(ofGroup)).every(Boolean)
  }

  #historyOf(memberId: string): MemberHistory {
    const known = this.#members.get(memberId)
    if (known !== undefined) return known
    const history = new MemberHistory(`${memberId} of ${this.#groupId}`)
    this.#members.set(memberId, history)
    return history
  }

  #finishGroup(): void {
    this.#exactlyOnce.checkAll(this.#operations.length)
    const calls: Call<GroupCommand, Seen>[] = []
    const indexes = this.#operations.map(({ call }) => (call === undefined ? -1 : calls.push(call) - 1))
    const order = this.ledger.order().map((operation) => indexes[operation]!)
    const explanation = linearize(GROUP_MODEL, calls, order)
    if (explanation.kind === 'found') return
    throw new Violation(
      'the history is linearizable',
      `${this.#groupId}: ${explanation.kind} of ${calls.length} calls`,
    )
  }

  protected override decidersIn(turn: number): readonly number[] {
    return turn === this.#turn ? this.#deciders : []
  }
}

/**
 * What an operation on a group is for its members. `undefined`: nothing, because it neither begins nor ends a
 * life of the group.
 */
function asPairCall({
  call,
  calledAt,
  returned,
}: Call<GroupCommand, Seen>): Call<PairCommand, PairSeen> | undefined {
  if (call.kind !== 'create' && call.kind !== 'delete') return undefined
  const command: PairCommand = { kind: call.kind }
  if (returned === undefined) return { call: command, calledAt, returned }
  const { at, result: seen } = returned
  if (seen === 'refused version_mismatch') return undefined
  const result = /^(?:refused )?(\w+)/.exec(seen)![1]!
  return { call: command, calledAt, returned: { at, result } }
}
