/** Sees all that happens to one key of a large world, and checks it. */

import { type Call, linearize } from '../../linearizability/linearizability.ts'
import type { Ballot } from '../../register/ballot.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import type { State } from '../../register/state.ts'
import { ExactlyOnce } from '../checkers/exactly-once.ts'
import { Ledger } from '../checkers/ledger.ts'
import { Promises } from '../checkers/promises.ts'
import { Violation } from '../checkers/violation.ts'
import { GROUP_MODEL, type GroupCommand, type Seen } from './group-model.ts'

/** How an operation ended for its client. `gone`: its connector died. */
export type Ending =
  | Readonly<{ kind: 'done'; seen: Seen; hasChanged: boolean }>
  | Readonly<{ kind: 'not_applied' | 'unknown' | 'gone' }>

type Operation = {
  readonly command: GroupCommand
  readonly calledAt: number
  call: Call<GroupCommand, Seen> | undefined
}

export class Witness {
  readonly #key: string
  readonly #ledger: Ledger
  readonly #exactlyOnce: ExactlyOnce
  readonly #promises = new Promises()
  readonly #operations: Operation[] = []
  /** The operations that have decided to change the group in the event under way. */
  #deciders: number[] = []
  #event = -1
  #time = 0

  constructor(key: string, nodeCount: number) {
    this.#key = key
    this.#ledger = new Ledger(nodeCount)
    this.#exactlyOnce = new ExactlyOnce(this.#ledger)
  }

  get generation(): number {
    return this.#ledger.generation
  }

  /** A client calls. Returns the number of the operation. */
  called(command: GroupCommand): number {
    this.#time += 1
    return this.#operations.push({ command, calledAt: this.#time, call: undefined }) - 1
  }

  /**
   * A proposer has run an operation's command, which changes the group. `event` counts the events of the run.
   */
  decided(operation: number, event: number): void {
    if (event !== this.#event) this.#deciders = []
    this.#event = event
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

  sent(request: Request, event: number): void {
    if (request.kind === 'accept') {
      this.#ledger.proposed(request.ballot, request.state, event === this.#event ? this.#deciders : [])
    } else if (request.kind === 'learn') this.#ledger.toldChosen(request.ballot, request.state.writeId)
    else if (request.kind === 'mark') this.#ledger.toldChosen(request.ballot, request.writeId)
  }

  voted(node: number, ballot: Ballot, state: State): void {
    this.#ledger.voted(node, ballot, state)
  }

  /** A node has turned this into a stub. */
  stubbed({ accepted, state }: KeyRecord): void {
    this.#ledger.removed(accepted!, state)
  }

  dropped(node: number): void {
    this.#promises.dropping(node)
  }

  answered(node: number, { record }: Answer): void {
    this.#promises.told(node, record)
  }

  /** At the end, when every operation has ended. */
  finish(): void {
    this.#exactlyOnce.checkAll(this.#operations.length)
    const calls: Call<GroupCommand, Seen>[] = []
    const indexes = this.#operations.map(({ call }) => (call === undefined ? -1 : calls.push(call) - 1))
    const order = this.#ledger.order().map((operation) => indexes[operation]!)
    const explanation = linearize(GROUP_MODEL, calls, order)
    if (explanation.kind === 'found') return
    throw new Violation(
      'the history is linearizable',
      `${this.#key}: ${explanation.kind} of ${calls.length} calls`,
    )
  }
}
