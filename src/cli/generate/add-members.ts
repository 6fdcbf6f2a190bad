import type { GroupMemberBatchResult } from '../../api/group-member-schemas.ts'
import type { ApiClient, Reply } from '../api-client.ts'
import { repliesOf } from './batch-replies.ts'
import type { Ledger } from './ledger.ts'
import { type SendOptions, sendBatches, type Tally } from './send-batches.ts'

/** How members are numbered: the first ones are those of group 0, then those of group 1, and so on. */
export type MemberPlan = Readonly<{
  /** How many members each group gets. */
  membersEach: number
  groupIdOf: (groupNumber: number) => string
  /** The id of a member. No two members of one group have the same. */
  memberIdOf: (number: number) => string
}>

export type AddOptions = Readonly<{
  client: Pick<ApiClient, 'batchGroupMembers'>
  plan: MemberPlan
  /** Only groups that were created get members. */
  groups: Ledger
  /** How many members one request adds, at most. */
  batchSize: number
}> &
  Pick<SendOptions<unknown>, 'concurrency' | 'signal' | 'onProgress'>

/** Adds the members of the tally to their groups, and records the results there. */
export function addMembers(
  { client, plan, groups, batchSize, ...rest }: AddOptions,
  tally: Tally,
): Promise<void> {
  const { membersEach, groupIdOf, memberIdOf } = plan
  const options: SendOptions<unknown> = {
    ...rest,
    batches: batchesOf(groups, membersEach, batchSize),
    send: async (batch) => {
      const groupId = groupIdOf(Math.floor(batch[0]! / membersEach))
      const add = batch.map((number) => ({ memberId: memberIdOf(number) }))
      return repliesOf(batch.length, added(await client.batchGroupMembers(groupId, { add })))
    },
    // An ETag names exactly one state of a member.
    stateOf: (_made, etag = '') => etag,
    repeatsOverloaded: true,
  }
  return sendBatches(options, tally)
}

/** All members of one batch are of one group. */
function* batchesOf(groups: Ledger, membersEach: number, batchSize: number): Generator<number[]> {
  for (let group = 0; group < groups.size; group += 1) {
    if (!groups.isMade(group)) continue
    for (let first = 0; first < membersEach; first += batchSize) {
      const length = Math.min(batchSize, membersEach - first)
      yield Array.from({ length }, (_, index) => group * membersEach + first + index)
    }
  }
}

function added(reply: Reply<GroupMemberBatchResult>): Reply<GroupMemberBatchResult['add']> {
  return reply.kind === 'answered' ? { ...reply, value: reply.value.add } : reply
}
