/** The query of the routes that answer in pages. */
import type { Static } from 'typebox'
import { GroupId } from '../api/group-schemas.ts'
import { Type } from '../api/type.ts'

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1_000

/** 1 to 1000. */
export const LIMIT = '^([1-9][0-9]{0,2}|1000)$'

const after = Type.Optional(
  Type.String({
    ...GroupId,
    description:
      'The page starts after this id, also if no group has it. The id has 1 to 256 characters. Without `after`, the page starts at the first group.',
  }),
)

/** The query as it is validated: all its values are texts. */
export const PageQuery = Type.Object(
  { after, limit: Type.Optional(Type.String({ pattern: LIMIT })) },
  { additionalProperties: false },
)

/** The same query as clients see it. */
export const DescribedPageQuery = Type.Object({
  after,
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LIMIT_MAX,
      default: LIMIT_DEFAULT,
      description: 'How many entries a page has at most.',
    }),
  ),
})

/** How many groups the page may have: 1 to 1,000, by default 100. */
export function limitOf({ limit }: Static<typeof PageQuery>): number {
  return limit === undefined ? LIMIT_DEFAULT : Number(limit)
}

/** The header `Link` (RFC 8288) that leads to the next page: the same query with another `after`. */
export function nextLink(path: string, query: Readonly<{ [name: string]: string }>, after: string): string {
  return `<${path}?${new URLSearchParams({ ...query, after })}>; rel="next"`
}
