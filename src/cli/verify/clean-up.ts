import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'

export type CleanUpOptions = Readonly<{
  links: readonly Readonly<{ client: Pick<ApiClient, 'delete'> }>[]
  /** The keys that may have a group. A key is removed from the set when it is known to have none. */
  leftovers: Set<string>
  concurrency: number
  /** For how long a cluster that does not answer is asked again. */
  patienceMs: number
  /** The pause before a request is repeated. */
  pauseMs: number
  nowMs: () => number
}>

/**
 * Deletes the groups of these keys, through any connector that answers. Keys that it could not delete stay in
 * `leftovers`.
 */
export async function cleanUp(options: CleanUpOptions): Promise<void> {
  const { links, leftovers, concurrency, patienceMs, pauseMs, nowMs } = options
  const untilMs = nowMs() + patienceMs
  for (let attempt = 0; leftovers.size > 0 && nowMs() < untilMs; attempt += 1) {
    if (attempt > 0) await sleep(pauseMs)
    const rest = leftovers.values()
    const worker = async () => {
      for (const key of rest) {
        if (nowMs() >= untilMs) return
        if (await isGone(links[attempt % links.length]!, key)) leftovers.delete(key)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }
}

async function isGone({ client }: CleanUpOptions['links'][number], key: string): Promise<boolean> {
  const reply = await client.delete(key, undefined)
  if (reply.kind === 'answered') return true
  return reply.kind === 'problem' && reply.problem.code === 'group_not_found'
}
