import type { FastifyPluginAsync } from 'fastify'
import type { Caller } from '../../../access/caller.ts'
import { CallerView } from '../../../api/key-schemas.ts'
import { answer } from '../../docs/describe.ts'

const schema = {
  operationId: 'getCaller',
  tags: ['Access'],
  summary: 'Who am I, and what may I do?',
  description: 'Shows the caller whom the credentials of the request name, with its role and its prefix.',
  response: { 200: answer('The caller.', CallerView) },
}

/** `GET /v1/caller`. */
export function getCallerRoute(): FastifyPluginAsync {
  return async (app) => {
    app.get('/v1/caller', { schema }, async ({ caller }) => viewOf(caller))
  }
}

function viewOf({ kind, id, name, role, prefix }: Caller) {
  return { kind, id, name, role, ...(prefix === '' ? {} : { prefix }) }
}
