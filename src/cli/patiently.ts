import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from './api-client.ts'

export type Patience = Readonly<{
  /** How long, in milliseconds, a request is repeated. */
  patienceMs: number
  /** The pause before a request is repeated. */
  pauseMs: number
  nowMs: () => number
  /** When it aborts, the last reply is returned at once. */
  signal: AbortSignal
}>

/**
 * Sends a request that may be repeated, until it is answered, refused, or patience is over. It is repeated
 * after failures that can pass: no connection, a broken connection, and the statuses 502, 503 and 504.
 *
 * @returns the last reply
 */
export async function patiently<T>(request: () => Promise<Reply<T>>, patience: Patience): Promise<Reply<T>> {
  const untilMs = patience.nowMs() + patience.patienceMs
  while (true) {
    const reply = await request()
    if (!isPassing(reply) || patience.signal.aborted || patience.nowMs() >= untilMs) return reply
    await sleep(patience.pauseMs, undefined, { signal: patience.signal }).catch(() => undefined)
  }
}

function isPassing(reply: Reply<unknown>): boolean {
  if (reply.kind === 'problem') return [502, 503, 504].includes(reply.problem.status)
  return reply.kind !== 'answered'
}
