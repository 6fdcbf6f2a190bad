import type { Clock } from '../process/clock.ts'
import type { NodeSet } from '../register/quorum.ts'
import { successorKey } from '../rpc/key-order.ts'
import { type MergedEntry, mergePages } from './merge-scans.ts'
import { collectPart, horizonOf, type KeySource, type NodePart, upTo } from './node-part.ts'

/**
 * The records of consecutive keys, in the order of the keys' UTF-8 bytes. No key that has a chosen state is
 * missing. `nextStart` is where the rest of the range begins. `undefined`: there is no rest. `valueBytes` is
 * the size of the values that the node with the most has sent for it.
 */
export type RecordPage = Readonly<{
  entries: readonly MergedEntry[]
  nextStart: string | undefined
  valueBytes: number
}>

/** A node to scan. `isSuspect`: do not wait for the node (protocol.md §4.6). */
export type ScanSource = KeySource & Readonly<{ isSuspect: boolean }>

export type RecordScanOptions = Readonly<{
  /** All nodes of the epoch. */
  sources: readonly ScanSource[]
  /** The range: `start` inclusive, `end` exclusive. */
  start: string
  end: string
  /** How many records each node sends at most: 1 or more. */
  limit: number
  /** Whether these sources (by index) are a classic quorum. */
  isQuorum: (nodes: NodeSet) => boolean
  clock: Pick<Clock, 'after'>
  timeoutMs: number
  /** Which source is asked first: 0 or more. Calls with different turns share the work among the nodes. */
  turn: number
  /** Ends the scan early, as if too few nodes had answered. */
  signal?: AbortSignal | undefined
}>

/** `node` is the index of the node that has sent it. */
type Part = NodePart & Readonly<{ node: number }>

/** How long a node may take before the nodes that were not asked are asked too. */
const HEDGE_MS = 100

/** Why a scan ends that is not needed any more. An abort without a reason makes an error with its stack. */
const ENOUGH = 'enough nodes have answered'

/**
 * The next records of a range, from the first classic quorum of nodes that answers. Only a quorum is asked at
 * first; the other nodes are asked if one of those fails or is slow. All records are read after the call
 * began. So the state of a key that the rules of the protocol find from these records is as linearizable as a
 * read of the key.
 *
 * @returns `undefined` when too few nodes answer in time, or when the epoch is over
 */
export async function nextRecords(options: RecordScanOptions): Promise<RecordPage | undefined> {
  const { sources, start, end, limit, isQuorum, clock, timeoutMs, turn, signal } = options
  const abort = new AbortController()
  const parts: Part[] = []
  const { promise, resolve } = Promise.withResolvers<readonly Part[] | undefined>()
  let answered: NodeSet = 0
  let failed: NodeSet = 0
  const waiting = inOrder(sources, turn)
  const all: NodeSet = (1 << sources.length) - 1

  const ask = (node: number): void => {
    collectPart(sources[node]!, { start, end, limit, omitValues: false }, abort.signal).then(
      (sent) => {
        parts.push({ node, ...sent })
        answered |= 1 << node
        if (isQuorum(answered)) resolve(parts.slice())
      },
      () => {
        failed |= 1 << node
        if (!isQuorum(all & ~failed)) resolve(undefined)
        else askFurther()
      },
    )
  }
  let asked: NodeSet = 0
  const askNext = (): void => {
    const node = waiting.shift()!
    asked |= 1 << node
    ask(node)
  }
  const askFurther = (): void => {
    while (waiting.length > 0) askNext()
  }

  while (waiting.length > 0 && !isQuorum(asked)) askNext()
  const cancelHedge = clock.after(Math.min(HEDGE_MS, timeoutMs / 2), askFurther)
  const giveUp = () => resolve(undefined)
  const cancelTimeout = clock.after(timeoutMs, giveUp)
  if (signal?.aborted) giveUp()
  signal?.addEventListener('abort', giveUp)
  const quorum = await promise
  cancelHedge()
  cancelTimeout()
  signal?.removeEventListener('abort', giveUp)
  // Do not wait for the other nodes: one of them may have stopped.
  abort.abort(ENOUGH)
  return quorum === undefined ? undefined : merge(quorum, sources.length)
}

/** The indexes of the nodes, from `turn` on, with suspect nodes last. */
function inOrder(sources: readonly ScanSource[], turn: number): number[] {
  const nodes = sources.map((_, index) => (index + turn) % sources.length)
  return [
    ...nodes.filter((node) => !sources[node]!.isSuspect),
    ...nodes.filter((node) => sources[node]!.isSuspect),
  ]
}

/**
 * Merges the parts up to the smallest last key of the parts that are cut. After that key, the node of that
 * part may hold keys that it has not sent.
 */
function merge(parts: readonly Part[], nodeCount: number): RecordPage {
  const horizon = horizonOf(parts)
  const pages = parts.map(({ node, entries }) => ({ node, entries: upTo(entries, horizon) }))
  return {
    entries: mergePages(pages, nodeCount),
    nextStart: horizon === undefined ? undefined : successorKey(horizon),
    valueBytes: Math.max(...parts.map(({ bytes }) => bytes)),
  }
}
