/** Changes of the membership, as the public API takes and answers them. */
import { type Static, Type } from 'typebox'

const NodeId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[!-~]+$',
  description: 'Made with the data directory of the node; `cohort status` shows those of the members.',
  examples: ['6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753'],
})

const Address = Type.String({
  minLength: 1,
  maxLength: 300,
  description: 'host:port, as the connectors reach the node.',
  examples: ['10.0.0.4:8001'],
})

export const MemberParams = Type.Object({ nodeId: NodeId })

export const MemberBody = Type.Object({ address: Address }, { additionalProperties: false })
export type MemberBody = Static<typeof MemberBody>

const Member = Type.Object({ nodeId: Type.String(), address: Type.String() })

export const MembershipChange = Type.Object(
  {
    clusterId: Type.String(),
    epoch: Type.Integer({
      minimum: 1,
      description: 'Of the change. It is carried out when `GET /v1/cluster` shows a higher one.',
    }),
    members: Type.Array(Member, { description: 'Those that will be the members.' }),
    outgoing: Type.Optional(
      Type.Array(Member, {
        description: 'Those that were, and decide with them until then. Left out: it is done already.',
      }),
    ),
  },
  { description: 'A change of the membership that is chosen, and is being carried out.' },
)
export type MembershipChange = Static<typeof MembershipChange>
