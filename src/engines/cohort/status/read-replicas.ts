import type { MemberSnapshot } from '../../../membership/cluster-snapshot.ts'
import type { Clock } from '../../../process/clock.ts'
import type { KeyRecord } from '../../../register/messages.ts'

/** What one member answered; `undefined`: it was not reached in time. */
export type ReplicaRead = Readonly<{ nodeId: string; address: string; record: KeyRecord | undefined }>

/**
 * Asks each member by itself what it holds for a key. Resolves within `deadlineMs`, and never rejects; nothing is
 * written, neither by the nodes nor by way of repair.
 */
export function readReplicas(
  members: readonly MemberSnapshot[],
  key: string,
  { clock, deadlineMs }: Readonly<{ clock: Clock; deadlineMs: number }>,
): Promise<ReplicaRead[]> {
  return Promise.all(
    members.map(async ({ nodeId, address, link }) => {
      const record = await new Promise<KeyRecord | undefined>((resolve) => {
        const cancel = clock.after(deadlineMs, () => resolve(undefined))
        const settle = (found: KeyRecord | undefined) => {
          cancel()
          resolve(found)
        }
        const isOnItsWay = link.send({
          key,
          request: { kind: 'read' },
          onAnswer: (answer) => settle(answer.record),
          onLost: () => settle(undefined),
        })
        if (!isOnItsWay) settle(undefined)
      })
      return { nodeId, address, record }
    }),
  )
}
