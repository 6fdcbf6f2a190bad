/**
 * The HTTP server of the public API. This file puts its parts together, but does not listen. A new route
 * needs one line here.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import { systemClock } from '../process/clock.ts'
import { admitRequests } from './admission/admit-requests.ts'
import { paceRequests } from './admission/pace-requests.ts'
import { auditRequests } from './audit/audit-requests.ts'
import { guardRoutes } from './auth/guard.ts'
import { answerClientError, answerConnect, keptError } from './client-error.ts'
import { answerCors } from './cors.ts'
import { countRequests } from './count-requests.ts'
import type { Dependencies } from './dependencies.ts'
import { collectRoutes, docsRoutes } from './docs/docs.ts'
import { drainOnClose } from './drain.ts'
import { errorHandler } from './error-handler.ts'
import { healthRoutes } from './health.ts'
import { hostError } from './host.ts'
import { httpsOptions, serveHttps } from './https.ts'
import { BODY_BYTES_MAX } from './json-bodies.ts'
import { lazyValidators } from './lazy-validators.ts'
import { metricsRoute } from './metrics.ts'
import { answerUnrouted } from './not-found.ts'
import { judgePreconditions } from './preconditions.ts'
import { limitRates, type RefuseByRate } from './rate-limit/limit-rates.ts'
import { REQUEST_ID_HEADER, requestIds } from './request-id.ts'
import { backupRoute } from './v1/backup/backup.ts'
import { backupMembersRoute } from './v1/backup/backup-members.ts'
import { restoreRoute } from './v1/backup/restore.ts'
import { restoreMembersRoute } from './v1/backup/restore-members.ts'
import { getCallerRoute } from './v1/caller/get-caller.ts'
import { addMemberRoute } from './v1/cluster/add-member.ts'
import { getClusterRoute } from './v1/cluster/get-cluster.ts'
import { removeMemberRoute } from './v1/cluster/remove-member.ts'
import { replaceMemberRoute } from './v1/cluster/replace-member.ts'
import { batchGroupsRoute } from './v1/group/batch-groups.ts'
import { createGroupRoute } from './v1/group/create-group.ts'
import { deleteGroupRoute } from './v1/group/delete-group.ts'
import { getGroupRoute } from './v1/group/get-group.ts'
import { getReplicasRoute } from './v1/group/get-replicas.ts'
import { PARAM_LENGTH_MAX } from './v1/group/group-request.ts'
import { listGroupsRoute } from './v1/group/list-groups.ts'
import { updateGroupRoute } from './v1/group/update-group.ts'
import { batchGroupMembersRoute } from './v1/group-member/batch-members.ts'
import { getGroupMemberRoute } from './v1/group-member/get-member.ts'
import { listGroupsOfRoute } from './v1/group-member/list-groups-of.ts'
import { listGroupMembersRoute } from './v1/group-member/list-members.ts'
import { putGroupMemberRoute } from './v1/group-member/put-member.ts'
import { removeGroupMemberRoute } from './v1/group-member/remove-member.ts'
import { createKeyRoute } from './v1/key/create-key.ts'
import { getKeyRoute } from './v1/key/get-key.ts'
import { listKeysRoute } from './v1/key/list-keys.ts'
import { revokeKeyRoute } from './v1/key/revoke-key.ts'
import { rotateKeyRoute } from './v1/key/rotate-key.ts'
import { watchRoute } from './v1/watch/watch.ts'
import { Watches } from './v1/watch/watches.ts'
import { AJV_OPTIONS } from './validation.ts'

const REQUEST_TIMEOUT_MS = 30_000
/** How often the server looks for requests that take too long to arrive, within one request timeout. */
const LOOKS_PER_TIMEOUT = 30
/** The bytes of a request line with its headers, at most. */
const HEADER_BYTES_MAX = 16 * 1_024
/**
 * After how long a connection is closed on which nothing moves: the client reads its answer no further. It is
 * longer than any request takes.
 */
const CONNECTION_TIMEOUT_MS = 180_000
const DRAIN_GRACE_MS = 500

/**
 * The name of each route among Fastify's plugins. For a plugin without a name Fastify looks through all
 * modules that are loaded, which takes a tenth of the time in which an app is made.
 */
const ROUTE_NAME = { [Symbol.for('fastify.display-name')]: 'route' }

