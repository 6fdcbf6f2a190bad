import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import { highestAccepted } from '../../register/known-chosen.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { isClassicQuorum } from '../../register/quorum.ts'
import type { Protocol } from '../protocol.ts'
import type { Epoch } from './epoch.ts'

/** What a transfer needs of the world. Nodes are named by their indexes in the epoch. */
export type TransferHost = Readonly<{
  /** Whether the connector reaches a node, which takes part in the epoch. */
  isReachable: (node: number) => boolean
  /** What a node says that it holds; `undefined`: it does not answer. */
  ask: (node: number) => KeyRecord | undefined
  /** Has the key settled by a round. */
  settle: (onEnd: (isDecided: boolean) => void) => void
  /** Has the next epoch chosen. */
  finish: () => void
}>

type Step =
  | Readonly<{ kind: 'begin' | 'settle' | 'wait' | 'finish' }>
  /** It asks a node what it holds: all that it asks, one after the other. */
  | Readonly<{ kind: 'list'; node: number }>
  /** It asks a joining node whether it has taken what was settled. */
  | Readonly<{ kind: 'check'; node: number }>

/**
 * One connector's transfer of the key in a joint epoch: what `connector/membership/transfer.ts` does with
 * every key, in steps that the schedule takes apart. The rule is the real one.
 */
export class Transfer {
  readonly #epoch: Epoch
  readonly #isSealed: Protocol['membership']['isSealed']
  #step: Step = { kind: 'begin' }
  #asked: readonly number[] = []
  #records: (KeyRecord | undefined)[] = []
  #reference: Ballot | undefined
  #checkedCount = 0

  constructor(epoch: Epoch, { isSealed }: Protocol['membership']) {
    this.#epoch = epoch
    this.#isSealed = isSealed
  }

  /** Does what comes next, if it can. `skipped`: a node that is not asked. */
  advance(host: TransferHost, skipped: number | undefined): void {
    const step = this.#step
    switch (step.kind) {
      case 'begin':
        return this.#begin(host, skipped)
      case 'list':
        return this.#list(step.node, host.ask(step.node))
      case 'settle':
        this.#step = { kind: 'wait' }
        return host.settle((isDecided) => this.#settled(isDecided))
      case 'check':
        return this.#check(host.ask(step.node))
      case 'finish':
        return host.finish()
      case 'wait':
        return
      default:
        step satisfies never
    }
  }

  #begin({ isReachable }: TransferHost, skipped: number | undefined): void {
    const { nodes, quorums, joining } = this.#epoch
    const asked = [...nodes.keys()].filter((node) => node !== skipped && isReachable(node))
    if (!isClassicQuorum(setOf(asked), quorums) || !joining.every((node) => asked.includes(node))) return
    this.#asked = asked
    this.#records = []
    this.#step = { kind: 'list', node: asked[0]! }
  }

  /** A listing that is interrupted begins again. A node that holds nothing does not list the key. */
  #list(node: number, record: KeyRecord | undefined): void {
    if (record === undefined) {
      this.#step = { kind: 'begin' }
      return
    }
    this.#records[node] = record
    const following = this.#asked[this.#asked.indexOf(node) + 1]
    this.#step = following === undefined ? this.#judge() : { kind: 'list', node: following }
  }

  #judge(): Step {
    const { quorums, joining } = this.#epoch
    const isKnown = this.#asked.some((node) => this.#records[node] !== EMPTY_RECORD)
    if (!isKnown || this.#isSealed(this.#records, quorums, setOf(joining))) return { kind: 'finish' }
    this.#reference = highestAccepted(this.#records)
    return { kind: 'settle' }
  }

  #settled(isDecided: boolean): void {
    this.#checkedCount = 0
    this.#step = isDecided ? this.#nextCheck() : { kind: 'settle' }
  }

  #check(record: KeyRecord | undefined): void {
    const accepted = record?.accepted
    const reference = this.#reference
    const isTaken =
      accepted !== undefined && (reference === undefined || compareBallots(accepted, reference) >= 0)
    this.#checkedCount += 1
    this.#step = isTaken ? this.#nextCheck() : { kind: 'settle' }
  }

  #nextCheck(): Step {
    const node = this.#epoch.joining[this.#checkedCount]
    return node === undefined ? { kind: 'finish' } : { kind: 'check', node }
  }
}

function setOf(nodes: readonly number[]): number {
  return nodes.reduce((set, node) => set | (1 << node), 0)
}
