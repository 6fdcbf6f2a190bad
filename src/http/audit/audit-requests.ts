/**
 * Writes a line into the audit log for each request that may have changed something, for each refusal of a
 * caller, and for each use of a right that only administrators have.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { rightOf } from '../../access/route-rights.ts'

/** Where audit lines go. */
export type AuditOutput = Readonly<{ write(fields: object): void }>

/**
 * What a line is about:
 *
 * - `change`: the request has changed something, or it is not known whether it has;
 * - `refusal`: the caller is not known, may not do this, or sends too much;
 * - `admin`: the caller has used a right of administrators without changing anything.
 */
export type AuditEvent = 'change' | 'refusal' | 'admin'

const REFUSALS: ReadonlySet<number> = new Set([401, 403, 429])
/** How many ids of groups one line has at most. A restore has 256. */
const GROUP_IDS_MAX = 1_024

/** Call it before the first route is added. Without an output, it costs nothing. */
export function auditRequests(app: FastifyInstance, output: AuditOutput | undefined): void {
  if (output === undefined) return
  app.addHook('onSend', (request, reply, payload, done) => {
    const event = eventOf(request, reply.statusCode)
    if (event !== undefined) output.write(fieldsOf(request, event, reply.statusCode))
    done(null, payload)
  })
}

function eventOf(request: FastifyRequest, status: number): AuditEvent | undefined {
  if (REFUSALS.has(status)) return 'refusal'
  const { url } = request.routeOptions
  const right = url === undefined ? undefined : rightOf(request.method, url)
  if (right === undefined || right === 'open') return undefined
  const isChange = request.method !== 'GET' && request.method !== 'HEAD'
  // 500 and 504 say that the change may have been made.
  if (isChange && (status < 300 || status === 500 || status === 504)) return 'change'
  return right.right === 'admin' && status < 300 ? 'admin' : undefined
}

function fieldsOf(request: FastifyRequest, event: AuditEvent, status: number): object {
  const { caller, id, method, params, routeOptions } = request
  return {
    event,
    requestId: id,
    caller: caller.ref,
    callerName: caller.name,
    clientAddress: request.raw.socket.remoteAddress,
    method,
    route: routeOptions.url ?? 'none',
    ...(params as object),
    ...subjectsOf(request.body),
    status,
  }
}

/** The parts of bodies that list groups or members. */
const LISTS = ['groups', 'members', 'create', 'update', 'delete', 'add', 'remove'] as const

type Body = Readonly<{ [part: string]: unknown }> | null | undefined

/** The groups, members or addresses that a body names, and nothing else of it. */
function subjectsOf(body: unknown): object {
  if (typeof body !== 'object' || body === null) return {}
  const { groupId, address } = body as NonNullable<Body>
  const lists = LISTS.map((name) => (body as NonNullable<Body>)[name])
    .filter((list) => Array.isArray(list))
    .flat()
  const ids = lists.flatMap((item) => idOf(item)).slice(0, GROUP_IDS_MAX)
  return {
    ...(typeof groupId === 'string' ? { groupId } : {}),
    ...(typeof address === 'string' ? { address } : {}),
    ...(ids.length > 0 ? { ids } : {}),
  }
}

function idOf(item: unknown): string[] {
  if (typeof item === 'string') return [item]
  if (typeof item !== 'object' || item === null) return []
  const { groupId, memberId } = item as { groupId?: unknown; memberId?: unknown }
  return [groupId, memberId].filter((id) => typeof id === 'string')
}
