import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from './workload.ts'

export type CleanUpOptions = Readonly<{
  links: readonly Link[]
  /** The keys that may have a group. They are taken out of it as they are known to have none. */
  leftovers: Set<string>
  concurrency: number
  /** How long a cluster that does not answer is asked again. */
  patienceMs: number
  nowMs: () => number
}>

const PAUSE_MS = 300

/** Deletes the groups of these keys, through whichever connector answers. What it could not delete is left over. */
export async function cleanUp(options: CleanUpOptions): Promise<void> {
  const { links, leftovers, concurrency, patienceMs, nowMs } = options
  const untilMs = nowMs() + patienceMs
  for (let attempt = 0; leftovers.size > 0 && nowMs() < untilMs; attempt += 1) {
    if (attempt > 0) await sleep(PAUSE_MS)
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

async function isGone({ client }: Link, key: string): Promise<boolean> {
  const reply = await client.delete(key, undefined)
  if (reply.kind === 'answered') return true
  return reply.kind === 'problem' && reply.problem.code === 'group_not_found'
}
