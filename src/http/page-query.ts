/** What the routes that answer in pages read from the query. */
import { type Static, Type } from 'typebox'
import { GroupId } from '../api/group-schemas.ts'

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1_000

/** 1 to 1000. */
export const LIMIT = '^([1-9][0-9]{0,2}|1000)$'

const after = Type.Optional(
  Type.String({
    ...GroupId,
    description:
      'Where the page starts: after the group of this id, whether there is one or not. The id has 1 to 256 characters. Left out: at the first group.',
  }),
)

/** As texts, which is what a query has. */
export const PageQuery = Type.Object(
  { after, limit: Type.Optional(Type.String({ pattern: LIMIT })) },
  { additionalProperties: false },
)

/** The same as clients see it. */
export const DescribedPageQuery = Type.Object({
  after,
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LIMIT_MAX,
      default: LIMIT_DEFAULT,
      description: 'How many groups a page has at most.',
    }),
  ),
})

/** How many groups the page may have: 1 to 1,000, by default 100. */
export function limitOf({ limit }: Static<typeof PageQuery>): number {
  return limit === undefined ? LIMIT_DEFAULT : Number(limit)
}
