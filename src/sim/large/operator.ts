import { decodeMembership } from '../../membership/membership-register.ts'
import { classicQuorum } from '../../register/quorum.ts'
import { isJoint, isMemberOf, joiningOf, MEMBERSHIP_KEY, nodesOfEpoch } from '../../rpc/membership.ts'
import type { Member, Membership } from '../../rpc/messages.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { Machine } from './machine.ts'
import type { Machines } from './machines.ts'
import type { MemoryStore } from './memory-store.ts'
import type { Observer } from './observer.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

export type OperatorOptions = Readonly<{
  stage: Stage
  scenario: Scenario
  observer: Observer
  machines: Machines
  /** The connectors that run now. */
  connectors: () => readonly ConnectorProcess[]
}>

const ACTS = ['add', 'remove', 'replace', 'replace', 'lose a disk', 'return a disk'] as const

/** The number of nodes that must know an epoch, so that connectors that start follow it. */
const KNOWING_MIN = 2

/** A disk that was taken out of a machine. */
type LostDisk = Readonly<{ machine: Machine; disk: MemoryStore }>

/**
 * Plays the person who runs the cluster: asks connectors to change the members, takes disks out of machines,
 * and puts them back. It never takes out so many disks that the cluster cannot work.
 */
export class Operator {
  readonly #options: OperatorOptions
  #lostDisks: LostDisk[] = []
  #actCount = 0
  #lostCount = 0
  #returnedCount = 0
  #isOver = false

  constructor(options: OperatorOptions) {
    this.#options = options
  }

  get lostDiskCount(): number {
    return this.#lostCount
  }

  get returnedDiskCount(): number {
    return this.#returnedCount
  }

  start(): void {
    const { stage, scenario } = this.#options
    const { changePauseMs, changesMax } = scenario
    if (changePauseMs === undefined) return
    stage.timeline.after(2 * changePauseMs * stage.chance.uniform(), () => {
      if (this.#isOver || this.#actCount >= changesMax) return
      this.#actCount += 1
      this.#act(stage.chance.of(ACTS))
      this.start()
    })
  }

  /** From now on the operator only mends what is broken. */
  stop(): void {
    this.#isOver = true
  }

  /**
   * Asks for the replacement of members whose disks are gone for good and at whose addresses no empty node
   * runs: no connector does that by itself. A node that is joining is removed again.
   */
  mend(): void {
    const { observer, machines, connectors } = this.#options
    const { newest } = observer
    const connector = connectors().find(({ isReady }) => isReady)
    if (newest === undefined || connector === undefined) return
    const joining = joiningOf(newest)
    for (const { nodeId, address } of nodesOfEpoch(newest)) {
      if (machines.of(nodeId) !== undefined || machines.at(address).store.isEmpty) continue
      if (joining.some((member) => member.nodeId === nodeId)) this.#remove(connector, nodeId)
      else if (!isJoint(newest)) this.#replace(connector, nodeId, true)
    }
  }

  #act(kind: (typeof ACTS)[number]): void {
    const { stage, connectors } = this.#options
    const { chance } = stage
    const connector = chance.of(connectors())
    const { membership } = connector.cluster
    if (membership === undefined) return
    // While a change is under way, only a node that is joining can be removed or replaced.
    const candidates = isJoint(membership) ? joiningOf(membership) : membership.members
    const nodeId = candidates.length === 0 ? undefined : chance.of(candidates).nodeId
    switch (kind) {
      case 'add':
        return this.#add(connector)
      case 'remove':
        return nodeId === undefined ? undefined : this.#remove(connector, nodeId)
      case 'replace':
        return nodeId === undefined ? undefined : this.#replace(connector, nodeId)
      case 'lose a disk':
        return this.#loseDisk()
      case 'return a disk':
        return this.#returnDisk()
      default:
        return kind satisfies never
    }
  }

  // Changes ------------------------------------------------------------------------------------------------

