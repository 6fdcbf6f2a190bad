/** Changes of the membership, as the public API takes and answers them. */
import type { Static } from 'typebox'
import { Type } from './type.ts'

const IDS = [
  '6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753',
  'b4715ac8-9f77-4037-8c2b-5d1f3a9e6c20',
  '0a9d3e5f-1c7b-4e62-a8d4-7f2b6c9e1d35',
]
const MEMBERS = IDS.map((nodeId, index) => ({ nodeId, address: `10.0.0.${index + 1}:8001` }))
const NEWCOMER = { nodeId: 'e7b2c4d6-5a8f-4193-b6e0-2d4f8a1c3e57', address: '10.0.0.4:8001' }

/** What the routes of the membership answer, for the API's description. */
export const CHANGE_EXAMPLES = {
  add: changeTo([...MEMBERS, NEWCOMER]),
  replace: changeTo([...MEMBERS.slice(0, 2), NEWCOMER]),
  remove: changeTo(MEMBERS.slice(0, 2)),
}

const NodeId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[!-~]+$',
  description:
    'The id of a member, as `GET /v1/cluster` and `cohort status` show it. A node gets its id when its data directory is made.',
  examples: [IDS[0]],
})

const Address = Type.String({
  minLength: 1,
  maxLength: 300,
  description: 'host:port, at which the connectors reach the node.',
  examples: [NEWCOMER.address],
})

export const MemberParams = Type.Object({ nodeId: NodeId })

export const MemberBody = Type.Object(
  { address: Address },
  {
    title: 'Member',
    additionalProperties: false,
    description: 'The node that shall become a member.',
    examples: [{ address: NEWCOMER.address }],
  },
)
export type MemberBody = Static<typeof MemberBody>

const Member = Type.Object({ nodeId: Type.String(), address: Type.String() })

export const MembershipChange = Type.Object(
  {
    clusterId: Type.String(),
    epoch: Type.Integer({
      minimum: 1,
      description:
        'The epoch that the change begins. The change is complete when `GET /v1/cluster` shows a higher epoch.',
    }),
    members: Type.Array(Member, { description: 'The nodes that will be the members.' }),
    outgoing: Type.Optional(
      Type.Array(Member, {
        description:
          'The nodes that were the members before. They decide together with the new members until the change is complete. Absent when the change is complete already.',
      }),
    ),
  },
  {
    title: 'MembershipChange',
    description: 'A change of the membership that is chosen and under way.',
    examples: [CHANGE_EXAMPLES.add],
  },
)
export type MembershipChange = Static<typeof MembershipChange>

function changeTo(members: typeof MEMBERS) {
  return { clusterId: '4c2e9a7d-8b1f-4d36-9e5a-1f7c3b8d2a64', epoch: 2, members, outgoing: MEMBERS }
}
