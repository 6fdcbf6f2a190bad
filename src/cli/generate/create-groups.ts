import type { ApiClient, GroupView, Reply } from '../api-client.ts'
import { Latencies } from './latencies.ts'

/** What is known of the creates so far. It grows while they run. */
export type CreateTally = {
  /** By id. */
  readonly created: Map<string, GroupView>
  /** Ids whose create may have happened. */
  readonly unknown: Set<string>
  /** How often each reason not to create was met: `503 unavailable`, `connection refused`. */
  readonly failures: Map<string, number>
  /** Of the creates that were answered with a group. */
  readonly latencies: Latencies
  /** How many creates have been answered, in whichever way. */
  finished: number
}

export type CreateOptions = Readonly<{
  client: Pick<ApiClient, 'create'>
  /** The ids to create, each once; taken as they are needed. */
  groupIds: Iterable<string>
  concurrency: number
  /** Aborted: no further create is sent; those on their way are waited for. */
  signal: AbortSignal
  onProgress: (tally: CreateTally) => void
}>

/** A tally of nothing. */
export function emptyTally(): CreateTally {
  return {
    created: new Map(),
    unknown: new Set(),
    failures: new Map(),
    latencies: new Latencies(),
    finished: 0,
  }
}

/** Creates groups, so many at a time, and writes down in `tally` what became of each. Never repeats one. */
export async function createGroups(options: CreateOptions, tally: CreateTally): Promise<void> {
  const { client, groupIds, concurrency, signal, onProgress } = options
  const rest = Iterator.from(groupIds)
  const worker = async () => {
    // The workers share one iterator: each id is taken once.
    for (const groupId of rest) {
      // A create on its way that is never answered has an unknown outcome, also for who is interrupted now.
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

/** A 5xx that does not say what it means for the data may mean anything. */
function isUnknown(reply: Reply<GroupView>): boolean {
  if (reply.kind === 'broken') return true
  if (reply.kind !== 'problem') return false
  const { outcome, status } = reply.problem
  return outcome === 'unknown' || (outcome === undefined && status >= 500)
}
