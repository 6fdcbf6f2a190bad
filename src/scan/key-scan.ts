import type { Clock } from '../process/clock.ts'
import type { NodeSet } from '../register/quorum.ts'
import type { Recipient, ScanEntry, ScanRange } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** Keys in the order of their UTF-8 bytes, and where to go on; `undefined`: there are no more. */
export type KeyPage = Readonly<{ keys: readonly string[]; nextStart: string | undefined }>

/** A node that can be asked for its keys, and who it must be, and in which epoch. */
export type KeySource = Readonly<{ transport: NodeTransport; recipient: Recipient }>

export type KeyScanOptions = Readonly<{
  sources: readonly KeySource[]
  /** The range: `start` inclusive, `end` exclusive. */
  start: string
  end: string
  /** Whether these of the sources (by their index) are enough. */
  isQuorum: (nodes: NodeSet) => boolean
  clock: Pick<Clock, 'after'>
  timeoutMs: number
}>

/**
 * The next keys of a range, out of the pages of the first classic quorum of nodes to answer: every key with a chosen
 * state is on at least one of them. Some may turn out to be deleted, or to have no chosen state.
 *
 * @returns `undefined` when too few nodes answer in time, or the epoch is over
 */
export async function nextKeys(options: KeyScanOptions): Promise<KeyPage | undefined> {
  const { sources, start, end, isQuorum, clock, timeoutMs } = options
  const abort = new AbortController()
  const cancelTimeout = clock.after(timeoutMs, () => abort.abort())
  const range = { start, end, omitValues: true }
  const asked = sources.map(({ transport, recipient }) =>
    firstPage(transport, { ...range, recipient }, abort.signal),
  )
  const pages = await firstOf(asked, isQuorum)
  cancelTimeout()
  // The others are not waited for: one of them may have stopped.
  abort.abort()
  if (pages === undefined) return undefined
  // Beyond the end of the shortest page, another node may hold keys that this one has not shown yet.
  const ends = pages.flatMap((page) => page.at(-1)?.key ?? []).sort(compareKeys)
  const horizon = ends[0]
  if (horizon === undefined) return { keys: [], nextStart: undefined }
  const keys = new Set(pages.flat().flatMap(({ key }) => (compareKeys(key, horizon) <= 0 ? [key] : [])))
  return { keys: [...keys].sort(compareKeys), nextStart: successorKey(horizon) }
}

/** The first key after `key`. */
export function successorKey(key: string): string {
  return `${key}\0`
}

/** By UTF-8 bytes, as the nodes order them; JavaScript compares UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

async function firstPage(
  transport: NodeTransport,
  range: ScanRange,
  signal: AbortSignal,
): Promise<readonly ScanEntry[]> {
  for await (const page of transport.scan(range, signal)) return page
  return []
}

/** The first of these to be fulfilled that are enough; `undefined` once they cannot be. */
function firstOf<T>(
  promises: readonly Promise<T>[],
  isEnough: (indexes: NodeSet) => boolean,
): Promise<readonly T[] | undefined> {
  const values: T[] = []
  let fulfilled = 0
  let rejected = 0
  const all = (1 << promises.length) - 1
  return new Promise((resolve) => {
    promises.forEach((promise, index) => {
      const onFulfilled = (value: T) => {
        values.push(value)
        fulfilled |= 1 << index
        if (isEnough(fulfilled)) resolve(values.slice())
      }
      const onRejected = () => {
        rejected |= 1 << index
        if (!isEnough(all & ~rejected)) resolve(undefined)
      }
      promise.then(onFulfilled, onRejected)
    })
  })
}
