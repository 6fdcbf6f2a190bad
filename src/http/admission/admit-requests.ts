/**
 * Asks the gates before a request is worked on (admission.ts). A body waits as bytes, and is parsed when its
 * request has entered (json-bodies.ts); other requests enter before they are validated. A request leaves when
 * its answer is ready, so a client that reads slowly keeps no place.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { BODY_BYTES_MAX } from '../json-bodies.ts'
import type { Admission } from './admission.ts'
import type { Cost } from './cost.ts'
import { LargeBodies } from './large-bodies.ts'
import { sendOverloaded } from './overloaded.ts'
import { callerOf } from './request-gate.ts'
import { UnreadAnswers } from './unread-answers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request costs (cost.ts). Default: `operations`. */
    cost?: Cost
  }
  interface FastifyRequest {
    /** Gives the room of a large body back. */
    leaveBodies: (() => void) | null
  }
}

/** Call it before the first route is added, after those that say who the caller is. */
export function admitRequests(
  app: FastifyInstance,
  { admission, retryAfterSeconds }: Readonly<{ admission: Admission; retryAfterSeconds: number }>,
): void {
  app.decorateRequest('gate', null)
  app.decorateRequest('isAdmitted', false)
  app.decorateRequest('leaveBodies', null)
  const refuse = (reply: FastifyReply) => sendOverloaded(reply, retryAfterSeconds)
  app.addHook('onRoute', (route: RouteOptions) => {
    const { cost = 'operations' } = route.config ?? {}
    if (cost === 'free') return
    const gate = admission.gateOf(cost)
    const bodyBytesMax = route.bodyLimit ?? BODY_BYTES_MAX
    if (mayHaveBody(route)) {
      route.onRequest = [
        ...[route.onRequest ?? []].flat(),
        (request, reply, done) => {
          request.gate = gate
          if (!gate.isShutFor(request) && hasRoomForBody(admission.bodies, request, bodyBytesMax)) done()
          else {
            gate.refused(request)
            refuse(reply)
          }
        },
      ]
    }
    route.preValidation = [
      ...[route.preValidation ?? []].flat(),
      (request, reply, done) => {
        if (request.isAdmitted) return done()
        request.gate = gate
        gate.enter(request, done, () => refuse(reply))
      },
    ]
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    // If an answer cannot be sent, Fastify sends another one instead, and calls this hook again.
    if (request.isAdmitted) request.gate!.leave(request)
    request.leaveBodies?.()
    if (typeof payload === 'string' && UnreadAnswers.isCounted(payload.length)) {
      const { socket } = request.raw
      const onRead = admission.answers.add(Buffer.byteLength(payload), () => socket.destroy())
      reply.raw.once('close', onRead)
    }
    done(null, payload)
  })
  app.addHook('onClose', async () => admission.close())
}

function mayHaveBody({ method }: RouteOptions): boolean {
  return ![method].flat().every((name) => name === 'GET' || name === 'HEAD' || name === 'OPTIONS')
}

/** A body that is larger than the route takes needs no room: it is refused when it is read. */
function hasRoomForBody(bodies: LargeBodies, request: FastifyRequest, bodyBytesMax: number): boolean {
  const { headers } = request.raw
  const length = headers['content-length']
  const bytes = length !== undefined ? Number(length) : headers['transfer-encoding'] ? bodyBytesMax : 0
  if (!LargeBodies.needsRoom(bytes) || bytes > bodyBytesMax) return true
  const leave = bodies.enter(callerOf(request), bytes)
  if (leave === undefined) return false
  request.leaveBodies = leave
  return true
}
