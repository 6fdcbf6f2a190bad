import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import type { RemovalMember } from './removal-target.ts'

/** Sends a request to a member. `undefined`: no answer will come; it may have been acted on. */
export function ask(member: RemovalMember, key: string, request: Request): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const isSent = member.link.send({
      key,
      request,
      onAnswer: resolve,
      onLost: () => resolve(undefined),
      isBackground: true,
    })
    if (!isSent) resolve(undefined)
  })
}

/**
 * What every member holds for a key, as each of them says in the epoch of its link. `undefined`: not all have answered.
 */
export async function reportOf(
  members: readonly RemovalMember[],
  key: string,
): Promise<readonly KeyRecord[] | undefined> {
  const answers = await Promise.all(members.map((member) => ask(member, key, { kind: 'read' })))
  const records = answers.flatMap((answer) => (answer === undefined ? [] : [answer.record]))
  return records.length === members.length ? records : undefined
}
