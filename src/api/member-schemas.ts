/** Changes of the membership, as the public API takes and answers them. */
import { type Static, Type } from 'typebox'

const IDS = [
  '6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753',
  'b4715ac8-9f77-4037-8c2b-5d1f3a9e6c20',
  '0a9d3e5f-1c7b-4e62-a8d4-7f2b6c9e1d35',
]
const MEMBERS = IDS.map((nodeId, index) => ({ nodeId, address: `10.0.0.${index + 1}:8001` }))
const NEWCOMER = { nodeId: 'e7b2c4d6-5a8f-4193-b6e0-2d4f8a1c3e57', address: '10.0.0.4:8001' }

/** The change that each route answers with. */
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
    'The id of a member, as `GET /v1/cluster` and `cohort status` show it. It was made with the data directory of the node.',
  examples: [IDS[0]],
})

const Address = Type.String({
  minLength: 1,
  maxLength: 300,
  description: 'host:port, as the connectors reach the node.',
  examples: [NEWCOMER.address],
})

export const MemberParams = Type.Object({ nodeId: NodeId })

export const MemberBody = Type.Object(
  { address: Address },
  {
    title: 'Member',
    additionalProperties: false,
    description: 'A node that is to become a member.',
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
        'The epoch of the change. The change is carried out when `GET /v1/cluster` shows a higher one.',
    }),
    members: Type.Array(Member, { description: 'The nodes that will be the members.' }),
    outgoing: Type.Optional(
      Type.Array(Member, {
        description:
          'The nodes that were the members. They decide together with the new ones until the change is carried out. Left out: it is carried out already.',
      }),
    ),
  },
  {
    title: 'MembershipChange',
    description: 'A change of the membership that is chosen, and is being carried out.',
    examples: [CHANGE_EXAMPLES.add],
  },
)
export type MembershipChange = Static<typeof MembershipChange>

function changeTo(members: typeof MEMBERS) {
  return { clusterId: '4c2e9a7d-8b1f-4d36-9e5a-1f7c3b8d2a64', epoch: 2, members, outgoing: MEMBERS }
}
