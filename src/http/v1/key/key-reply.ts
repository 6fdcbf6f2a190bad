/** What the routes of API keys have in common. */
import type { FastifyReply } from 'fastify'
import type { ApiKey, KeyDecision } from '../../../access/api-key.ts'
import type { Caller } from '../../../access/caller.ts'
import type { ApiKey as ApiKeyView } from '../../../api/key-schemas.ts'
import type { Outcome } from '../../../group/registry.ts'
import { describeCaller } from '../../auth/require.ts'
import { sendFailure } from '../../outcome.ts'
import { sendProblem } from '../../problem.ts'
import { invalidRequest } from '../../request-error.ts'

export const KEYS_PATH = '/v1/key'
export const KEY_PATH = `${KEYS_PATH}/:keyId`

/** A key as clients see it: without hashes. */
export function viewOf({ hash: _, previous, ...shown }: ApiKey): ApiKeyView {
  return previous === undefined ? shown : { ...shown, previousUntil: previous.validUntil }
}

/**
 * The key after a change. `undefined`: the change was refused or failed, and the error has been sent.
 */
export function decidedKey(
  reply: FastifyReply,
  outcome: Outcome<KeyDecision>,
  retryAfterSeconds: number,
): ApiKey | undefined {
  if (outcome.kind !== 'done') {
    sendFailure(reply, outcome, retryAfterSeconds, 'unreadable_key')
    return undefined
  }
  if (outcome.value.kind !== 'refused') return outcome.value.answer
  if (outcome.value.refusal === 'forbidden') sendForbiddenKey(reply, reply.request.caller)
  else sendKeyNotFound(reply)
  return undefined
}

export function sendKeyNotFound(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, 'key_not_found', { detail: 'No API key has this id.' })
}

/** The key is outside the prefix of the caller. */
export function sendForbiddenKey(reply: FastifyReply, caller: Caller): FastifyReply {
  return sendProblem(reply, 'forbidden', {
    detail: `The API key is not limited to the prefix of the caller, or to a part of it: ${describeCaller(caller)}.`,
  })
}

/** Refuses an expiry that is over already. @throws RequestError */
export function requireFuture(expiresAt: string | undefined, now: Date): void {
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > now.getTime())) {
    throw invalidRequest([{ field: 'expiresAt', message: 'must be in the future' }])
  }
}
