import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { RestoreBody, type RestoreResult, type StoredGroup } from '../../../api/backup-schemas.ts'
import type { Decision, Group } from '../../../group/group.ts'
import type { Outcome, Registry } from '../../../group/registry.ts'
import { restoreGroup } from '../../../group/restore-group.ts'
import type { Dependencies } from '../../dependencies.ts'
import { takeJsonBodies } from '../../json-bodies.ts'
import { sendFailure } from '../../outcome.ts'

/**
 * The largest page in bytes: the largest group has some 90 KiB, too many for the 64 KiB of the other routes.
 */
export const RESTORE_BODY_BYTES_MAX = 1_024 * 1_024

type Failure = Exclude<Outcome<Decision>, { kind: 'done' }>

/** `POST /v1/restore`: brings a page of groups back as they were. */
export function restoreRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, ['application/json'])
    const options = { schema: { body: RestoreBody }, bodyLimit: RESTORE_BODY_BYTES_MAX }
    app.post('/v1/restore', options, async (request, reply) => {
      const { result, failures } = await restoreAll(registry, request.body.groups)
      const failure = failureOf(result, failures)
      return failure === undefined ? result : sendFailure(reply, failure, retryAfterSeconds)
    })
  }
}

async function restoreAll(
  registry: Registry,
  groups: readonly StoredGroup[],
): Promise<{ result: RestoreResult; failures: readonly Failure[] }> {
  const result: RestoreResult = { restored: 0, unchanged: 0, conflicts: [] }
  const failures: Failure[] = []
  const restoring = groups.map(async (group) => {
    // What the schema lets through is a group: it knows optional fields as possibly undefined, JSON does not.
    const outcome = await registry.change(group.groupId, restoreGroup(group as Group))
    if (outcome.kind !== 'done') failures.push(outcome)
    else if (outcome.value.kind === 'changed') result.restored += 1
    else if (outcome.value.kind === 'unchanged') result.unchanged += 1
    else result.conflicts.push(group.groupId)
  })
  await Promise.all(restoring)
  return { result, failures }
}

/** How the page as a whole failed: nothing was done only if none of it was, or may yet be. */
function failureOf({ restored }: RestoreResult, failures: readonly Failure[]): Failure | undefined {
  const failure = failures.find(({ kind }) => kind === 'unknown') ?? failures[0]
  return failure === undefined || restored === 0 ? failure : { ...failure, kind: 'unknown' }
}
