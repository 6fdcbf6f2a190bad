import {
  entryKey,
  memberKey,
  parseEntryKey,
  parseMemberKey,
} from '../../engines/cohort/group-members/member-keys.ts'
import { GROUP_NAMESPACE } from '../../engines/cohort/group-registry.ts'
import { lifeOfStored } from '../../group/group-codec.ts'
import { decodeMembership } from '../../membership/membership-register.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import { MEMBERSHIP_KEY, nodesOfEpoch } from '../../rpc/membership.ts'
import type { Membership } from '../../rpc/messages.ts'
import { ChangingElectorate } from '../checkers/electorate.ts'
import { Violation } from '../checkers/violation.ts'
import type { StoreObserver } from './memory-store.ts'
import { GroupWitness, RegisterWitness } from './witness.ts'

/**
 * Watches a run: it is told what connectors send and what nodes store and answer, and gives this to the
 * checkers of each key. From the register of the membership it knows which memberships were chosen, and when.
 */
export class Observer {
  readonly #electorate: ChangingElectorate
  /** By key. */
  readonly #witnesses = new Map<string, RegisterWitness>()
  readonly #groups = new Map<string, GroupWitness>()
  readonly #onChosen: (membership: Membership) => void
  readonly #memberships: Membership[] = []
  readonly #planned: Membership[] = []

  /** @param birthCount the number of nodes on which the cluster is formed */
  constructor(birthCount: number, groupIds: readonly string[], onChosen: (membership: Membership) => void) {
    this.#electorate = new ChangingElectorate(birthCount)
    this.#onChosen = onChosen
    for (const groupId of groupIds) {
      const witness = new GroupWitness(groupId, this.#isEnough)
      this.#groups.set(groupId, witness)
      this.#witnesses.set(GROUP_NAMESPACE + groupId, witness)
    }
  }

  /** The membership that was chosen last; `undefined`: the cluster is not formed yet. */
  get newest(): Membership | undefined {
    return this.#memberships.at(-1)
  }

  /** All memberships that were chosen, in order. */
  get memberships(): readonly Membership[] {
    return this.#memberships
  }

  /** The memberships that connectors have planned and that may be chosen next. */
  get plans(): readonly Membership[] {
    const chosen = this.#memberships.length
    return this.#planned.filter(({ epoch }) => epoch > chosen)
  }

  /** A connector is going to propose a membership. */
  planned(membership: Membership): void {
    this.#planned.push(membership)
  }

  get groups(): readonly GroupWitness[] {
    return [...this.#groups.values()]
  }

  group(groupId: string): GroupWitness {
    return this.#groups.get(groupId)!
  }

  /** A connector that works in an epoch sends a request. Epoch 0 means that it forms the cluster. */
  sent(epoch: number, key: string, request: Request, turn: number): void {
    if (request.kind === 'accept') {
      const { ballot, state } = request
      this.#electorate.began(ballot.proposerId === 0 ? state.writeId.proposerId : ballot.proposerId, epoch)
    }
    this.#witnessOf(key).sent(request, turn)
  }

  answered(nodeId: string, key: string, answer: Answer): void {
    this.#witnessOf(key).answered(indexOf(nodeId), answer)
  }

  /** The observer of the disk of a node. */
  disk(nodeId: string): StoreObserver {
    const node = indexOf(nodeId)
    return {
      onVote: (key, record) => this.#voted(node, key, record),
      onStub: (key, before) => this.#witnessOf(key).stubbed(before),
      onDrop: (key) => this.#witnessOf(key).dropped(node),
    }
  }

  /** Called when a node has voted for a state of a key, which may now be chosen. */
  onVoted: (key: string) => void = () => {}

  #voted(node: number, key: string, { accepted, state }: KeyRecord): void {
    this.#witnessOf(key).voted(node, accepted!, state)
    this.#checkIndex(key)
    this.onVoted(key)
    if (key === MEMBERSHIP_KEY) this.#noteChosen()
  }

  /** Whatever counts has its entry in the index, at every moment. `key`: of the register that has changed. */
  #checkIndex(key: string): void {
    const at = parseMemberKey(key) ?? parseEntryKey(key)
    if (at === undefined) return
    const group = this.#witnesses.get(GROUP_NAMESPACE + at.groupId)?.value
    if (group === undefined || lifeOfStored(group) !== at.life) return
    if (this.#witnesses.get(memberKey(at))?.value === undefined) return
    if (this.#witnesses.get(entryKey(at))?.value !== undefined) return
    throw new Violation('whatever counts has its entry in the index', key)
  }

  /** Checks whether the register names other members than before. */
  #noteChosen(): void {
    const value = this.#witnessOf(MEMBERSHIP_KEY).value
    if (value === undefined) return
    const membership = decodeMembership(value)
    const epoch = this.#memberships.length
    if (membership.epoch <= epoch) return
    if (membership.epoch !== epoch + 1)
      throw new Violation('epochs follow one another', `epoch ${membership.epoch} follows ${epoch}`)
    this.#memberships.push(membership)
    this.#electorate.chose(membership)
    this.#onChosen(membership)
    for (const witness of this.#witnesses.values()) witness.reconsider()
    this.#noteChosen()
  }

  #witnessOf(key: string): RegisterWitness {
    const known = this.#witnesses.get(key)
    if (known !== undefined) return known
    const witness = new RegisterWitness(this.#isEnough)
    this.#witnesses.set(key, witness)
    return witness
  }

  readonly #isEnough = (voters: number, ballot: Readonly<{ proposerId: number }>, writer: number): boolean =>
    this.#electorate.isEnough(voters, ballot, writer)
}

/** A membership, as text: `n1 n2 n3`, and in a joint epoch `n1 n2 n3 → n1 n2 n4`. */
export function formatMembership({ members, outgoing }: Membership): string {
  const ids = (nodes: typeof members) => nodes.map(({ nodeId }) => nodeId).join(' ')
  return outgoing === undefined ? ids(members) : `${ids(outgoing)} → ${ids(members)}`
}

/** The addresses of the nodes of an epoch. */
export function addressesOf(membership: Membership): string[] {
  return nodesOfEpoch(membership).map(({ address }) => address)
}

/** Nodes are `n1`, `n2` and so on; the checkers use their numbers as the numbers of bits. */
function indexOf(nodeId: string): number {
  return Number(nodeId.slice(1))
}
