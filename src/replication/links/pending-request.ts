import type { Answer, Request } from '../../register/messages.ts'

/** A request to a node, and who is told what became of it. */
export type PendingRequest = Readonly<{
  key: string
  request: Request
  onAnswer: (answer: Answer) => void
  /**
   * No answer will come: the stream has ended, the request waited here for too long, or the answer counts for
   * nothing. The node may have acted on the request.
   */
  onLost: () => void
  /**
   * No client waits for it. It travels in the batches of requests that clients wait for, a few in each, and
   * in a batch of its own only while nothing else is in flight.
   */
  isBackground?: boolean
}>

/** About what a request weighs on the wire, in bytes. */
export function sizeOf({ key, request }: PendingRequest): number {
  const state = 'state' in request ? request.state : undefined
  return (
    64 + key.length + (state === undefined ? 0 : 20 * state.lineage.length + (state.value?.byteLength ?? 0))
  )
}

/** How many of the requests get an answer that a client waits for. */
export function countAwaited(requests: readonly PendingRequest[]): number {
  let count = 0
  for (const { request, isBackground } of requests) if (request.kind !== 'mark' && !isBackground) count += 1
  return count
}
