/** The paths and queries of the routes of group members. */
import { MemberId } from '../../../api/group-member-schemas.ts'
import { Type } from '../../../api/type.ts'
import { DescribedPageQuery, PageQuery } from '../../page-query.ts'
import { GROUP_PATH, GroupParams } from '../group/group-request.ts'

export const MEMBERS_PATH = `${GROUP_PATH}/members`
export const MEMBER_PATH = `${MEMBERS_PATH}/:memberId`
export const GROUPS_OF_PATH = '/v1/member/:memberId/groups'

const memberId = Type.String({
  ...MemberId,
  description:
    'The member: any Unicode text of 1 to 256 characters, without control characters, percent-encoded as UTF-8.',
})

export const GroupMemberParams = Type.Object({ ...GroupParams.properties, memberId })

export const MemberIdParams = Type.Object({ memberId })

const afterMember = Type.Optional(
  Type.String({
    ...MemberId,
    description:
      'The page starts after this member, also if nobody has this id. Without `after`, the page starts at the first member.',
  }),
)

/** The query of a page of members, with more parameters. */
export function memberPageQuery<T extends Parameters<typeof Type.Object>[0]>(more: T) {
  return {
    querystring: Type.Object(
      { ...PageQuery.properties, after: afterMember, ...more },
      { additionalProperties: false },
    ),
    describedQuery: Type.Object({ ...DescribedPageQuery.properties, after: afterMember, ...more }),
  }
}
