import type { Answer } from '../../register/messages.ts'
import type { KeyedRequest, Membership } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'
import { formatAnswer } from '../small/teller.ts'
import { Machine } from './machine.ts'
import { MemoryStore } from './memory-store.ts'
import { addressesOf, type Observer } from './observer.ts'
import type { Stage } from './stage.ts'
import type { Drift } from './timeline.ts'

/**
 * The largest number of nodes that a run may ever have. `NODES_MENDING_MAX` allows more nodes, to mend the
 * cluster at the end of the run.
 */
const NODES_MAX = 24
/** The checkers count nodes in the bits of a number. */
const NODES_MENDING_MAX = 30

export type MachinesOptions = Readonly<{
  stage: Stage
  protocol: Protocol
  observer: Observer
  isScrubbing: boolean
  drawDrift: () => Drift
  /** The node on a machine is gone: its connections end. */
  onCrash: (machine: Machine) => void
}>

/** The machines of a run, and the nodes on them. */
export class Machines {
  readonly #options: MachinesOptions
  readonly #all: Machine[] = []
  #nodeCount = 0

  constructor(options: MachinesOptions) {
    this.#options = options
  }

  get all(): readonly Machine[] {
    return this.#all
  }

  /** Whether the run may have one more node. `isMending`: the node is needed to mend the cluster. */
  hasRoom(isMending = false): boolean {
    return this.#nodeCount < (isMending ? NODES_MENDING_MAX : NODES_MAX)
  }

  at(address: string): Machine {
    return this.#all.find((machine) => machine.address === address)!
  }

  /** The machine on which a node runs; `undefined`: its disk is in no machine. */
  of(nodeId: string): Machine | undefined {
    return this.#all.find((machine) => machine.nodeId === nodeId)
  }

  /** One more machine, with an empty node. */
  add(): Machine {
    const { stage, isScrubbing, drawDrift, onCrash } = this.#options
    const address = `m${this.#all.length + 1}:1`
    const machine: Machine = new Machine({
      address,
      store: this.newDisk(),
      timeline: stage.timeline,
      chance: stage.chance,
      drift: drawDrift(),
      isScrubbing,
      onCrash: () => onCrash(machine),
      onRetired: () => stage.tell(`${machine.nodeId}  is no longer a member, and ends`),
      onAnswer: (nodeId, keyed, answer) => this.#onAnswer(nodeId, keyed, answer),
      onFailure: (error) => stage.fail(error),
    })
    this.#all.push(machine)
    return machine
  }

  newDisk(): MemoryStore {
    const { observer, protocol } = this.#options
    this.#nodeCount += 1
    const nodeId = `n${this.#nodeCount}`
    return new MemoryStore(nodeId, observer.disk(nodeId), protocol.digestOf)
  }

  /**
   * A machine with an empty node that may become a member: an existing one; else a new one; else the machine
   * of a node that is no longer a member, with an empty disk. `undefined`: the run may have no more nodes.
   */
  spare(isMending = false): Machine | undefined {
    const { observer, stage } = this.#options
    const used = observer.newest === undefined ? [] : addressesOf(observer.newest)
    const idle = this.#all.filter(({ address }) => !used.includes(address))
    const spare = idle.find(({ store, isRetired }) => store.isEmpty && !isRetired)
    if (spare !== undefined || !this.hasRoom(isMending)) return spare
    const retired = idle.find(({ isRetired }) => isRetired)
    if (retired === undefined || stage.chance.happens(0.5)) return this.add()
    retired.exchangeDisk(this.newDisk())
    return retired
  }

  /** The machines of these members. A member whose disk is in no machine is left out. */
  ofMembership({ members }: Membership): readonly Machine[] {
    return members.flatMap(({ nodeId }) => this.of(nodeId) ?? [])
  }

  #onAnswer(nodeId: string, { key, request }: KeyedRequest, answer: Answer): void {
    const { stage, observer } = this.#options
    stage.messageCount += 1
    if (stage.lines !== undefined) stage.tell(`${nodeId}  ${key} ${formatAnswer(request, answer)}`)
    observer.answered(nodeId, key, answer)
  }
}
