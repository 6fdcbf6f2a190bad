import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import { ask } from '../../replication/links/ask.ts'
import type { RemovalMember } from './removal-target.ts'

/**
 * Sends a request to one member, in the background. `undefined`: no answer will come; it may have acted on
 * it.
 */
export function askMember(
  { link }: RemovalMember,
  key: string,
  request: Request,
): Promise<Answer | undefined> {
  return ask(link, key, request, { isBackground: true })
}

/**
 * Reads a key from every member, each in the epoch of its link. `undefined`: not all of them have answered.
 */
export async function readFromAll(
  members: readonly RemovalMember[],
  key: string,
): Promise<readonly KeyRecord[] | undefined> {
  const answers = await Promise.all(members.map((member) => askMember(member, key, { kind: 'read' })))
  const records = answers.flatMap((answer) => (answer === undefined ? [] : [answer.record]))
  return records.length === members.length ? records : undefined
}
