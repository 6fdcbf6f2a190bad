/**
 * What must be done in a joint epoch before it can end (protocol.md §7): every key that the old members may have decided
 * on is *sealed* by a classic round of this epoch, which both memberships accept, and which the joining nodes have taken.
 *
 * It may be begun anywhere, by anybody, any number of times at once: what is sealed already costs a look.
 */

import type { Clock } from '../process/clock.ts'
import { type Ballot, compareBallots } from '../register/ballot.ts'
import { highestAccepted } from '../register/known-chosen.ts'
import { isClassicQuorum, type NodeSet } from '../register/quorum.ts'
import type { NodeLink } from '../replication/links/node-link.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import { joiningOf, nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { successorKey } from '../scan/key-scan.ts'
import { type MergedEntry, mergeScans } from '../scan/merge-scans.ts'
import { isSealed } from './is-sealed.ts'

export type TransferOptions = Readonly<{
  /** A joint epoch. */
  membership: Membership
  /** Of that epoch. */
  client: Pick<RegisterClient, 'settle'>
  /** The ways to its nodes, in the order of `nodesOfEpoch`. */
  nodes: readonly Readonly<{ transport: NodeTransport; link: Pick<NodeLink, 'isReachable' | 'send'> }>[]
  clock: Clock
  /** The epoch is over, or somebody else does it: nothing more is begun. */
  signal: AbortSignal
  /** Called for every key that is done; may be often. */
  onKeyDone: () => void
}>

/** Keys that are worked on at once: enough to fill the batches, few enough to leave clients their share. */
const KEYS_AT_ONCE = 128

/** Between one try and the next, when nodes are missing. */
const PAUSE_MS = 500

/** Seals everything. Resolves with whether it is all done; `false` only when it was aborted. */
export async function transfer(options: TransferOptions): Promise<boolean> {
  const { signal } = options
  const work = new Work(options)
  let start: string | undefined = ''
  while (start !== undefined) {
    start = await work.scanFrom(start)
    if (signal.aborted) return false
    if (start !== undefined) await pause(options)
  }
  while (work.hasFailures) {
    await pause(options)
    if (signal.aborted) return false
    await work.retry()
  }
  return !signal.aborted
}

function pause({ clock, signal }: TransferOptions): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    clock.after(PAUSE_MS, resolve)
  })
}

type Task = Readonly<{ key: string; reference: Ballot | undefined }>

class Work {
  readonly #options: TransferOptions
  readonly #quorums: ReturnType<typeof quorumsOfMembership>
  readonly #joining: NodeSet
  #running = 0
  /** The one that waits for a key to end. */
  #onKeyEnd: (() => void) | undefined
  #failures: Task[] = []

  constructor(options: TransferOptions) {
    this.#options = options
    this.#quorums = quorumsOfMembership(options.membership)
    const joining = joiningOf(options.membership)
    this.#joining = nodesOfEpoch(options.membership).reduce(
      (set, node, index) => (joining.some(({ nodeId }) => nodeId === node.nodeId) ? set | (1 << index) : set),
      0,
    )
  }

  get hasFailures(): boolean {
    return this.#failures.length > 0
  }

  /**
   * Goes through the keys from `start` on. Returns where to go on after something failed; `undefined`: that was all.
   *
   * The old members that list their keys are a classic quorum in this epoch: a key that none of them knows has no state
   * that was chosen before, nor will it get one without the joining nodes.
   */
  async scanFrom(start: string): Promise<string | undefined> {
    let next = start
    const scans = this.#openScans(start)
    if (scans === undefined) return start
    try {
      for await (const page of mergeScans(scans, this.#quorums.n)) {
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
    const { membership, nodes } = this.#options
    const ids = nodesOfEpoch(membership)
    const reachable = nodes.flatMap(({ link }, node) => (link.isReachable ? [node] : []))
    const set = reachable.reduce((all, node) => all | (1 << node), 0)
    if (!isClassicQuorum(set, this.#quorums) || (set & this.#joining) !== this.#joining) return undefined
    const { clusterId, epoch } = membership
    return reachable.map((node) => {
      const recipient = { clusterId, epoch, nodeId: ids[node]!.nodeId }
      const range = { start, end: '', omitValues: true, recipient }
      return { node, pages: nodes[node]!.transport.scan(range, this.#options.signal) }
    })
  }

  #begin({ key, records }: MergedEntry): Promise<void> | undefined {
    if (!isSealed(records, this.#quorums, this.#joining)) {
      return this.#start({ key, reference: highestAccepted(records) })
    }
    this.#options.onKeyDone()
    return undefined
  }

  /** Waits until there is room for one more, and begins it. */
  async #start(task: Task): Promise<void> {
    await this.#untilBelow(KEYS_AT_ONCE)
    this.#running += 1
    void this.#carry(task).then(() => {
      this.#running -= 1
      this.#onKeyEnd?.()
    })
  }

  /** Waits until fewer than `count` keys are worked on. One at a time waits. */
  async #untilBelow(count: number): Promise<void> {
    while (this.#running >= count) {
      await new Promise<void>((resolve) => {
        this.#onKeyEnd = resolve
      })
    }
  }

  async #carry(task: Task): Promise<void> {
    const { client, signal, onKeyDone } = this.#options
    const isSettled = !signal.aborted && (await client.settle(task.key)).kind === 'decided'
    if (isSettled && (await this.#isTaken(task))) onKeyDone()
    else this.#failures.push(task)
  }

  /**
   * Whether every joining node has this key now, as it was when it was listed or newer. Asked behind the accept, on the
   * same stream.
   */
  async #isTaken({ key, reference }: Task): Promise<boolean> {
    const { nodes } = this.#options
    const asked: Promise<boolean>[] = []
    nodes.forEach(({ link }, node) => {
      if (((this.#joining >> node) & 1) === 0) return
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const isOnItsWay = link.send({
        key,
        request: { kind: 'read' },
        onAnswer: ({ record: { accepted } }) =>
          resolve(
            accepted !== undefined && (reference === undefined || compareBallots(accepted, reference) >= 0),
          ),
        onLost: () => resolve(false),
      })
      if (!isOnItsWay) resolve(false)
      asked.push(promise)
    })
    return (await Promise.all(asked)).every((isTaken) => isTaken)
  }
}
