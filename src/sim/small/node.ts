import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { isDamage } from '../../register/damage.ts'
import type { Damage, Holding, Reply, Request } from '../../register/messages.ts'
import type { NodeIdentity } from '../../rpc/adoption.ts'
import type { Membership } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'
import { type Epoch, nodeIdOf } from './epoch.ts'
import { KEYS, type Key } from './key.ts'
import type { Oracle } from './oracle.ts'

type Vote = Readonly<{ key: Key; request: Extract<Request, { kind: 'accept' }> }>

/**
 * A node: the real acceptor and the real rules of adoption, and a disk that loses in a crash what was not
 * saved.
 */
export class Node implements NodeIdentity {
  readonly number: number
  readonly nodeId: string
  readonly address: string
  isUp = true
  /** Whether its disk is missing. */
  isLost = false
  readonly #protocol: Protocol
  readonly #oracle: Oracle
  /** By key. */
  readonly #holdings: Holding[] = [EMPTY_RECORD, EMPTY_RECORD]
  readonly #saved: Holding[] = [EMPTY_RECORD, EMPTY_RECORD]
  /** The highest round number that the node may have promised for any key. */
  #promiseBound = 0
  #savedBound = 0
  /** By key: what the node has reported about the last damage. */
  readonly #damages: (Damage | undefined)[] = []
  /** The votes that a crash would undo. */
  #unsavedVotes: Vote[] = []
  /** The epoch that the node has adopted; `undefined`: the node is new. */
  #epoch: Epoch | undefined
  #savedEpoch: Epoch | undefined
  /** A membership that nobody has proposed, and in which the node takes part. */
  #invented: Membership | undefined

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
    return this.#invented ?? this.#epoch?.membership
  }

  /** Whether it takes part in a membership that nobody has proposed. */
  get isWrong(): boolean {
    return this.#invented !== undefined
  }

  invent(membership: Membership): void {
    this.#invented = membership
  }

  /** It gets back the membership that it had before. */
  correct(): void {
    this.#invented = undefined
  }

  get epoch(): Epoch | undefined {
    return this.#epoch
  }

  /** What the node would report about a key. */
  holding(key: Key): Holding {
    return this.#holdings[key]!
  }

  /** Whether its record of some key is damaged. */
  get isDamaged(): boolean {
    return this.#holdings.some(isDamage)
  }

  /**
   * Its disk damages what the node holds for a key. Only a record can be damaged. Returns whether there was
   * one.
   */
  damage(key: Key): boolean {
    const holding = this.#saved[key]!
    if (holding === EMPTY_RECORD || isDamage(holding)) return false
    const damage = this.#protocol.damage.tell(this.#promiseBound, this.#damages[key])
    this.#damages[key] = damage
    this.#holdings[key] = damage
    this.#saved[key] = damage
    return true
  }

  /**
   * The node is shown a chosen membership. Returns what the node does. Its process ends when it is no longer
   * a member; if it is started again, it is still in its old epoch.
   */
  show(epoch: Epoch): 'adopt' | 'ignore' | 'leave' {
    const { adoptionOf, adoptionIsSaved } = this.#protocol.membership
    const adoption = adoptionOf(this, epoch.membership)
    if (adoption === 'adopt') {
      this.#invented = undefined
      this.#epoch = epoch
      if (adoptionIsSaved === 'at once') this.#savedEpoch = epoch
    } else if (adoption === 'leave') this.crash()
    return adoption
  }

  /** Acts on a request of an epoch. `undefined`: the request is for another node or another epoch. */
  handle(key: Key, request: Request, epoch: Epoch): Reply | undefined {
    if (!this.#protocol.membership.isMeantFor(this, epoch.recipients[this.number]!)) return undefined
    const before = this.#holdings[key]!
    const reply = this.#replyTo(before, request)
    if (isDamage(reply) || reply.record === before) return reply
    this.#holdings[key] = reply.record
    this.#promiseBound = this.#protocol.damage.boundFor(this.#promiseBound, reply.record)
    if (request.kind === 'accept') this.#unsavedVotes.push({ key, request })
    if (this.#protocol.isSavedAtOnce(request)) this.save()
    return reply
  }

  #replyTo(holding: Holding, request: Request): Reply {
    const { answer, damage } = this.#protocol
    return isDamage(holding) ? (damage.answer(holding, request) ?? holding) : answer(holding, request)
  }

  /**
   * Lists what the node holds, for the transfer of an epoch. `undefined`: the request is for another node or
   * another epoch.
   */
  list(epoch: Epoch): readonly Holding[] | undefined {
    const isMeant = this.#protocol.membership.mayBeListed(this, epoch.recipients[this.number]!)
    return isMeant ? [...this.#holdings] : undefined
  }

  save(): void {
    for (const key of KEYS) this.#saved[key] = this.#holdings[key]!
    if (this.#protocol.damage.isBoundSaved) this.#savedBound = this.#promiseBound
    if (this.#protocol.membership.adoptionIsSaved !== 'never') this.#savedEpoch = this.#epoch
    if (this.#unsavedVotes.length === 0) return
    const votes = this.#unsavedVotes
    this.#unsavedVotes = []
    for (const { key, request } of votes) this.#oracle.voted(this.number, key, request)
  }

  crash(): void {
    this.isUp = false
    for (const key of KEYS) this.#holdings[key] = this.#saved[key]!
    this.#promiseBound = this.#savedBound
    this.#epoch = this.#savedEpoch
    this.#unsavedVotes = []
  }
}
