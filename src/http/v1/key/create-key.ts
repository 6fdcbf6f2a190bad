import { randomBytes } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createKey, mayManage } from '../../../access/api-key.ts'
import type { KeyStore } from '../../../access/key-store.ts'
import { hashToken, idOfToken, newToken } from '../../../access/key-token.ts'
import { CreateKeyBody, IssuedKey } from '../../../api/key-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { decidedKey, KEYS_PATH, requireFuture, sendForbiddenKey, viewOf } from './key-reply.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'createKey',
  tags: ['Access'],
  summary: 'Create an API key',
  description:
    'The answer has the key itself, which is shown only this once. Every connector takes the key within a second. A caller with a prefix can create keys for its prefix, or for a part of it. After a 504, a key may exist that nobody knows: list the keys, and revoke it.',
  consumes: MEDIA_TYPES,
  body: CreateKeyBody,
  response: {
    201: answer('The key.', IssuedKey, { headers: ['Location', 'Cache-Control'] }),
  },
  problems: [...JSON_BODY_PROBLEMS, 'unreadable_key', 'unavailable', 'outcome_unknown'],
} as const

/** `POST /v1/key`. */
export function createKeyRoute(
  keys: KeyStore,
  { clock, retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.post(KEYS_PATH, { schema }, async ({ body, caller }, reply) => {
      const { name, role, prefix, expiresAt } = body
      requireFuture(expiresAt, clock.now())
      const limited = prefix === undefined ? {} : { prefix }
      if (!mayManage(caller, limited)) return sendForbiddenKey(reply, caller)
      while (true) {
        const token = newToken(randomBytes)
        const keyId = idOfToken(token)!
        const command = createKey({
          keyId,
          name,
          role,
          ...limited,
          hash: hashToken(token).toString('hex'),
          createdAt: clock.now().toISOString(),
          createdBy: caller.ref,
          ...(expiresAt === undefined ? {} : { expiresAt }),
        })
        const outcome = await keys.change(keyId, command)
        // Two ids of 47 random bits are rarely equal.
        if (outcome.kind === 'done' && outcome.value.kind === 'refused') continue
        const key = decidedKey(reply, outcome, retryAfterSeconds)
        if (key === undefined) return reply
        reply.code(201).header('location', `${KEYS_PATH}/${keyId}`).header('cache-control', 'no-store')
        return { key: viewOf(key), token }
      }
    })
  }
}
