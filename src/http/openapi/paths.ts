/** The operations of the API, path by path. */

import { memberPaths } from './member-paths.ts'
import { headerRefs, jsonAnswer, jsonBody, parameterRefs, problems } from './parts.ts'
import { CLUSTER_EXAMPLE, REPLICAS_EXAMPLE } from './status-examples.ts'

const GROUP_EXAMPLE = {
  groupId: 'payments',
  description: 'Card payments and refunds',
  labels: { team: 'core' },
  version: 1,
  createdAt: '2026-01-15T09:30:00.000Z',
  updatedAt: '2026-01-15T09:30:00.000Z',
}

const STORED_EXAMPLE = { ...GROUP_EXAMPLE, incarnation: '6f1c0d9a42e8b753-3' }

/**
 * Errors of every operation on a group: what can be wrong with any request, and what nodes can fail to do.
 */
const ON_ANY_GROUP = ['invalid_request', 'invalid_path', 'unavailable'] as const

export const paths = {
  '/v1/group': {
    get: {
      operationId: 'listGroups',
      tags: ['Groups'],
      summary: 'List groups',
      description:
        'A page of groups, in the order of their ids (as UTF-8 bytes). Each is as a read at some moment of the request would have shown it; a page as a whole is no snapshot. It may be short, or empty, where many groups were deleted: only the last one has no `after`.',
      parameters: parameterRefs('After', 'Limit'),
      responses: {
        200: jsonAnswer(
          'A page.',
          { $ref: '#/components/schemas/GroupList' },
          { groups: [GROUP_EXAMPLE], after: 'payments' },
        ),
        ...problems('invalid_request', 'unavailable'),
      },
    },
    post: {
      operationId: 'createGroup',
      tags: ['Groups'],
      summary: 'Create a group',
      description:
        'Exactly one of many simultaneous creates of an id gets 201; the others get 409. After a 504, read the group to see whether it was you.',
      parameters: parameterRefs(),
      requestBody: jsonBody('CreateGroup', ['application/json'], {
        groupId: 'payments',
        description: 'Card payments and refunds',
        labels: { team: 'core' },
      }),
      responses: {
        201: groupAnswer('The group, as it was created.', { Location: 'Location' }),
        ...problems(
          'invalid_request',
          'invalid_json',
          'group_exists',
          'body_too_large',
          'unsupported_media_type',
          'unavailable',
          'outcome_unknown',
        ),
      },
    },
  },
  '/v1/group/{groupId}': {
    parameters: [{ $ref: '#/components/parameters/GroupId' }],
    get: readGroup('getGroup', 'Read a group', true),
    head: readGroup('headGroup', 'Read the headers of a group', false),
    patch: {
      operationId: 'updateGroup',
      tags: ['Groups'],
      summary: 'Change a group',
      description:
        'A JSON merge patch (RFC 7396): what is left out stays, null removes. A patch that changes nothing keeps version and time.',
      parameters: parameterRefs('IfMatch'),
      requestBody: jsonBody('UpdateGroup', ['application/merge-patch+json', 'application/json'], {
        description: null,
        labels: { team: 'edge' },
      }),
      responses: {
        200: groupAnswer('The group, as it is now.'),
        ...problems(
          ...ON_ANY_GROUP,
          'invalid_json',
          'group_not_found',
          'version_mismatch',
          'precondition_failed',
          'body_too_large',
          'unsupported_media_type',
          'too_many_labels',
          'outcome_unknown',
        ),
      },
    },
    delete: {
      operationId: 'deleteGroup',
      tags: ['Groups'],
      summary: 'Delete a group',
      description: 'The id is free afterwards. A body, if one is sent, is ignored.',
      parameters: parameterRefs('IfMatch'),
      responses: {
        200: groupAnswer('The group, as it was before.'),
        ...problems(
          ...ON_ANY_GROUP,
          'group_not_found',
          'version_mismatch',
          'precondition_failed',
          'body_too_large',
          'outcome_unknown',
        ),
      },
    },
  },
  '/v1/group/{groupId}/replicas': {
    parameters: [{ $ref: '#/components/parameters/GroupId' }],
    get: {
      operationId: 'getReplicas',
      tags: ['Operations'],
      summary: 'What each node holds for a group',
      description:
        'Each node is asked by itself, for a second at most; what differs is shown and not repaired. A group that was deleted or never was is answered too, with what the nodes hold.',
      parameters: parameterRefs(),
      responses: {
        200: jsonAnswer('The replicas.', { $ref: '#/components/schemas/GroupReplicas' }, REPLICAS_EXAMPLE),
        ...problems(...ON_ANY_GROUP),
      },
    },
  },
  '/v1/cluster': {
    get: {
      operationId: 'getCluster',
      tags: ['Operations'],
      summary: 'How the cluster is',
      description:
        'A verdict, the reason, and every node as this connector sees it. Answered at once and with 200 whatever the verdict is, also before the cluster is found; what is not known is null.',
      parameters: parameterRefs(),
      responses: {
        200: jsonAnswer('The cluster.', { $ref: '#/components/schemas/ClusterStatus' }, CLUSTER_EXAMPLE),
        ...problems(),
      },
    },
  },
  ...memberPaths,
  '/v1/backup': {
    get: {
      operationId: 'backUpGroups',
      tags: ['Operations'],
      summary: 'Read groups as they are stored',
      description:
        'A page of groups with everything that is needed to bring them back, in the order of their ids (as UTF-8 bytes). Each is as a read at some moment of the request would have shown it. `cohort backup` makes a file of all pages.',
      parameters: parameterRefs('After', 'Limit'),
      responses: {
        200: jsonAnswer(
          'A page.',
          { $ref: '#/components/schemas/BackupPage' },
          { groups: [STORED_EXAMPLE], after: 'payments' },
        ),
        ...problems('invalid_request', 'unavailable'),
      },
    },
  },
  '/v1/restore': {
    post: {
      operationId: 'restoreGroups',
      tags: ['Operations'],
      summary: 'Bring groups back as they were',
      description:
        'Each group is created with the version, ETag and times that it is sent with, unless there is one of its id. One that is there and the same in everything is left unchanged, so the request may always be repeated; any other is a conflict, and left alone. A body has at most 1 MiB. The groups are restored one by one: after a 504, some may have been. `cohort restore` sends a file in such pages.',
      parameters: parameterRefs(),
      requestBody: jsonBody('Restore', ['application/json'], { groups: [STORED_EXAMPLE] }),
      responses: {
        200: jsonAnswer(
          'What became of the groups.',
          { $ref: '#/components/schemas/RestoreResult' },
          { restored: 1, unchanged: 0, conflicts: [] },
        ),
        ...problems(
          'invalid_request',
          'invalid_json',
          'body_too_large',
          'unsupported_media_type',
          'unavailable',
          'outcome_unknown',
        ),
      },
    },
  },
  '/livez': {
    get: {
      operationId: 'getLiveness',
      tags: ['Operations'],
      summary: 'Is the process there?',
      parameters: parameterRefs(),
      responses: { 200: statusAnswer('It is.', 'live') },
    },
  },
  '/readyz': {
    get: {
      operationId: 'getReadiness',
      tags: ['Operations'],
      summary: 'Can it serve?',
      description: 'Ready means that a classic quorum of the nodes answers.',
      parameters: parameterRefs(),
      responses: { 200: statusAnswer('It can.', 'ready'), ...problems('not_ready') },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      tags: ['Operations'],
      summary: 'Figures for Prometheus',
      description: 'What each of them means is said in docs/observability.md.',
      parameters: parameterRefs(),
      responses: {
        200: {
          description: 'In the text format of Prometheus.',
          headers: headerRefs(),
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        ...problems(),
      },
    },
  },
  '/v1/openapi.json': {
    get: {
      operationId: 'getOpenapi',
      tags: ['Documentation'],
      summary: 'This document',
      parameters: parameterRefs(),
      responses: { 200: jsonAnswer('OpenAPI 3.1.', { type: 'object' }, undefined) },
    },
  },
  '/v1/docs': { get: page('getSwaggerUi', 'This document in Swagger UI') },
  '/v1/redoc': { get: page('getRedoc', 'This document in Redoc') },
}

function readGroup(operationId: string, summary: string, hasBody: boolean): object {
  const ok = groupAnswer('The group.', { 'Cache-Control': 'CacheControl' })
  const errors = problems(...ON_ANY_GROUP, 'group_not_found')
  const responses = {
    200: ok,
    304: {
      description: 'It has one of the entity tags in `If-None-Match`.',
      headers: headerRefs({ ETag: 'ETag', 'Cache-Control': 'CacheControl' }),
    },
    ...errors,
  }
  return {
    operationId,
    tags: ['Groups'],
    summary,
    description: 'As every change that was answered before has left it, wherever it was made.',
    parameters: parameterRefs('IfNoneMatch'),
    responses: hasBody ? responses : withoutContent(responses),
  }
}

/** The same answers to HEAD: without a body. */
function withoutContent(responses: Record<string, object>): object {
  return Object.fromEntries(
    Object.entries(responses).map(([status, answer]) => [status, { ...answer, content: undefined }]),
  )
}

function groupAnswer(description: string, further: Parameters<typeof headerRefs>[0] = {}): object {
  return {
    ...jsonAnswer(description, { $ref: '#/components/schemas/Group' }, GROUP_EXAMPLE),
    headers: headerRefs({ ETag: 'ETag', ...further }),
  }
}

function statusAnswer(description: string, status: string): object {
  const schema = { type: 'object', required: ['status'], properties: { status: { const: status } } }
  return jsonAnswer(description, schema, { status })
}

function page(operationId: string, summary: string): object {
  return {
    operationId,
    tags: ['Documentation'],
    summary,
    parameters: parameterRefs(),
    responses: {
      200: {
        description: 'A page that needs nothing from elsewhere.',
        headers: headerRefs(),
        content: { 'text/html': { schema: { type: 'string' } } },
      },
    },
  }
}
