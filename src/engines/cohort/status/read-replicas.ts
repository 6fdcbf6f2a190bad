import type { MemberSnapshot } from '../../../membership/cluster-snapshot.ts'
import { type Clock, sleep } from '../../../process/clock.ts'
import { isDamage } from '../../../register/damage.ts'
import type { Holding } from '../../../register/messages.ts'
import { ask } from '../../../replication/links/ask.ts'

/** What one member answered. `record: undefined`: it did not answer in time. */
export type ReplicaRead = Readonly<{ nodeId: string; address: string; record: Holding | undefined }>

/**
 * Asks each member separately what it holds for a key. Resolves within `deadlineMs`, and never rejects. It
 * writes and repairs nothing.
 */
export async function readReplicas(
  members: readonly MemberSnapshot[],
  key: string,
  { clock, deadlineMs }: Readonly<{ clock: Clock; deadlineMs: number }>,
): Promise<ReplicaRead[]> {
  const done = new AbortController()
  const deadline = sleep(deadlineMs, clock, done.signal).then(() => undefined)
  const reads = await Promise.all(
    members.map(async ({ nodeId, address, link }) => {
      const answer = await Promise.race([ask(link, key, { kind: 'read' }), deadline])
      const record = answer === undefined || isDamage(answer) ? answer : answer.record
      return { nodeId, address, record }
    }),
  )
  done.abort()
  return reads
}
