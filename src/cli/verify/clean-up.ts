import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient, GroupView, Reply } from '../api-client.ts'

type Link = Readonly<{ client: Pick<ApiClient, 'delete'> }>

export type CleanUpOptions = Readonly<{
  links: readonly Link[]
  /** The keys that may have a group. A key is removed from the set when it is known to have none. */
  leftovers: Set<string>
  concurrency: number
  /** For how long a cluster that does not answer is asked again. */
  patienceMs: number
  /** The pause before a request is repeated. */
  pauseMs: number
  nowMs: () => number
}>

/** A caller that is not known, or has no right, has none a moment later either. */
const REFUSED = [401, 403]

/**
 * Deletes the groups of these keys, through any connector that answers. Keys that it could not delete stay in
 * `leftovers`. It ends at once when every connector refuses the caller.
 */
export async function cleanUp(options: CleanUpOptions): Promise<void> {
  const { links, leftovers, concurrency, patienceMs, pauseMs, nowMs } = options
  const untilMs = nowMs() + patienceMs
  const refusing = new Set<Link>()
  for (let attempt = 0; leftovers.size > 0 && nowMs() < untilMs; attempt += 1) {
    if (attempt > 0) await sleep(pauseMs)
    const rest = leftovers.values()
    const link = links[attempt % links.length]!
    const worker = async () => {
      for (const key of rest) {
        if (nowMs() >= untilMs) return
        const reply = await link.client.delete(key, undefined)
        if (isGone(reply)) leftovers.delete(key)
        if (reply.kind === 'problem' && REFUSED.includes(reply.problem.status)) refusing.add(link)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    if (refusing.size === links.length) return
  }
}

function isGone(reply: Reply<GroupView>): boolean {
  if (reply.kind === 'answered') return true
  return reply.kind === 'problem' && reply.problem.code === 'group_not_found'
}
