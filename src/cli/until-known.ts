import type { Reply } from './api-client.ts'
import { mayBeDone } from './may-be-done.ts'

export type Insistence = Readonly<{
  /** How long, in milliseconds, a change is repeated after the first reply that leaves its outcome open. */
  patienceMs: number
  nowMs: () => number
  /** The pause before a repetition. */
  pause: () => Promise<unknown>
}>

/**
 * Sends a change that may be repeated because it has an idempotency key. If the reply leaves open whether the
 * change was made, the change is sent again, until a reply tells. A reply that says that nothing was changed
 * says so of its own request only: once an outcome was open, it is open until a connector knows it.
 *
 * @returns the reply that tells; if there is none in time, the last reply that leaves the outcome open
 */
export async function untilKnown<T>(
  request: () => Promise<Reply<T>>,
  { patienceMs, nowMs, pause }: Insistence,
): Promise<Reply<T>> {
  const first = await request()
  if (!mayBeDone(first)) return first
  let open = first
  const untilMs = nowMs() + patienceMs
  do {
    await pause()
    const reply = await request()
    if (mayBeDone(reply)) open = reply
    else if (tells(reply)) return reply
  } while (nowMs() < untilMs)
  return open
}

/** Whether a connector has looked at the group: it has made the change, or its state does not allow it. */
function tells(reply: Reply<unknown>): boolean {
  return reply.kind === 'answered' || (reply.kind === 'problem' && [409, 422].includes(reply.problem.status))
}
