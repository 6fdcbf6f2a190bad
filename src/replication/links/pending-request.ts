import type { Reply, Request } from '../../register/messages.ts'

/** A request to a node, and the callbacks for its result. */
export type PendingRequest = Readonly<{
  key: string
  request: Request
  onAnswer: (answer: Reply) => void
  /**
   * Called when no answer will come: the stream has ended, the request waited for too long, or the answer
   * cannot be used. The node may have acted on the request.
   */
  onLost: () => void
  /**
   * Whether no client waits for it. Such requests are sent in the batches of other requests, a few in each.
   * They get a batch of their own, with more of them, only if nothing is in flight and no client waits.
   */
  isBackground?: boolean
}>

/** About how many bytes a request takes on the wire. */
export function sizeOf({ key, request }: PendingRequest): number {
  const state = 'state' in request ? request.state : undefined
  return (
    64 + key.length + (state === undefined ? 0 : 20 * state.lineage.length + (state.value?.byteLength ?? 0))
  )
}

/**
 * How many of the first items fit into a batch together, at least one, and about how many bytes they take.
 * `sizeOfItem` gives the bytes of one.
 */
export function fitting<T>(
  items: readonly T[],
  { countMax, bytesMax }: Readonly<{ countMax: number; bytesMax: number }>,
  sizeOfItem: (item: T) => number,
): Readonly<{ count: number; bytes: number }> {
  let count = 0
  let bytes = 0
  for (const item of items) {
    const size = sizeOfItem(item)
    if (count > 0 && (count === countMax || bytes + size > bytesMax)) break
    bytes += size
    count += 1
  }
  return { count, bytes }
}

/** How many of the requests get an answer that a client waits for. */
export function countAwaited(requests: readonly PendingRequest[]): number {
  let count = 0
  for (const { request, isBackground } of requests) if (request.kind !== 'mark' && !isBackground) count += 1
  return count
}
