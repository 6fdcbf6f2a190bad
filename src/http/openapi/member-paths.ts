/** The operations that change the membership. */
import { jsonAnswer, jsonBody, parameterRefs, problems } from './parts.ts'

const IDS = [
  '6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753',
  'b4715ac8-9f77-4037-8c2b-5d1f3a9e6c20',
  '0a9d3e5f-1c7b-4e62-a8d4-7f2b6c9e1d35',
]
const MEMBERS = IDS.map((nodeId, index) => ({ nodeId, address: `10.0.0.${index + 1}:8001` }))
const NEWCOMER = { nodeId: 'e7b2c4d6-5a8f-4193-b6e0-2d4f8a1c3e57', address: '10.0.0.4:8001' }

const GOES_ON =
  'Answered when the change is chosen; it is carried out from then on, by this connector or another, and clients notice nothing of it. `GET /v1/cluster` shows how far it is. There is one change at a time.'

const ON_ANY_CHANGE = [
  'invalid_request',
  'change_in_progress',
  'members_unreachable',
  'unavailable',
  'outcome_unknown',
] as const
const ON_A_BODY = ['invalid_json', 'body_too_large', 'unsupported_media_type'] as const
const ON_A_NEWCOMER = ['already_a_member', 'node_not_empty', 'node_unreachable'] as const

export const memberPaths = {
  '/v1/cluster/members': {
    post: {
      operationId: 'addMember',
      tags: ['Operations'],
      summary: 'Add a member',
      description: `Makes a node with an empty data directory one more member. ${GOES_ON}`,
      parameters: parameterRefs(),
      requestBody: jsonBody('Member', ['application/json'], { address: NEWCOMER.address }),
      responses: {
        202: changeAnswer([...MEMBERS, NEWCOMER]),
        ...problems(...ON_ANY_CHANGE, ...ON_A_BODY, ...ON_A_NEWCOMER, 'too_few_members', 'too_many_members'),
      },
    },
  },
  '/v1/cluster/members/{nodeId}': {
    parameters: [{ $ref: '#/components/parameters/NodeId' }],
    put: {
      operationId: 'replaceMember',
      tags: ['Operations'],
      summary: 'Replace a member',
      description: `Puts a node with an empty data directory in the place of a member, whether that one answers or not. A member that has merely lost its disk is replaced without being asked. ${GOES_ON}`,
      parameters: parameterRefs(),
      requestBody: jsonBody('Member', ['application/json'], { address: NEWCOMER.address }),
      responses: {
        202: changeAnswer([...MEMBERS.slice(0, 2), NEWCOMER]),
        ...problems(...ON_ANY_CHANGE, ...ON_A_BODY, ...ON_A_NEWCOMER, 'invalid_path', 'member_not_found'),
      },
    },
    delete: {
      operationId: 'removeMember',
      tags: ['Operations'],
      summary: 'Remove a member',
      description: `Takes a member out, whether it answers or not. Of a node that is still joining, the change is taken back. ${GOES_ON}`,
      parameters: parameterRefs(),
      responses: {
        202: changeAnswer(MEMBERS.slice(0, 2)),
        ...problems(
          ...ON_ANY_CHANGE,
          'invalid_path',
          'member_not_found',
          'too_few_members',
          'body_too_large',
        ),
      },
    },
  },
}

function changeAnswer(members: typeof MEMBERS): object {
  const example = { clusterId: '4c2e9a7d-8b1f-4d36-9e5a-1f7c3b8d2a64', epoch: 2, members, outgoing: MEMBERS }
  return jsonAnswer('It is chosen.', { $ref: '#/components/schemas/MembershipChange' }, example)
}
