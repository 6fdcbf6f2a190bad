import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import {
  BATCH_CHANGES_MAX,
  BatchBody,
  type BatchDone,
  type BatchFailed,
  BatchResult,
} from '../../../api/batch-schemas.ts'
import { PROBLEMS } from '../../../api/problem-codes.ts'
import { createGroup } from '../../../group/create-group.ts'
import { deleteGroup } from '../../../group/delete-group.ts'
import { type EtagCondition, etagOf, parseEtagCondition } from '../../../group/etag.ts'
import type { Command, Decision } from '../../../group/group.ts'
import type { Outcome, Registry } from '../../../group/registry.ts'
import { updateGroup } from '../../../group/update-group.ts'
import { authorOfRequest } from '../../author.ts'
import { BATCH_BODY_BYTES_MAX, Batch, requireDifferent } from '../../batch.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { failureProblem, refusalProblem, type Unsent } from '../../outcome.ts'
import { ETAG_EXPECTED } from '../../preconditions.ts'
import { problemOf } from '../../problem.ts'
import { repeatableRequest } from '../../repeatable-request.ts'
import { invalidRequest } from '../../request-error.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'batchGroups',
  tags: ['Groups'],
  summary: 'Create, change and delete many groups',
  description:
    'Makes 1 to 1,000 changes, side by side, and answers with the outcome of each, in the order of the request. It is not a transaction: each change is made or refused as if it had been sent alone, and the answer is 200 whatever becomes of them. A change that could not be begun within 2 seconds is told as `overloaded`: nothing was changed, and it may be sent again. Each group may be named once. A body has at most 1 MiB. With `Idempotency-Key`, each create and each update is remembered by its group, so that the batch may be repeated; a repeated delete finds no group.',
  consumes: MEDIA_TYPES,
  requestHeaders: ['Idempotency-Key'],
  body: BatchBody,
  response: { 200: answer('What became of each change.', BatchResult) },
  problems: JSON_BODY_PROBLEMS,
} as const

type Result = BatchDone | BatchFailed

/** One change of a batch, before it is made. `okStatus`: its status when it is made. */
type Change = Readonly<{ groupId: string; command: Command; okStatus: 200 | 201 }>

/** `POST /v1/groups:batch`: many changes in one request. */
export function batchGroupsRoute(dependencies: Dependencies): FastifyPluginAsyncTypebox {
  const { engine, nowMs } = dependencies
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    // Counted before the schema looks at what the changes are.
    const preValidation = async ({ body }: FastifyRequest) => requireCount(body)
    const options = {
      config: { cost: 'bulk' },
      schema,
      bodyLimit: BATCH_BODY_BYTES_MAX,
      preValidation,
    } as const
    // Fastify takes two colons for one that begins no parameter.
    app.post('/v1/groups::batch', options, async (request): Promise<BatchResult> => {
      requireDifferentGroups(request.body)
      const changes = changesOf(request, request.body, dependencies)
      const all = PARTS.flatMap((part) => changes[part])
      const results = await new Batch(nowMs).makeAll(all, {
        make: (change) => resultOf(engine.registry, change, request.id),
        refuse: (change, problem): Result => failed(change, request.id, problem),
      })
      const ends = [changes.create.length, changes.create.length + changes.update.length]
      return {
        create: results.slice(0, ends[0]),
        update: results.slice(ends[0], ends[1]),
        delete: results.slice(ends[1]),
      }
    })
  }
}

const PARTS = ['create', 'update', 'delete'] as const

/** @throws RequestError */
function requireCount(body: unknown): void {
  const parts = (body ?? {}) as { readonly [part in (typeof PARTS)[number]]?: unknown }
  const count = PARTS.reduce((sum, part) => sum + (Array.isArray(parts[part]) ? parts[part].length : 0), 0)
  if (count > BATCH_CHANGES_MAX)
    throw invalidRequest([
      { field: 'body', message: `must have at most ${BATCH_CHANGES_MAX} changes in all` },
    ])
}

/** @throws RequestError if there is no change, or a group is named twice */
function requireDifferentGroups(body: BatchBody): void {
  const named = PARTS.flatMap((part) =>
    (body[part] ?? []).map(({ groupId }, index) => [`${part}.${index}.groupId`, groupId] as const),
  )
  if (named.length === 0) throw invalidRequest([{ field: 'body', message: 'must have at least 1 change' }])
  requireDifferent(named)
}

function changesOf(
  request: FastifyRequest,
  body: BatchBody,
  { clock, newIncarnation }: Dependencies,
): { [part in (typeof PARTS)[number]]: readonly Change[] } {
  const now = clock.now().toISOString()
  const author = authorOfRequest(request)
  const { headers } = request
  // The same request as if it had been sent alone, with the same key.
  const repeatable = (method: string, content: object, ifMatch?: string) => {
    const conditions = ifMatch === undefined ? {} : { 'if-match': ifMatch }
    return repeatableRequest({
      headers: { 'idempotency-key': headers['idempotency-key'], ...conditions },
      method,
      body: content,
    })
  }
  return {
    create: (body.create ?? []).map((group) => ({
      groupId: group.groupId,
      command: createGroup({
        ...group,
        now,
        author,
        incarnation: newIncarnation(),
        request: repeatable('POST', group),
      }),
      okStatus: 201,
    })),
    update: (body.update ?? []).map(({ groupId, ifMatch, ...patch }, index) => ({
      groupId,
      command: updateGroup({
        patch,
        now,
        author,
        ifMatch: conditionIn(`update.${index}.ifMatch`, ifMatch),
        request: repeatable('PATCH', patch, ifMatch),
      }),
      okStatus: 200,
    })),
    delete: (body.delete ?? []).map(({ groupId, ifMatch }, index) => ({
      groupId,
      command: deleteGroup({ ifMatch: conditionIn(`delete.${index}.ifMatch`, ifMatch) }),
      okStatus: 200,
    })),
  }
}

/** @throws RequestError */
function conditionIn(field: string, text: string | undefined): EtagCondition | undefined {
  if (text === undefined) return undefined
  const condition = parseEtagCondition(text)
  if (condition === undefined) throw invalidRequest([{ field, message: ETAG_EXPECTED }])
  return condition
}

function failed({ groupId }: Change, requestId: string, { code, extras }: Unsent): BatchFailed {
  return { groupId, status: PROBLEMS[code].status, problem: problemOf(code, requestId, extras) }
}

async function resultOf(registry: Registry, change: Change, requestId: string): Promise<Result> {
  const { groupId, command, okStatus } = change
  const outcome: Outcome<Decision> = await registry.change(groupId, command)
  if (outcome.kind !== 'done') return failed(change, requestId, failureProblem(outcome))
  if (outcome.value.kind === 'refused')
    return failed(change, requestId, refusalProblem(outcome.value.refusal))
  const { kind, answer: group } = outcome.value
  const { version, createdAt, updatedAt } = group
  const done = { groupId, status: okStatus, etag: etagOf(group), version, createdAt, updatedAt }
  return kind === 'replayed' ? { ...done, replayed: true } : done
}
