import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchResult } from '../../api/batch-schemas.ts'
import type { ApiClient, GroupView, Reply } from '../api-client.ts'
import { mayBeDone } from '../may-be-done.ts'
import { Latencies } from './latencies.ts'

/** The results of the creates so far. It is updated while they run. */
export type CreateTally = {
  /** The groups that were created, by id. */
  readonly created: Map<string, GroupView>
  /** The ids whose create has an unknown outcome. */
  readonly unknown: Set<string>
  /** Why creates failed (`503 unavailable`, `connection refused`), and how often. */
  readonly failures: Map<string, number>
  /** The latencies of the requests that succeeded. */
  readonly latencies: Latencies
  /** How many creates have ended, in any way. */
  finished: number
}

export type CreateOptions = Readonly<{
  client: Pick<ApiClient, 'create' | 'batch'>
  /** The ids to create, each once. They are taken when they are needed. */
  groupIds: Iterable<string>
  /** How many requests are under way at a time. */
  concurrency: number
  /** How many groups one request creates. `undefined`: one, without a batch. */
  batchSize?: number | undefined
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

/** How many batches in a row may be refused as a whole before their creates count as failed. */
const REFUSALS_MAX = 100
const PAUSE_MS = 100

/**
 * Creates groups and records the results in `tally`. It repeats only creates of batches for which the
 * connector had no time (`overloaded`): nothing was changed then.
 */
export async function createGroups(options: CreateOptions, tally: CreateTally): Promise<void> {
  const { batchSize, concurrency, signal, onProgress } = options
  // The workers share one iterator: each id is taken once.
  const rest = Iterator.from(options.groupIds)
  const postponed: string[] = []
  let refusalsInRow = 0
  const next = () => {
    const taken = postponed.splice(0, batchSize)
    return taken.length > 0 ? taken : take(rest, batchSize ?? 1)
  }
  const worker = async () => {
    for (let taken = next(); taken.length > 0; taken = next()) {
      // Until a create is answered, its outcome is unknown. The report after an interrupt relies on this.
      for (const groupId of taken) tally.unknown.add(groupId)
      const startMs = performance.now()
      const replies = await send(options, taken)
      if (replies.some(({ kind }) => kind === 'answered')) tally.latencies.add(performance.now() - startMs)
      refusalsInRow = replies.every(isOverloaded) ? refusalsInRow + 1 : 0
      const mayPostpone = batchSize !== undefined && refusalsInRow <= REFUSALS_MAX && !signal.aborted
      for (const [index, reply] of replies.entries()) {
        const groupId = taken[index]!
        if (!mayPostpone || !isOverloaded(reply)) record(tally, groupId, reply)
        else {
          tally.unknown.delete(groupId)
          postponed.push(groupId)
        }
      }
      onProgress(tally)
      if (signal.aborted) return
      if (refusalsInRow > 0) await sleep(PAUSE_MS)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

function isOverloaded(reply: Reply<unknown>): boolean {
  return reply.kind === 'problem' && reply.problem.code === 'overloaded'
}

/** The reply to the create of each id. */
async function send({ client, batchSize }: CreateOptions, groupIds: string[]): Promise<Reply<GroupView>[]> {
  if (batchSize === undefined) return [await client.create({ groupId: groupIds[0]! })]
  const reply = await client.batch({ create: groupIds.map((groupId) => ({ groupId })) })
  return repliesOf(groupIds, reply)
}

/** The next ids, at most `count`. (`Iterator.prototype.take` would end the iterator.) */
function take(rest: Iterator<string>, count: number): string[] {
  const taken: string[] = []
  while (taken.length < count) {
    const { done, value } = rest.next()
    if (done === true) break
    taken.push(value)
  }
  return taken
}

/** The reply that each create of a batch would have had alone. */
function repliesOf(groupIds: readonly string[], reply: Reply<BatchResult>): Reply<GroupView>[] {
  if (reply.kind !== 'answered') return groupIds.map(() => reply)
  return reply.value.create.map((result) => {
    if ('problem' in result) {
      const { detail, outcome, errors = [], ...problem } = result.problem
      return { kind: 'problem', problem: { ...problem, detail, outcome, errors }, text: '' }
    }
    const { etag, status, ...group } = result
    return { kind: 'answered', status, etag, value: group, text: '' }
  })
}

function record(tally: CreateTally, groupId: string, reply: Reply<GroupView>): void {
  tally.finished += 1
  if (reply.kind === 'answered') {
    tally.created.set(groupId, reply.value)
  } else {
    const reason = failureReason(reply)
    tally.failures.set(reason, (tally.failures.get(reason) ?? 0) + 1)
  }
  if (!mayBeDone(reply)) tally.unknown.delete(groupId)
}

function failureReason(reply: Exclude<Reply<GroupView>, { kind: 'answered' }>): string {
  return reply.kind === 'problem' ? `${reply.problem.status} ${reply.problem.code}` : reply.reason
}
