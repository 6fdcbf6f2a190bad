import type { KeyTransfer } from '../../membership/key-transfer.ts'
import { isDamage } from '../../register/damage.ts'
import type { Holding, KeyRecord } from '../../register/messages.ts'
import type { Protocol } from '../protocol.ts'
import type { Connector } from './connector.ts'
import { KEYS, type Key } from './key.ts'
import type { Parcel } from './network.ts'

/** What a transfer needs from the world. Nodes are named by their indexes in the epoch. */
export type TransferHost = Readonly<{
  /** Whether the connector reaches a node of the epoch. */
  isReachable: (node: number) => boolean
  /** Asks a node for all that it holds. `token` comes back with its answer. */
  list: (node: number, token: number) => void
  /** Asks a node for the record of a key. */
  ask: (node: number, key: Key) => void
  /** Runs a classic round that changes nothing. */
  settle: (key: Key, onEnd: (isDecided: boolean) => void) => void
  /** Proposes the next epoch; calls `onFailure` if it was not chosen. */
  finish: (onFailure: () => void) => void
}>

/**
 * One connector's transfer of a joint epoch: what `membership/transfer.ts` and its driver do over real links,
 * message by message. The rules that ship say which keys are done and what the others need.
 */
export class Transfer {
  readonly connector: Connector
  /**
   * No grace time kills the scans of a transfer: the removal of tombstones stops in a joint epoch.
   */
  readonly origin = Number.POSITIVE_INFINITY
  readonly #host: TransferHost
  readonly #rules: Protocol['membership']['transfer']
  #phase: 'idle' | 'listing' | 'sealing' | 'finishing' = 'idle'
  /** Increases with every listing, so that an answer to an older listing is recognized. */
  #token = 0
  /** The number of nodes whose listing is still missing. */
  #awaited = 0
  /** By key, and by the index of the node. */
  #holdings: (Holding | undefined)[][] = []
  #transfers: KeyTransfer[] = []
  /** The keys whose round is under way. */
  readonly #settling = new Set<Key>()

  constructor(connector: Connector, { transfer }: Protocol['membership'], host: TransferHost) {
    this.connector = connector
    this.#rules = transfer
    this.#host = host
  }

  /** Begins what is to be done and is not under way. `skipped`: the index of a node that is not reached. */
  advance(skipped: number | undefined): void {
    if (this.#phase === 'idle') this.#begin(skipped)
    else if (this.#phase === 'sealing') for (const key of KEYS) this.#settle(key)
  }

  /** A message of this transfer is answered or lost. */
  take({ kind, key, node, token, answer, listing }: Parcel): void {
    const index = this.connector.epoch.nodes.indexOf(node)
    if (token !== 0) this.#hearListing(index, token, listing)
    else if (kind !== 'timer')
      this.#hear(key, index, answer === undefined || isDamage(answer) ? undefined : answer.record)
  }

  #begin(skipped: number | undefined): void {
    const { nodes, handover } = this.connector.epoch
    let asked = 0
    for (const index of nodes.keys()) {
      if (index !== skipped && this.#host.isReachable(index)) asked |= 1 << index
    }
    if (!this.#rules.mayList(asked, handover)) return
    this.#phase = 'listing'
    this.#token += 1
    this.#awaited = asked
    this.#holdings = KEYS.map(() => [])
    for (const index of nodes.keys()) if (((asked >> index) & 1) === 1) this.#host.list(index, this.#token)
  }

  /** A listing that is interrupted begins again. */
  #hearListing(index: number, token: number, listing: readonly Holding[] | undefined): void {
    if (token !== this.#token || this.#phase !== 'listing') return
    if (listing === undefined) {
      this.#phase = 'idle'
      return
    }
    for (const key of KEYS) this.#holdings[key]![index] = listing[key]
    this.#awaited &= ~(1 << index)
    if (this.#awaited !== 0) return
    this.#phase = 'sealing'
    this.#transfers = this.#holdings.map((holdings) =>
      this.#rules.begin(holdings, this.connector.epoch.handover),
    )
    for (const key of KEYS) this.#settle(key)
    this.#finish()
  }

  #settle(key: Key): void {
    if (this.#transfers[key]!.kind !== 'settle' || this.#settling.has(key)) return
    this.#settling.add(key)
    this.#host.settle(key, (isDecided) => {
      this.#settling.delete(key)
      const { handover, nodes } = this.connector.epoch
      const transfer = this.#rules.afterRound(this.#transfers[key]!, isDecided, handover)
      this.#transfers[key] = transfer
      if (transfer.kind === 'ask') {
        for (const index of nodes.keys())
          if (((transfer.missing >> index) & 1) === 1) this.#host.ask(index, key)
      }
      this.#finish()
    })
  }

  #hear(key: Key, index: number, record: KeyRecord | undefined): void {
    this.#transfers[key] = this.#rules.afterAnswer(this.#transfers[key]!, index, record)
    this.#finish()
  }

  /**
   * Ends the epoch when every key is done. If that fails, the transfer begins again; most keys are sealed by
   * then.
   */
  #finish(): void {
    if (this.#phase !== 'sealing' || this.#transfers.some(({ kind }) => kind !== 'done')) return
    this.#phase = 'finishing'
    this.#host.finish(() => {
      this.#phase = 'idle'
    })
  }
}
