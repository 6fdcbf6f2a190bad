import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { mayManage } from '../../../access/api-key.ts'
import type { KeyStore } from '../../../access/key-store.ts'
import { KEY_ID } from '../../../access/key-token.ts'
import { KeyList } from '../../../api/key-schemas.ts'
import { Type } from '../../../api/type.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { DescribedPageQuery, LIMIT, limitOf } from '../../page-query.ts'
import { KEYS_PATH, viewOf } from './key-reply.ts'

const after = Type.Optional(
  Type.String({
    pattern: KEY_ID,
    description: 'The page starts after this id, also if no key has it. Without it: at the first key.',
  }),
)

const schema = {
  operationId: 'listKeys',
  tags: ['Access'],
  summary: 'List API keys',
  description:
    'A page of keys, in the order of their ids, without their secrets. A caller with a prefix sees the keys for its prefix and for parts of it.',
  querystring: Type.Object(
    { after, limit: Type.Optional(Type.String({ pattern: LIMIT })) },
    { additionalProperties: false },
  ),
  describedQuery: Type.Object({ ...DescribedPageQuery.properties, after }),
  response: { 200: answer('A page.', KeyList) },
  problems: ['unavailable'],
} as const

/** `GET /v1/key`. */
export function listKeysRoute(
  keys: KeyStore,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(KEYS_PATH, { schema }, async ({ query, caller }, reply) => {
      const outcome = await keys.scan({ after: query.after, limit: limitOf(query) })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { keys: found, unreadable, after: next } = outcome.value
      return { keys: found.filter((key) => mayManage(caller, key)).map(viewOf), unreadable, after: next }
    })
  }
}
