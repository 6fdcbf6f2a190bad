import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import { isMemberOf } from '../../rpc/membership.ts'
import type { Membership } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'

/**
 * What a node says to a message: an answer, or that it is in another epoch; nothing when it is none of it any
 * more.
 */
export type Saying =
  | Readonly<{ kind: 'answer'; answer: Answer }>
  | Readonly<{ kind: 'mismatch'; membership: Membership | undefined }>
  | undefined

/**
 * A node of a cluster that changes: the real acceptor for every key, and the rules by which it belongs to an
 * epoch.
 */
export class ChangingNode {
  readonly index: number
  readonly nodeId: string
  isUp = true
  /** Its disk is lost, or it was told that it is a member no more: nobody hears of it again. */
  isGone = false
  membership: Membership | undefined
  readonly #protocol: Protocol
  readonly #records = new Map<string, KeyRecord>()

  /** `membership`: the epoch it is in; `undefined`: it is empty. */
  constructor(index: number, protocol: Protocol, membership: Membership | undefined) {
    this.index = index
    this.nodeId = `n${index}`
    this.#protocol = protocol
    this.membership = membership
  }

  get answers(): boolean {
    return this.isUp && !this.isGone
  }

  record(key: string): KeyRecord {
    return this.#records.get(key) ?? EMPTY_RECORD
  }

  /**
   * As `NodeHandler` does it; every message shows the membership that it is for, as the first one of a stream
   * does.
   */
  handle(sender: Membership, key: string, request: Request): Saying {
    this.adopt(sender)
    if (this.isGone) return undefined
    const isOlder = this.membership !== undefined && sender.epoch < this.membership.epoch
    const isMeant =
      sender.epoch === this.membership?.epoch || (isOlder && !this.#protocol.membership.refusesOlder)
    if (!isMeant) return { kind: 'mismatch', membership: this.membership }
    const answer = this.#protocol.answer(this.record(key), request)
    this.#records.set(key, answer.record)
    return { kind: 'answer', answer }
  }

  adopt(shown: Membership): void {
    if (this.membership !== undefined && shown.epoch <= this.membership.epoch) return
    if (isMemberOf(shown, this.nodeId)) this.membership = shown
    else if (this.membership !== undefined) this.isGone = true
  }
}
