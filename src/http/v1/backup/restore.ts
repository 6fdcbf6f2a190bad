import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { RestoreBody, RestoreResult, type StoredGroup } from '../../../api/backup-schemas.ts'
import type { Group } from '../../../group/group.ts'
import type { Registry } from '../../../group/registry.ts'
import { type Restore, restoreGroup } from '../../../group/restore-group.ts'
import { authorOfRequest } from '../../author.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { type Failure, sendFailure } from '../../outcome.ts'
import { failureOf, RESTORE_BODY_BYTES_MAX } from './restored-page.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'restoreGroups',
  tags: ['Operations'],
  summary: 'Restore groups as they were',
  description:
    'Each group is created with its version, ETag and times, unless a group with its id exists. If that group has the same content, it is left unchanged, so the request may always be repeated. Otherwise the id is a conflict, and that group is not changed. A body has at most 1 MiB. The groups are restored one by one: after a 504, some of them may be restored. `cohort restore` sends a file in such pages.',
  consumes: MEDIA_TYPES,
  body: RestoreBody,
  response: { 200: answer('How many groups were restored, and which were not.', RestoreResult) },
  problems: [...JSON_BODY_PROBLEMS, 'unreadable_group', 'unavailable', 'outcome_unknown'],
} as const

/** `POST /v1/restore`: restores a page of groups as they were. */
export function restoreRoute({
  engine: { registry },
  newIncarnation,
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    const options = { config: { cost: 'bulk' }, schema, bodyLimit: RESTORE_BODY_BYTES_MAX } as const
    app.post('/v1/restore', options, async (request, reply) => {
      const { result, failures } = await restoreAll(registry, request.body.groups, () => ({
        life: newIncarnation(),
        author: authorOfRequest(request),
      }))
      const failure = failureOf(result.restored, failures)
      return failure === undefined ? result : sendFailure(reply, failure, retryAfterSeconds)
    })
  }
}

async function restoreAll(
  registry: Registry,
  groups: readonly StoredGroup[],
  newRestore: () => Restore,
): Promise<{ result: RestoreResult; failures: readonly Failure[] }> {
  const result: RestoreResult = { restored: 0, unchanged: 0, conflicts: [] }
  const failures: Failure[] = []
  const restoring = groups.map(async (group) => {
    // The type of the schema says that optional fields may be undefined. In JSON they are left out.
    const outcome = await registry.change(group.groupId, restoreGroup(group as Group, newRestore()))
    if (outcome.kind !== 'done') failures.push(outcome)
    else if (outcome.value.kind === 'changed') result.restored += 1
    else if (outcome.value.kind === 'unchanged') result.unchanged += 1
    else result.conflicts.push(group.groupId)
  })
  await Promise.all(restoring)
  return { result, failures }
}
