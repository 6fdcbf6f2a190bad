import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import type { NodeIdentity } from '../../rpc/adoption.ts'
import type { Membership } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'
import { type Epoch, nodeIdOf } from './epoch.ts'
import { KEYS, type Key } from './key.ts'
import type { Oracle } from './oracle.ts'

type Vote = Readonly<{ key: Key; request: Extract<Request, { kind: 'accept' }> }>

/**
 * A node: the real acceptor and the real rules of adoption, over a disk that forgets in a crash what was not
 * saved.
 */
export class Node implements NodeIdentity {
  readonly number: number
  readonly nodeId: string
  readonly address: string
  isUp = true
  /** Its disk is not there. */
  isLost = false
  readonly #protocol: Protocol
  readonly #oracle: Oracle
  /** By key. */
  readonly #records: KeyRecord[] = [EMPTY_RECORD, EMPTY_RECORD]
  readonly #saved: KeyRecord[] = [EMPTY_RECORD, EMPTY_RECORD]
  /** Votes that a crash would undo. */
  #unsavedVotes: Vote[] = []
  /** The epoch that it has adopted; `undefined`: it is new. */
  #epoch: Epoch | undefined
  #savedEpoch: Epoch | undefined

  constructor(
    number: number,
    address: string,
    epoch: Epoch | undefined,
    { protocol, oracle }: Readonly<{ protocol: Protocol; oracle: Oracle }>,
  ) {
    this.number = number
    this.nodeId = nodeIdOf(number)
    this.address = address
    this.#epoch = epoch
    this.#savedEpoch = epoch
    this.#protocol = protocol
    this.#oracle = oracle
  }

  get membership(): Membership | undefined {
    return this.#epoch?.membership
  }

  get epoch(): Epoch | undefined {
    return this.#epoch
  }

  /** What it would report of a key. */
  record(key: Key): KeyRecord {
    return this.#records[key]!
  }

  /**
   * It is shown a chosen membership. Returns what it does. Its process ends when it is a member no more;
   * whoever starts it again has a node that is still in its old epoch.
   */
  show(epoch: Epoch): 'adopt' | 'ignore' | 'leave' {
    const { adoptionOf, adoptionIsSaved } = this.#protocol.membership
    const adoption = adoptionOf(this, epoch.membership)
    if (adoption === 'adopt') {
      this.#epoch = epoch
      if (adoptionIsSaved === 'at once') this.#savedEpoch = epoch
    } else if (adoption === 'leave') this.crash()
    return adoption
  }

  /** Acts on a request of an epoch. `undefined`: it is not meant. */
  handle(key: Key, request: Request, epoch: Epoch): Answer | undefined {
    if (!this.#protocol.membership.isMeantFor(this, epoch.recipients[this.number]!)) return undefined
    const before = this.#records[key]!
    const answer = this.#protocol.answer(before, request)
    if (answer.record === before) return answer
    this.#records[key] = answer.record
    if (request.kind === 'accept') this.#unsavedVotes.push({ key, request })
    if (this.#protocol.isSavedAtOnce(request)) this.save()
    return answer
  }

  /** Lists what it holds, for the transfer of an epoch. `undefined`: it is not meant. */
  list(epoch: Epoch): readonly KeyRecord[] | undefined {
    const isMeant = this.#protocol.membership.mayBeListed(this, epoch.recipients[this.number]!)
    return isMeant ? [...this.#records] : undefined
  }

  save(): void {
    for (const key of KEYS) this.#saved[key] = this.#records[key]!
    if (this.#protocol.membership.adoptionIsSaved !== 'never') this.#savedEpoch = this.#epoch
    if (this.#unsavedVotes.length === 0) return
    const votes = this.#unsavedVotes
    this.#unsavedVotes = []
    for (const { key, request } of votes) this.#oracle.voted(this.number, key, request)
  }

  crash(): void {
    this.isUp = false
    for (const key of KEYS) this.#records[key] = this.#saved[key]!
    this.#epoch = this.#savedEpoch
    this.#unsavedVotes = []
  }
}