/** The app. It does not listen yet: tests inject requests. `close()` drains (drain.ts). */
export function buildApp(dependencies: Dependencies): FastifyInstance {
  const {
    admission,
    authenticator,
    certificates,
    corsOrigins = [],
    isLocalOnly = false,
    retryAfterSeconds,
    logger,
    requestCounts,
    nowMs,
    drainGraceMs = DRAIN_GRACE_MS,
    drainTimeoutMs,
    engine: { registry, changes, replicas, members, keys, groupMembers },
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
  } = dependencies
  const serverOptions = {
    // `hostError` refuses a request without Host. Node.js would answer without the headers of this API.
    requireHostHeader: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(requestTimeoutMs / LOOKS_PER_TIMEOUT),
  }
  const newRequestId = requestIds()
  let refuseByRate: RefuseByRate = () => false
  const onError = errorHandler({ ...dependencies, refuseByRate: (...args) => refuseByRate(...args) })
  const app = fastify({
    // Fastify's own logger would make a child logger for every request. The code that has something to log
    // logs it with `logger`.
    logger: false,
    genReqId: newRequestId,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    return503OnClosing: false,
    // Fastify's limit for plugins is one for a close too: after ten seconds it would end a drain.
    pluginTimeout: 0,
    ...(certificates === undefined
      ? { http: serverOptions }
      : // Fastify gives the server of HTTPS another type, which no part of this program needs.
        ({ https: { ...serverOptions, ...httpsOptions(certificates) } } as object)),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PARAM_LENGTH_MAX },
    ajv: { customOptions: AJV_OPTIONS },
    schemaController: {
      compilersFactory: {
        buildValidator: lazyValidators,
        // Schemas only describe the answers. `JSON.stringify` writes them: it is faster, and drops no field
        // silently.
        buildSerializer: () => () => JSON.stringify,
      },
    },
    frameworkErrors: (error, request, reply) => onError(error, request, reply),
    clientErrorHandler: (raised, socket) => {
      const error = keptError(raised as Error)
      admission.pipelines.answerLast(socket as Socket, () => {
        const status = answerClientError(error, socket as Socket, newRequestId({ headers: {} }))
        if (status !== undefined) requestCounts.unrouted.count(status)
      })
    },
  })
  if (certificates !== undefined) serveHttps(app, certificates)
  app.removeAllContentTypeParsers()
  app.setErrorHandler(onError)
  const sendUnrouted = answerUnrouted(app)
  const cors = answerCors(corsOrigins)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id)
    // A browser must not guess a type that could run as a script.
    reply.header('x-content-type-options', 'nosniff')
    if (cors?.(request, reply)) return
    const error = hostError(request.raw, isLocalOnly)
    if (error === undefined && request.is404) sendUnrouted(request, reply)
    else done(error)
  })
  judgePreconditions(app)
  countRequests(app, requestCounts, nowMs)
  guardRoutes(app, { authenticator, retryAfterSeconds })
  auditRequests(app, dependencies.audit)
  refuseByRate = limitRates(app, admission)
  admitRequests(app, dependencies)
  admission.connections.guard(app.server)
  paceRequests(app.server, systemClock)
  admission.pipelines.guard(app.server, certificates === undefined ? 'connection' : 'secureConnection')
  const watches = changes && new Watches(changes, registry)
  watches?.addMetrics(dependencies.metrics)
  const isDraining = drainOnClose(app, {
    graceMs: drainGraceMs,
    timeoutMs: drainTimeoutMs,
    nowMs,
    takeWaiting: () => admission.pipelines.takeWaiting(),
    endStreams: () => watches?.close(),
    logger,
  })
  // A server may ignore an expectation that it does not know (RFC 9110 §10.1.1). Without this line Node.js
  // would refuse the request by itself, without the headers of this API.
  app.server.on('checkExpectation', app.routing)
  app.server.on('connect', (request: IncomingMessage, socket: Socket) => {
    requestCounts.unrouted.count(answerConnect(socket, newRequestId(request)))
  })

  collectRoutes(app)
  const add = (route: FastifyPluginAsync) => app.register(Object.assign(route, ROUTE_NAME))
  add(createGroupRoute(dependencies))
  add(batchGroupsRoute(dependencies))
  add(getGroupRoute(dependencies))
  add(listGroupsRoute(dependencies))
  add(updateGroupRoute(dependencies))
  add(deleteGroupRoute(dependencies))
  if (watches !== undefined) add(watchRoute(watches, dependencies))
  add(getClusterRoute(dependencies))
  add(backupRoute(dependencies))
  add(restoreRoute(dependencies))
  if (replicas !== undefined) add(getReplicasRoute(replicas, dependencies))
  if (groupMembers !== undefined) {
    add(putGroupMemberRoute(groupMembers, dependencies))
    add(getGroupMemberRoute(groupMembers, dependencies))
    add(removeGroupMemberRoute(groupMembers, dependencies))
    add(listGroupMembersRoute(groupMembers, dependencies))
    add(batchGroupMembersRoute(groupMembers, dependencies))
    add(listGroupsOfRoute(groupMembers, dependencies))
    add(backupMembersRoute(groupMembers, dependencies))
    add(restoreMembersRoute(groupMembers, dependencies))
  }
  if (members !== undefined) {
    add(addMemberRoute(members, dependencies))
    add(replaceMemberRoute(members, dependencies))
    add(removeMemberRoute(members, dependencies))
  }
  add(getCallerRoute())
  if (keys !== undefined) {
    add(createKeyRoute(keys, dependencies))
    add(listKeysRoute(keys, dependencies))
    add(getKeyRoute(keys, dependencies))
    add(rotateKeyRoute(keys, dependencies))
    add(revokeKeyRoute(keys, dependencies))
  }
  add(healthRoutes(isDraining, dependencies))
  add(metricsRoute(dependencies))
  add(docsRoutes())
  return app
}
