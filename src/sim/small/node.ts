import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import type { Ledger } from '../checkers/ledger.ts'
import type { Protocol } from '../protocol.ts'
import type { Epoch } from './epoch.ts'

/** A node with one key: the real acceptor in front of a disk that forgets, in a crash, what was not saved. */
export class Node {
  isUp = true
  /** Its disk is not there. */
  isLost = false
  /** It has learned that it is a member no more. */
  isExpelled = false
  readonly #index: number
  readonly #protocol: Protocol
  readonly #ledger: Ledger
  #record: KeyRecord = EMPTY_RECORD
  #saved: KeyRecord = EMPTY_RECORD
  /** Votes that a crash would undo. */
  #unsavedVotes: Extract<Request, { kind: 'accept' }>[] = []
  /** The epoch it has adopted; 0: it is new. */
  #epoch: number
  #savedEpoch: number

  constructor(index: number, epoch: number, protocol: Protocol, ledger: Ledger) {
    this.#epoch = epoch
    this.#savedEpoch = epoch
    this.#index = index
    this.#protocol = protocol
    this.#ledger = ledger
  }

  /** What it would report. */
  get record(): KeyRecord {
    return this.#record
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Whether it runs, or would after a restart. */
  get canRun(): boolean {
    return !this.isLost && !this.isExpelled
  }

  /**
   * It is shown a chosen membership: it adopts a newer one that names it, and stops for good if one does not.
   */
  show({ number, nodes }: Epoch): void {
    if (number <= this.#epoch) return
    if (nodes.includes(this.#index)) {
      this.#epoch = number
      if (this.#protocol.membership.isAdoptionSaved) this.#savedEpoch = number
    } else if (this.#epoch > 0) {
      this.isExpelled = true
      this.crash()
    }
  }

  /** Acts on a request of an epoch. `undefined`: it is not meant. */
  handle(request: Request, epoch: number): Answer | undefined {
    const isOlder = epoch < this.#epoch
    const isMeant = epoch === this.#epoch || (isOlder && !this.#protocol.membership.refusesOlder)
    if (!isMeant) return undefined
    const answer = this.#protocol.answer(this.#record, request)
    if (answer.record === this.#record) return answer
    this.#record = answer.record
    if (request.kind === 'accept') this.#unsavedVotes.push(request)
    if (this.#protocol.isSavedAtOnce(request)) this.save()
    return answer
  }

  save(): void {
    this.#saved = this.#record
    this.#savedEpoch = this.#epoch
    for (const { ballot, state } of this.#unsavedVotes) this.#ledger.voted(this.#index, ballot, state)
    this.#unsavedVotes = []
  }

  crash(): void {
    this.isUp = false
    this.#record = this.#saved
    this.#epoch = this.#savedEpoch
    this.#unsavedVotes = []
  }
}