  #add(connector: ConnectorProcess): void {
    const address = this.#options.machines.spare()?.address
    if (address === undefined) return
    this.#ask(connector, `add ${address}`, () => connector.cluster.changes.add(address))
  }

  #remove(connector: ConnectorProcess, nodeId: string): void {
    this.#ask(connector, `remove ${nodeId}`, () => connector.cluster.changes.remove(nodeId))
  }

  #replace(connector: ConnectorProcess, nodeId: string, isMending = false): void {
    const address = this.#options.machines.spare(isMending)?.address
    if (address === undefined) return
    const what = `replace ${nodeId} by the node at ${address}`
    this.#ask(connector, what, () => connector.cluster.changes.replace(nodeId, address))
  }

  #ask(
    connector: ConnectorProcess,
    what: string,
    ask: () => ReturnType<ConnectorProcess['cluster']['changes']['remove']>,
  ): void {
    const { stage } = this.#options
    stage.tell(`${connector.name}  is asked to ${what}`)
    connector.clock.run(() => {
      ask()
        .then((result) => {
          const text = result.kind === 'refused' ? `refused, ${result.code}` : result.kind
          stage.tell(`${connector.name}  was asked to ${what}: ${text}`)
        })
        .catch((error: unknown) => stage.fail(error))
    })
  }

  // Disks --------------------------------------------------------------------------------------------------

  #loseDisk(): void {
    const { stage, machines } = this.#options
    const machine = stage.chance.of(machines.all)
    if (machine.isRetired || machine.store.isEmpty || !machines.hasRoom() || !this.#canLose(machine.nodeId))
      return
    stage.tell(`${machine.nodeId}  loses its disk`)
    this.#lostCount += 1
    this.#exchange(machine, machines.newDisk())
  }

  /** Puts a lost disk back, even if its node is no longer a member. */
  #returnDisk(): void {
    const { stage } = this.#options
    if (this.#lostDisks.length === 0) return
    const { machine, disk } = stage.chance.of(this.#lostDisks)
    if (!this.#canLose(machine.nodeId)) return
    this.#lostDisks = this.#lostDisks.filter((lost) => lost.disk !== disk)
    stage.tell(`${disk.nodeId}  has its disk again`)
    this.#returnedCount += 1
    this.#exchange(machine, disk)
  }

  #exchange(machine: Machine, disk: MemoryStore): void {
    const before = machine.exchangeDisk(disk)
    if (!before.isEmpty) this.#lostDisks.push({ machine, disk: before })
  }

  /** Whether the cluster goes on while the disk of a node has spoiled some records. */
  maySpoil(nodeId: string): boolean {
    return this.#canLose(nodeId)
  }

  /**
   * Whether the cluster can work without the disk of a node. This must hold for the membership that was
   * chosen last, and for those that may be chosen next. It must also hold for each earlier membership that
   * connectors may still start from, because no other node has adopted a later one.
   */
  #canLose(nodeId: string): boolean {
    const { newest, memberships, plans } = this.#options.observer
    if (newest === undefined) return false
    const left = nodesOfEpoch(newest).filter((node) => node.nodeId !== nodeId)
    const adopted = left.map((node) => this.#storeOf(node)?.membership?.epoch ?? 0)
    const oldest = Math.max(...adopted)
    // The cluster is not formed yet: a node that was asked to agree to its first membership cannot replace
    // another one.
    if (newest.epoch === 1 && adopted.includes(0)) return false
    // A single node is not believed (protocol.md §7, "the price of that").
    const knowing = left.filter((node, index) => adopted[index] === oldest || this.#voteOf(node) >= oldest)
    if (knowing.length < KNOWING_MIN) return false
    return [...memberships.filter(({ epoch }) => epoch >= oldest), ...plans].every(
      (membership) => !isMemberOf(membership, nodeId) || this.#survives(membership, nodeId),
    )
  }

  #storeOf({ nodeId }: Pick<Member, 'nodeId'>): MemoryStore | undefined {
    return this.#options.machines.of(nodeId)?.store
  }

  /** The epoch that a node has voted for last; 0: none. */
  #voteOf(node: Member): number {
    const value = this.#storeOf(node)?.held(MEMBERSHIP_KEY)?.state.value
    return value === undefined ? 0 : decodeMembership(value).epoch
  }

  /** Whether each set of members that needs a quorum still has one, and lacks at most one whole disk. */
  #survives({ members, outgoing = members }: Membership, nodeId: string): boolean {
    const hasDisk = (id: string) => id !== nodeId && this.#options.machines.of(id)?.store.isSpoiled === false
    return [members, outgoing].every((deciding) => {
      const left = deciding.filter((member) => hasDisk(member.nodeId)).length
      return left >= classicQuorum(deciding.length) && left + 1 >= deciding.length
    })
  }
}
