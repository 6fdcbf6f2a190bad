import type { ApiClient, GroupView, Reply } from '../api-client.ts'
import { Latencies } from './latencies.ts'

/** The results of the creates so far. It is updated while they run. */
export type CreateTally = {
  /** The groups that were created, by id. */
  readonly created: Map<string, GroupView>
  /** The ids whose create has an unknown outcome. */
  readonly unknown: Set<string>
  /** Why creates failed (`503 unavailable`, `connection refused`), and how often. */
  readonly failures: Map<string, number>
  /** The latencies of the creates that succeeded. */
  readonly latencies: Latencies
  /** How many creates have ended, in any way. */
  finished: number
}

export type CreateOptions = Readonly<{
  client: Pick<ApiClient, 'create'>
  /** The ids to create, each once. They are taken when they are needed. */
  groupIds: Iterable<string>
  concurrency: number
  /** When it aborts, no further create is sent. Creates that were sent are still waited for. */
  signal: AbortSignal
  onProgress: (tally: CreateTally) => void
}>

/** The tally before the first create. */
export function emptyTally(): CreateTally {
  return {
    created: new Map(),
    unknown: new Set(),
    failures: new Map(),
    latencies: new Latencies(),
    finished: 0,
  }
}

/** Creates groups, `concurrency` at a time, and records the results in `tally`. It never repeats a create. */
export async function createGroups(options: CreateOptions, tally: CreateTally): Promise<void> {
  const { client, groupIds, concurrency, signal, onProgress } = options
  const rest = Iterator.from(groupIds)
  const worker = async () => {
    // The workers share one iterator: each id is taken once.
    for (const groupId of rest) {
      // Until a create is answered, its outcome is unknown. The report after an interrupt relies on this.
      tally.unknown.add(groupId)
      const startMs = performance.now()
      const reply = await client.create({ groupId })
      record(tally, groupId, reply, performance.now() - startMs)
      onProgress(tally)
      if (signal.aborted) return
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

function record(tally: CreateTally, groupId: string, reply: Reply<GroupView>, latencyMs: number): void {
  tally.finished += 1
  if (reply.kind === 'answered') {
    tally.created.set(groupId, reply.value)
    tally.latencies.add(latencyMs)
  } else {
    const reason = failureReason(reply)
    tally.failures.set(reason, (tally.failures.get(reason) ?? 0) + 1)
  }
  if (!isUnknown(reply)) tally.unknown.delete(groupId)
}

function failureReason(reply: Exclude<Reply<GroupView>, { kind: 'answered' }>): string {
  return reply.kind === 'problem' ? `${reply.problem.status} ${reply.problem.code}` : reply.reason
}

/** A 5xx without an outcome can come from a proxy, so the group may have been created. */
function isUnknown(reply: Reply<GroupView>): boolean {
  if (reply.kind === 'broken') return true
  if (reply.kind !== 'problem') return false
  const { outcome, status } = reply.problem
  return outcome === 'unknown' || (outcome === undefined && status >= 500)
}
