/** The query and the headers of `GET /v1/watch`. */
import type { Static } from 'typebox'
import { Type } from '../../../api/type.ts'
import { isWanted, labels, prefix } from '../group/list-query.ts'
import type { WatchFilter } from './watch-event.ts'

/** Longer than any place of a cluster. */
const PLACE_LENGTH_MAX = 2_048

const after = Type.Optional(
  Type.String({
    maxLength: PLACE_LENGTH_MAX,
    description:
      'The `id` of the last event that the client has: the watch goes on from there. The header `Last-Event-ID`, which browsers send by themselves, counts before it.',
  }),
)

/** The query as it is validated: all its values are texts. */
export const WatchQuery = Type.Object(
  { prefix, labels, after, initial: Type.Optional(Type.String({ pattern: '^(true|false)$' })) },
  { additionalProperties: false },
)
export type WatchQuery = Static<typeof WatchQuery>

/** The same query as clients see it. */
export const DescribedWatchQuery = Type.Object({
  prefix,
  labels,
  after,
  initial: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Whether all groups that are there come first, and then the event `synced`. They come again after each `reset`, unless the connection was closed.',
    }),
  ),
})

export const WatchHeaders = Type.Object({
  'last-event-id': Type.Optional(Type.String({ maxLength: PLACE_LENGTH_MAX })),
})

/** @throws RequestError if `labels` is no selector */
export function filterOf({ prefix = '', labels }: WatchQuery): WatchFilter {
  return {
    text: JSON.stringify([prefix, labels ?? null]),
    prefix,
    isWanted: labels === undefined ? undefined : isWanted(labels),
  }
}
