/** What the routes that answer in pages read from the query. */
import { type Static, Type } from 'typebox'
import { GroupId } from '../api/schemas.ts'

const LIMIT_DEFAULT = 100

/** 1 to 1000. */
export const LIMIT = '^([1-9][0-9]{0,2}|1000)$'

export const PageQuery = Type.Object(
  {
    after: Type.Optional(GroupId),
    limit: Type.Optional(Type.String({ pattern: LIMIT })),
  },
  { additionalProperties: false },
)

/** How many groups the page may have: 1 to 1,000, by default 100. */
export function limitOf({ limit }: Static<typeof PageQuery>): number {
  return limit === undefined ? LIMIT_DEFAULT : Number(limit)
}
