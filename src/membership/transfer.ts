/**
 * The work that must be done before a joint epoch can end (protocol.md §7): every key that the old members
 * may have decided about is *sealed* by a classic round of this epoch, which both memberships accept, and all
 * joining nodes have the result.
 *
 * Any connector may do it, also several connectors at once, and again: a key that is sealed needs no round.
 */

import { type Clock, sleep } from '../process/clock.ts'
import { isDamage } from '../register/damage.ts'
import type { KeyRecord } from '../register/messages.ts'
import type { NodeSet } from '../register/quorum.ts'
import { ask } from '../replication/links/ask.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import { successorKey } from '../rpc/key-order.ts'
import type { Membership } from '../rpc/messages.ts'
import { type MergedEntry, mergeScans } from '../scan/merge-scans.ts'
import type { EpochNode } from './epoch-node.ts'
import { type Handover, handoverOf, type KeyTransfer } from './key-transfer.ts'
import type { MembershipRules } from './seams.ts'

export type TransferOptions = Readonly<{
  /** A joint epoch. */
  membership: Membership
  /** The client of that epoch. */
  client: Pick<RegisterClient, 'settle'>
  /** All nodes of that epoch, in the order of `nodesOfEpoch`. */
  nodes: readonly EpochNode[]
  rules: Pick<MembershipRules, 'quorumsOf' | 'transfer'>
  clock: Clock
  /** Aborts when the epoch is over, or when another connector does the transfer. Then nothing more begins. */
  signal: AbortSignal
  /** Called whenever a key is done. */
  onKeyDone: () => void
}>

/**
 * How many keys are worked on at once: enough to fill the batches, and few enough to leave room for clients.
 */
const KEYS_AT_ONCE = 128

/** The pause between two attempts while nodes are missing. */
const PAUSE_MS = 500

/** Seals all keys. Resolves with `true` when all are sealed, and with `false` if it was aborted. */
export async function transfer(options: TransferOptions): Promise<boolean> {
  const { clock, signal } = options
  const work = new Work(options)
  let start: string | undefined = ''
  while (start !== undefined) {
    start = await work.scanFrom(start)
    if (signal.aborted) return false
    if (start !== undefined) await sleep(PAUSE_MS, clock, signal)
  }
  while (work.hasFailures) {
    await sleep(PAUSE_MS, clock, signal)
    if (signal.aborted) return false
    await work.retry()
  }
  return !signal.aborted
}

/** A key that is not done yet. */
type Task = Readonly<{ key: string; transfer: KeyTransfer }>

class Work {
  readonly #options: TransferOptions
  readonly #handover: Handover
  readonly #rules: MembershipRules['transfer']
  #running = 0
  /** Called when a key ends. Only one caller of `#untilBelow` may wait for it. */
  #onKeyEnd: (() => void) | undefined
  #failures: Task[] = []

  constructor(options: TransferOptions) {
    this.#options = options
    const { membership, rules } = options
    this.#handover = handoverOf(membership, rules.quorumsOf(membership))
    this.#rules = rules.transfer
  }

  get hasFailures(): boolean {
    return this.#failures.length > 0
  }

  /**
   * Works on the keys from `start` on. Returns where to continue after a failure. `undefined`: all keys were
   * listed.
   */
  async scanFrom(start: string): Promise<string | undefined> {
    let next = start
    const scans = this.#openScans(start)
    if (scans === undefined) return start
    try {
      for await (const page of mergeScans(scans, this.#handover.quorums.n)) {
        for (const entry of page) {
          if (this.#options.signal.aborted) return next
          await this.#begin(entry)
          next = successorKey(entry.key)
        }
      }
    } catch {
      return next
    } finally {
      await this.#untilBelow(1)
    }
    return undefined
  }

  async retry(): Promise<void> {
    const tasks = this.#failures
    this.#failures = []
    for (const task of tasks) await this.#start(task)
    await this.#untilBelow(1)
  }

  #openScans(start: string) {
    const { nodes, signal } = this.#options
    const reachable = [...nodes.entries()].filter(([, { link }]) => link.isReachable)
    const set = reachable.reduce((all, [index]) => all | (1 << index), 0)
    if (!this.#rules.mayList(set, this.#handover)) return undefined
    return reachable.map(([index, { transport, recipient }]) => {
      // The recipient names the epoch, so a node that has not adopted it lists nothing.
      const range = { start, end: '', omitValues: true, recipient }
      return { node: index, pages: transport.scan(range, signal) }
    })
  }

  #begin({ key, records }: MergedEntry): Promise<void> | undefined {
    const transfer = this.#rules.begin(records, this.#handover)
    if (transfer.kind !== 'done') return this.#start({ key, transfer })
    this.#options.onKeyDone()
    return undefined
  }

  /** Waits until one more key may be worked on, and begins with it. */
  async #start(task: Task): Promise<void> {
    await this.#untilBelow(KEYS_AT_ONCE)
    this.#running += 1
    void this.#carry(task).then(() => {
      this.#running -= 1
      this.#onKeyEnd?.()
    })
  }

  /** Waits until fewer than `count` keys are worked on. Only one caller may wait. */
  async #untilBelow(count: number): Promise<void> {
    while (this.#running >= count) {
      await new Promise<void>((resolve) => {
        this.#onKeyEnd = resolve
      })
    }
  }

  /** Runs one round, and asks every joining node. If that is not enough, the key is tried again later. */
  async #carry({ key, transfer }: Task): Promise<void> {
    const { client, signal, onKeyDone } = this.#options
    const isDecided = !signal.aborted && (await client.settle(key)).kind === 'decided'
    let state = this.#rules.afterRound(transfer, isDecided, this.#handover)
    if (state.kind === 'ask') {
      for (const { node, record } of await Promise.all(this.#ask(key, state.missing)))
        state = this.#rules.afterAnswer(state, node, record)
    }
    if (state.kind === 'done') onKeyDone()
    else this.#failures.push({ key, transfer: state })
  }

  /**
   * Asks nodes what they hold. The request follows the accept of the round on the same stream. `undefined`:
   * no answer came.
   */
  #ask(key: string, nodes: NodeSet): Promise<Readonly<{ node: number; record: KeyRecord | undefined }>>[] {
    return this.#options.nodes.flatMap(({ link }, node) => {
      if (((nodes >> node) & 1) === 0) return []
      return ask(link, key, { kind: 'read' }).then((reply) => ({
        node,
        record: reply === undefined || isDamage(reply) ? undefined : reply.record,
      }))
    })
  }
}
