import type { Decision, Operation, Outcome } from '../../register/operation.ts'
import { type Effect, type Memory, Proposer } from '../../register/proposer.ts'
import type { Quorums } from '../../register/quorum.ts'
import { nodesOfEpoch } from '../../rpc/membership.ts'
import type { Member, Membership } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'

/** An operation on a key: a client's, or one that the connector needs itself. */
export type LifeOperation = Operation & {
  readonly key: string
  /** For a report. */
  readonly name: string
  /** Of the client's; `undefined` for others. */
  readonly number: number | undefined
  readonly onEnd: (outcome: Outcome) => void
}

/**
 * A connector within one epoch, as `RegisterClient` is: a proposer for each key that is at work, and an id of
 * its own.
 */
export class Life {
  readonly membership: Membership
  readonly nodes: readonly Member[]
  readonly quorums: Quorums
  readonly proposerId: number
  readonly suspects: boolean[]
  readonly pending = new Set<LifeOperation>()
  isOver = false
  readonly #protocol: Protocol
  readonly #proposers = new Map<string, Proposer<LifeOperation>>()
  readonly #memories: Map<string, Memory>
  #sequence = 0

  /** `memories`: what is remembered of keys from the epoch before; nothing, in the real one. */
  constructor(
    membership: Membership,
    proposerId: number,
    protocol: Protocol,
    memories: ReadonlyMap<string, Memory>,
  ) {
    this.membership = membership
    this.nodes = nodesOfEpoch(membership)
    this.quorums = protocol.membership.quorumsOf(membership)
    this.proposerId = proposerId
    this.suspects = Array(this.quorums.n).fill(false)
    this.#protocol = protocol
    this.#memories = new Map(memories)
  }

  get memories(): ReadonlyMap<string, Memory> {
    return this.#memories
  }

  /** The proposer of a key: the one at work, or a new one. */
  proposerOf(key: string): Proposer<LifeOperation> {
    const known = this.#proposers.get(key)
    if (known !== undefined) return known
    const proposer = new Proposer<LifeOperation>({
      proposerId: this.proposerId,
      quorums: this.quorums,
      rules: this.#protocol.rules,
      nextSequence: () => {
        this.#sequence += 1
        return this.#sequence
      },
      suspects: this.suspects,
      turn: this.proposerId,
      memory: this.#memories.get(key),
      roundNumberFloor: 0,
    })
    this.#proposers.set(key, proposer)
    return proposer
  }

  /** Drops the key's proposer when it is idle, and keeps what it knows. */
  closeIdle(key: string): void {
    const proposer = this.#proposers.get(key)
    if (proposer === undefined || !proposer.isIdle) return
    this.#memories.set(key, proposer.memory)
    this.#proposers.delete(key)
  }

  /** All that are at work, by key. */
  get proposers(): readonly (readonly [string, Proposer<LifeOperation>])[] {
    return [...this.#proposers]
  }
}

export type LifeEffect = Effect<LifeOperation>

/** An operation that writes nothing. */
export function keepAll(): Decision {
  return { kind: 'keep', result: undefined }
}
