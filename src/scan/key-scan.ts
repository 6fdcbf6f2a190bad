import type { Clock } from '../process/clock.ts'
import type { NodeSet } from '../register/quorum.ts'
import { firstPage, horizonOf, type KeySource } from './first-pages.ts'
import { compareKeys, successorKey } from './key-order.ts'

/** Keys in the order of their UTF-8 bytes, and where to go on; `undefined`: there are no more. */
export type KeyPage = Readonly<{ keys: readonly string[]; nextStart: string | undefined }>

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
  const asked = sources.map((source) => firstPage(source, range, abort.signal))
  const pages = await firstOf(asked, isQuorum)
  cancelTimeout()
  // The others are not waited for: one of them may have stopped.
  abort.abort()
  if (pages === undefined) return undefined
  const horizon = horizonOf(pages)
  if (horizon === undefined) return { keys: [], nextStart: undefined }
  const keys = new Set(pages.flat().flatMap(({ key }) => (compareKeys(key, horizon) <= 0 ? [key] : [])))
  return { keys: [...keys].sort(compareKeys), nextStart: successorKey(horizon) }
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
