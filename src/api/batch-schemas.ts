/** Many changes of groups in one request. */
import type { Static } from 'typebox'
import { CreateGroupBody, GROUP_EXAMPLE, Group, GroupId, UpdateGroupBody } from './group-schemas.ts'
import { Problem } from './problem-schema.ts'
import { Type } from './type.ts'

/** The largest number of changes in one batch. */
export const BATCH_CHANGES_MAX = 1_000

const ifMatch = Type.Optional(
  Type.String({
    maxLength: 1_024,
    description:
      'As the header `If-Match`: the change is made only if the group has one of these entity tags.',
    examples: ['"3-6f1c0d9a42e8b753"'],
  }),
)

const BatchUpdate = Type.Object(
  { groupId: GroupId, ifMatch, ...UpdateGroupBody.properties },
  {
    title: 'BatchUpdate',
    additionalProperties: false,
    description: 'A JSON merge patch (RFC 7396) of one group.',
    examples: [{ groupId: 'payments', labels: { team: 'edge' } }],
  },
)

const BatchDelete = Type.Object(
  { groupId: GroupId, ifMatch },
  {
    title: 'BatchDelete',
    additionalProperties: false,
    description: 'A group to delete.',
    examples: [{ groupId: 'billing' }],
  },
)

export const BatchBody = Type.Object(
  {
    create: Type.Optional(Type.Array(CreateGroupBody, { maxItems: BATCH_CHANGES_MAX })),
    update: Type.Optional(Type.Array(BatchUpdate, { maxItems: BATCH_CHANGES_MAX })),
    delete: Type.Optional(Type.Array(BatchDelete, { maxItems: BATCH_CHANGES_MAX })),
  },
  {
    title: 'Batch',
    additionalProperties: false,
    description: 'The changes: 1 to 1,000 in all. Each group may be named once.',
    examples: [
      {
        create: [{ groupId: 'search', labels: { team: 'core' } }],
        update: [{ groupId: 'payments', labels: { team: 'edge' } }],
        delete: [{ groupId: 'billing' }],
      },
    ],
  },
)
export type BatchBody = Static<typeof BatchBody>

const status = Type.Integer({ description: 'The HTTP status that this change would have alone.' })

const { version, createdAt, updatedAt } = Group.properties

/** A change that was made. */
const BatchDone = Type.Object(
  {
    groupId: GroupId,
    status,
    etag: Type.String({ description: 'As the header `ETag`.' }),
    version,
    createdAt,
    updatedAt,
    replayed: Type.Optional(
      Type.Boolean({ description: 'true: the same change was made before, and has changed nothing now.' }),
    ),
  },
  {
    title: 'BatchDone',
    description:
      'The change was made, or was not needed. The fields are those of the group: as it is now, or as it was before it was deleted.',
  },
)
export type BatchDone = Static<typeof BatchDone>

/** A change that was not made, or about which that is not known. */
const BatchFailed = Type.Object(
  { groupId: GroupId, status, problem: Problem },
  {
    title: 'BatchFailed',
    description:
      'The change was refused or has failed. `problem.outcome` says whether the change may have been made, as after a single request.',
  },
)
export type BatchFailed = Static<typeof BatchFailed>

const Results = Type.Array(Type.Union([BatchDone, BatchFailed]))

const { groupId: _id, description: _description, labels: _labels, ...HEAD } = GROUP_EXAMPLE

export const BatchResult = Type.Object(
  { create: Results, update: Results, delete: Results },
  {
    title: 'BatchResult',
    description: 'What became of each change, in the order of the request.',
    examples: [
      {
        create: [{ groupId: 'search', status: 201, etag: '"1-6f1c0d9a42e8b753"', ...HEAD }],
        update: [],
        delete: [
          {
            groupId: 'billing',
            status: 404,
            problem: {
              type: 'about:blank',
              status: 404,
              title: 'There is no such group',
              code: 'group_not_found',
              detail: 'No group has this groupId.',
              requestId: '5e1f0c9d7a3b4826-1a',
            },
          },
        ],
      },
    ],
  },
)
export type BatchResult = Readonly<Static<typeof BatchResult>>
