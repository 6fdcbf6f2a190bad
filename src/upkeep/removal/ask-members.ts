import { isDamage } from '../../register/damage.ts'
import type { KeyRecord, Reply, Request } from '../../register/messages.ts'
import { ask } from '../../replication/links/ask.ts'
import type { RemovalMember } from './removal-target.ts'

/**
 * Sends a background request to one member. `undefined`: no answer will come, but the member may have acted
 * on the request.
 */
export function askMember(
  { link }: RemovalMember,
  key: string,
  request: Request,
): Promise<Reply | undefined> {
  return ask(link, key, request, { isBackground: true })
}

/**
 * Reads a key from every member, in the epoch of the links. `undefined`: a member has not answered, or
 * its record is damaged.
 */
export async function readFromAll(
  members: readonly RemovalMember[],
  key: string,
): Promise<readonly KeyRecord[] | undefined> {
  const answers = await Promise.all(members.map((member) => askMember(member, key, { kind: 'read' })))
  const records = answers.flatMap((answer) =>
    answer === undefined || isDamage(answer) ? [] : [answer.record],
  )
  return records.length === members.length ? records : undefined
}
