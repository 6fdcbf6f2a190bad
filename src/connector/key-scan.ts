import type { ScanEntry, ScanRange } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import type { Clock } from './clock.ts'

/** Keys in the order of their UTF-8 bytes, and where to go on; `undefined`: there are no more. */
export type KeyPage = Readonly<{ keys: readonly string[]; nextStart: string | undefined }>

export type KeyScanOptions = Readonly<{
  transports: readonly NodeTransport[]
  /** The range: `start` inclusive, `end` exclusive. */
  start: string
  end: string
  /** How many nodes must answer. */
  quorum: number
  clock: Pick<Clock, 'after'>
  timeoutMs: number
}>

/**
 * The next keys of a range, out of the pages of the first classic quorum of nodes to answer: every key with a chosen
 * state is on at least one of them. Some may turn out to be deleted, or to have no chosen state.
 *
 * @returns `undefined` when fewer than `quorum` nodes answer in time
 */
export async function nextKeys(options: KeyScanOptions): Promise<KeyPage | undefined> {
  const { transports, start, end, quorum, clock, timeoutMs } = options
  const abort = new AbortController()
  const cancelTimeout = clock.after(timeoutMs, () => abort.abort())
  const range = { start, end, omitValues: true }
  const asked = transports.map((transport) => firstPage(transport, range, abort.signal))
  const pages = await firstOf(asked, quorum)
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

/** The first `count` of these to be fulfilled; `undefined` once too many were rejected. */
function firstOf<T>(promises: readonly Promise<T>[], count: number): Promise<readonly T[] | undefined> {
  const fulfilled: T[] = []
  let failures = 0
  return new Promise((resolve) => {
    for (const promise of promises) {
      const onFulfilled = (value: T) => {
        if (fulfilled.push(value) === count) resolve(fulfilled.slice())
      }
      const onRejected = () => {
        failures += 1
        if (failures > promises.length - count) resolve(undefined)
      }
      promise.then(onFulfilled, onRejected)
    }
  })
}
