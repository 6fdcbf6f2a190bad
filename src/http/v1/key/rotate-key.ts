import { randomBytes } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { rotateKey } from '../../../access/api-key.ts'
import type { KeyStore } from '../../../access/key-store.ts'
import { hashToken, newToken } from '../../../access/key-token.ts'
import { IssuedKey, KeyParams, RotateKeyBody } from '../../../api/key-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { decidedKey, KEY_PATH, requireFuture, viewOf } from './key-reply.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'rotateKey',
  tags: ['Access'],
  summary: 'Give an API key another secret',
  description:
    'The key keeps its id, its name and its rights. The answer has the new key itself, which is shown only this once. Every connector refuses the old secret within a second, or after `overlapSeconds`. After a 504, rotate again.',
  params: KeyParams,
  consumes: MEDIA_TYPES,
  body: RotateKeyBody,
  response: { 200: answer('The key.', IssuedKey, { headers: ['Cache-Control'] }) },
  problems: [...JSON_BODY_PROBLEMS, 'key_not_found', 'unreadable_key', 'unavailable', 'outcome_unknown'],
} as const

/** `POST /v1/key/{keyId}/rotate`. */
export function rotateKeyRoute(
  keys: KeyStore,
  { clock, retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.post(`${KEY_PATH}/rotate`, { schema }, async ({ params, body, caller }, reply) => {
      const { overlapSeconds = 0, expiresAt } = body
      const now = clock.now()
      requireFuture(expiresAt, now)
      const token = newToken(randomBytes, params.keyId)
      const command = rotateKey(caller, {
        hash: hashToken(token).toString('hex'),
        now: now.toISOString(),
        previousUntil:
          overlapSeconds === 0 ? undefined : new Date(now.getTime() + overlapSeconds * 1_000).toISOString(),
        expiresAt,
      })
      const key = decidedKey(reply, await keys.change(params.keyId, command), retryAfterSeconds)
      if (key === undefined) return reply
      reply.header('cache-control', 'no-store')
      return { key: viewOf(key), token }
    })
  }
}
