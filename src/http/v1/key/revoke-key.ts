import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { revokeKey } from '../../../access/api-key.ts'
import type { KeyStore } from '../../../access/key-store.ts'
import { ApiKey, KeyParams } from '../../../api/key-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { dropBodies } from '../../json-bodies.ts'
import { decidedKey, KEY_PATH, viewOf } from './key-reply.ts'

const schema = {
  operationId: 'revokeKey',
  tags: ['Access'],
  summary: 'Revoke an API key',
  description: 'The key is deleted. Every connector refuses it within a second. A body is ignored.',
  params: KeyParams,
  response: { 200: answer('The key, as it was.', ApiKey) },
  problems: ['key_not_found', 'body_too_large', 'unreadable_key', 'unavailable', 'outcome_unknown'],
} as const

/** `DELETE /v1/key/{keyId}`. */
export function revokeKeyRoute(
  keys: KeyStore,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    dropBodies(app)
    app.delete(KEY_PATH, { schema }, async ({ params, caller }, reply) => {
      const outcome = await keys.change(params.keyId, revokeKey(caller))
      const key = decidedKey(reply, outcome, retryAfterSeconds)
      return key === undefined ? reply : viewOf(key)
    })
  }
}
