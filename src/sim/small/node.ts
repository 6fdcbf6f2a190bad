import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Answer, Record, Request } from '../../register/messages.ts'
import type { Ledger } from '../checkers/ledger.ts'
import type { Protocol } from '../protocol.ts'

/** A node with one key: the real acceptor in front of a disk that forgets, in a crash, what was not saved. */
export class Node {
  isUp = true
  readonly #index: number
  readonly #protocol: Protocol
  readonly #ledger: Ledger
  #record: Record = EMPTY_RECORD
  #saved: Record = EMPTY_RECORD
  /** Votes that a crash would undo. */
  #unsavedVotes: Extract<Request, { kind: 'accept' }>[] = []

  constructor(index: number, protocol: Protocol, ledger: Ledger) {
    this.#index = index
    this.#protocol = protocol
    this.#ledger = ledger
  }

  /** What it would report. */
  get record(): Record {
    return this.#record
  }

  handle(request: Request): Answer {
    const answer = this.#protocol.answer(this.#record, request)
    if (answer.record === this.#record) return answer
    this.#record = answer.record
    if (request.kind === 'accept') this.#unsavedVotes.push(request)
    if (this.#protocol.isSavedAtOnce(request)) this.save()
    return answer
  }

  save(): void {
    this.#saved = this.#record
    for (const { ballot, state } of this.#unsavedVotes) this.#ledger.voted(this.#index, ballot, state)
    this.#unsavedVotes = []
  }

  crash(): void {
    this.isUp = false
    this.#record = this.#saved
    this.#unsavedVotes = []
  }
}
