/**
 * Which right each route of the public API needs: the only place that says so. A route that is not in this
 * table does not start (src/http/auth/guard.ts).
 */
import type { Right } from './role.ts'

/**
 * What a route shows or changes, which a caller with a prefix may do only within its prefix:
 *
 * - `no group`: no group at all. The prefix does not count;
 * - `group in path`, `group in body`, `groups in body`, `batch in body`: the groups that the request names;
 * - `list`: the groups whose ids begin with the `prefix` of the query;
 * - `keys`: API keys. The handler compares the prefix of each key;
 * - `everything`: the whole cluster. A caller with a prefix may not.
 */
export type Subject =
  | 'no group'
  | 'group in path'
  | 'group in body'
  | 'groups in body'
  | 'batch in body'
  | 'list'
  | 'keys'
  | 'everything'

/** What a caller needs for a route. `open`: nothing, so the caller is not asked who it is. */
export type RouteRight = Readonly<{ right: Right; subject: Subject }> | 'open'

/** By method and path, as the routes are added to Fastify. A HEAD route has the right of its GET route. */
export const ROUTE_RIGHTS: { readonly [route: string]: RouteRight } = {
  'POST /v1/group': { right: 'write', subject: 'group in body' },
  'POST /v1/groups::batch': { right: 'write', subject: 'batch in body' },
  'GET /v1/group': { right: 'read', subject: 'list' },
  'GET /v1/watch': { right: 'read', subject: 'list' },
  'GET /v1/group/:groupId': { right: 'read', subject: 'group in path' },
  'PATCH /v1/group/:groupId': { right: 'write', subject: 'group in path' },
  'DELETE /v1/group/:groupId': { right: 'write', subject: 'group in path' },
  'GET /v1/group/:groupId/replicas': { right: 'read', subject: 'group in path' },

  'PUT /v1/group/:groupId/members/:memberId': { right: 'write', subject: 'group in path' },
  'GET /v1/group/:groupId/members/:memberId': { right: 'read', subject: 'group in path' },
  'DELETE /v1/group/:groupId/members/:memberId': { right: 'write', subject: 'group in path' },
  'GET /v1/group/:groupId/members': { right: 'read', subject: 'group in path' },
  'POST /v1/group/:groupId/members::batch': { right: 'write', subject: 'group in path' },
  'GET /v1/member/:memberId/groups': { right: 'read', subject: 'list' },

  'POST /v1/key': { right: 'admin', subject: 'keys' },
  'GET /v1/key': { right: 'admin', subject: 'keys' },
  'GET /v1/key/:keyId': { right: 'admin', subject: 'keys' },
  'DELETE /v1/key/:keyId': { right: 'admin', subject: 'keys' },
  'POST /v1/key/:keyId/rotate': { right: 'admin', subject: 'keys' },
  'GET /v1/caller': { right: 'status', subject: 'no group' },

  'GET /v1/backup': { right: 'admin', subject: 'everything' },
  'GET /v1/backup/members': { right: 'admin', subject: 'everything' },
  'POST /v1/restore/members': { right: 'admin', subject: 'everything' },
  'POST /v1/restore': { right: 'admin', subject: 'groups in body' },

  'GET /v1/cluster': { right: 'status', subject: 'no group' },
  'POST /v1/cluster/members': { right: 'admin', subject: 'everything' },
  'PUT /v1/cluster/members/:nodeId': { right: 'admin', subject: 'everything' },
  'DELETE /v1/cluster/members/:nodeId': { right: 'admin', subject: 'everything' },

  'GET /metrics': { right: 'metrics', subject: 'everything' },

  // Load balancers and supervisors have no credentials. The answers say nothing about groups.
  'GET /livez': 'open',
  'GET /readyz': 'open',
  // The description is the same for every connector, and it is public with the source.
  'GET /v1/openapi.json': 'open',
  'GET /v1/docs': 'open',
  'GET /v1/docs/*': 'open',
  'GET /v1/redoc': 'open',
  'GET /v1/redoc/*': 'open',
}

/**
 * The right that a route needs. `undefined`: the table does not have the route.
 *
 * @param url the path as Fastify has it, with `:groupId` for a parameter
 */
export function rightOf(method: string, url: string): RouteRight | undefined {
  const verb = method === 'HEAD' ? 'GET' : method
  const exact = ROUTE_RIGHTS[`${verb} ${url}`]
  if (exact !== undefined) return exact
  // The files of a documentation page are below its path.
  const page =
    /^(\/v1\/(?:docs|redoc))\/./.exec(url)?.[1] ?? (url.endsWith('/') ? url.slice(0, -1) : undefined)
  return page === undefined ? undefined : ROUTE_RIGHTS[`${verb} ${page}/*`]
}
