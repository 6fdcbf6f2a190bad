/** The query of `GET /v1/group`. */
import type { Static } from 'typebox'
import { GroupId } from '../../../api/group-schemas.ts'
import { Type } from '../../../api/type.ts'
import type { Group } from '../../../group/group.ts'
import { parseLabelSelector } from '../../../group/label-selector.ts'
import type { ScanOptions } from '../../../group/registry.ts'
import { DescribedPageQuery, limitOf, PageQuery } from '../../page-query.ts'
import { invalidRequest } from '../../request-error.ts'

/** The only list of fields that can be asked for. */
export const FIELDS = '^groupId$'

export const prefix = Type.Optional(
  Type.String({
    ...GroupId,
    description:
      'Only groups whose ids begin with this text. Other groups are not read, so a page takes as long as if they did not exist.',
    examples: ['team-a/'],
  }),
)

export const labels = Type.Optional(
  Type.String({
    description:
      'Only groups with these labels, as a selector in the grammar of Kubernetes: requirements with commas between them, which must all hold: `key`, `!key`, `key=value`, `key!=value`, `key in (value,value)`, `key notin (value,value)`. A key or a value with other signs is written as a JSON string. The connector reads the groups without these labels too, and leaves them out, so a page may be short or empty, and still have an `after`.',
    examples: ['team=core,env in (prod,stage),!legacy'],
  }),
)

/** The query as it is validated: all its values are texts. */
export const ListQuery = Type.Object(
  {
    ...PageQuery.properties,
    prefix,
    labels,
    fields: Type.Optional(Type.String({ pattern: FIELDS })),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof ListQuery>

/** The same query as clients see it. */
export const DescribedListQuery = Type.Object({
  ...DescribedPageQuery.properties,
  prefix,
  labels,
  fields: Type.Optional(
    Type.Enum(['groupId'], {
      type: 'string',
      description: 'With `groupId`, the page has only the ids of the groups, in `groupIds`.',
    }),
  ),
})

/** The groups for which a query asks. @throws RequestError if `labels` is no selector */
export function scanOptionsOf(query: ListQuery): ScanOptions {
  const { after, prefix, labels } = query
  return {
    after,
    limit: limitOf(query),
    prefix,
    isWanted: labels === undefined ? undefined : isWanted(labels),
  }
}

/** @throws RequestError if the text is no selector */
export function isWanted(labels: string): (group: Pick<Group, 'labels'>) => boolean {
  const selector = parseLabelSelector(labels)
  if (typeof selector === 'string') throw invalidRequest([{ field: 'labels', message: selector }])
  return (group) => selector(group.labels ?? {})
}
