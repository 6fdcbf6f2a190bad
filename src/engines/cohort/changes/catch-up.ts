/** Reads what has changed since a place that a client has, perhaps from another connector. */
import { meetsEveryQuorum } from '../../../changes/coverage.ts'
import { nameInPlace, type Place } from '../../../changes/token.ts'
import type { EpochNode } from '../../../membership/epoch-node.ts'
import type { Clock } from '../../../process/clock.ts'
import type { Quorums } from '../../../register/quorum.ts'
import type { Value } from '../../../register/state.ts'
import type { ChangesPosition } from '../../../rpc/messages.ts'
import { type ReadTarget, readCounting } from './counting-read.ts'

export type CatchUpOptions = Readonly<{
  target: Readonly<{ nodes: readonly EpochNode[]; client: ReadTarget['client'] }>
  quorums: Quorums
  clock: Pick<Clock, 'after'>
  /** How long a node may take to answer a call. */
  answerMs: number
  isWanted: (key: string) => boolean
  mustCount: (nodeIds: readonly string[]) => readonly string[]
}>

/** How many keys are read at a time. */
const READS_MAX = 32

/** How often a read is tried. */
const TRIES_MAX = 3

export class CatchUp {
  readonly #options: CatchUpOptions
  /** The nodes that have told everything since the place. */
  readonly #told = new Set<string>()
  /** By key: the nodes that have told it. */
  readonly #keys = new Map<string, Set<string>>()

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** @returns whether everything since the place was given */
  async run(
    { positions }: Place,
    give: (values: readonly Readonly<{ key: string; value: Value }>[]) => Promise<void>,
  ): Promise<boolean> {
    const { nodes } = this.#options.target
    await Promise.all(
      nodes.map((node) => {
        const from = positions.get(nameInPlace(node.nodeId))
        return from === undefined ? undefined : this.#collect(node, from)
      }),
    )
    if (!this.#isEnough()) return false
    const keys = [...this.#keys]
    for (let start = 0; start < keys.length; start += READS_MAX) {
      const part = keys.slice(start, start + READS_MAX)
      const values = await Promise.all(part.map(([key, nodeIds]) => this.#read(key, [...nodeIds])))
      const found = values.flatMap((value) => value ?? [])
      if (found.length < part.length || !this.#isEnough()) return false
      await give(found)
    }
    return true
  }

  #isEnough(): boolean {
    const { target, quorums } = this.#options
    let nodes = 0
    for (const [index, { nodeId }] of target.nodes.entries()) if (this.#told.has(nodeId)) nodes |= 1 << index
    return meetsEveryQuorum(nodes, quorums)
  }

  async #collect({ nodeId, transport, recipient }: EpochNode, from: ChangesPosition): Promise<void> {
    const { answerMs, isWanted } = this.#options
    for (let position = from; ; ) {
      const request = { ...recipient, from: position, waitMs: 0 }
      const answer = await transport.changes(request, answerMs).catch(() => undefined)
      if (answer?.at === undefined || answer.begins) return
      for (const key of answer.keys) {
        if (!isWanted(key)) continue
        const known = this.#keys.get(key)
        if (known === undefined) this.#keys.set(key, new Set([nodeId]))
        else known.add(nodeId)
      }
      if (!answer.hasMore) break
      position = answer.at
    }
    this.#told.add(nodeId)
  }

  /** A node that a read does not count is taken as one that has told nothing. */
  async #read(key: string, tellers: readonly string[]): Promise<{ key: string; value: Value } | undefined> {
    const { target, clock, mustCount } = this.#options
    const nodeIds = mustCount(tellers)
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const found = await readCounting(target, { key, nodeIds }, clock)
      if (found === undefined) continue
      for (const nodeId of nodeIds) if (!found.counted.includes(nodeId)) this.#told.delete(nodeId)
      return { key, value: found.value }
    }
    return undefined
  }
}
