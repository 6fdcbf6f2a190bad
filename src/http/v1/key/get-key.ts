import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { mayManage } from '../../../access/api-key.ts'
import type { KeyStore } from '../../../access/key-store.ts'
import { ApiKey, KeyParams } from '../../../api/key-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { KEY_PATH, sendForbiddenKey, sendKeyNotFound, viewOf } from './key-reply.ts'

const schema = {
  operationId: 'getKey',
  tags: ['Access'],
  summary: 'Show an API key',
  description: 'Everything about a key but its secret.',
  params: KeyParams,
  response: { 200: answer('The key.', ApiKey) },
  problems: ['key_not_found', 'unreadable_key', 'unavailable'],
} as const

/** `GET /v1/key/{keyId}`. */
export function getKeyRoute(keys: KeyStore, { retryAfterSeconds }: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(KEY_PATH, { schema }, async ({ params, caller }, reply) => {
      const outcome = await keys.read(params.keyId)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds, 'unreadable_key')
      if (outcome.value === undefined) return sendKeyNotFound(reply)
      return mayManage(caller, outcome.value) ? viewOf(outcome.value) : sendForbiddenKey(reply, caller)
    })
  }
}
