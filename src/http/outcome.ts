/**
 * Turns the outcome of a registry into an answer. Tables and switches cover every kind, so that the compiler
 * finds a kind that is missing.
 */
import type { FastifyReply } from 'fastify'
import type { Decision, Group, Refusal } from '../group/group.ts'
import { LABELS_MAX } from '../group/limits.ts'
import type { Outcome } from '../group/registry.ts'
import { sendProblem } from './problem.ts'

const DETAILS = {
  group_exists: 'A group with this groupId exists already; nothing was changed.',
  group_not_found: 'No group has this groupId.',
  version_mismatch:
    'If-Match does not name the version of the group; nothing was changed. Read the group, and decide again.',
  precondition_failed:
    'If-None-Match names the version of the group, or is *; nothing was changed. Read the group, and decide again.',
  idempotency_key_reused:
    'Another request with this Idempotency-Key has changed the group; nothing was changed now. Use a new key for each request.',
  too_many_labels: `With this patch the group would have more than ${LABELS_MAX} labels; nothing was changed.`,
} as const satisfies { [refusal in Refusal]: string }

/** The group after a change. `undefined`: the change was refused or failed, and the error has been sent. */
export function decidedGroup(
  reply: FastifyReply,
  outcome: Outcome<Decision>,
  retryAfterSeconds: number,
): Group | undefined {
  if (outcome.kind !== 'done') {
    sendFailure(reply, outcome, retryAfterSeconds)
    return undefined
  }
  if (outcome.value.kind === 'refused') {
    sendRefusal(reply, outcome.value.refusal)
    return undefined
  }
  if (outcome.value.kind === 'replayed') reply.header('idempotency-replayed', 'true')
  return outcome.value.answer
}

/** Answers that the state of the group does not allow the change. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const detail = DETAILS[refusal]
  if (refusal !== 'too_many_labels') return sendProblem(reply, refusal, { detail })
  return sendProblem(reply, refusal, {
    detail,
    errors: [{ field: 'labels', message: `must be at most ${LABELS_MAX} in all` }],
  })
}

/**
 * Answers that there was no decision: 503 if nothing was changed, 504 if that is not known, 500 if what is
 * stored cannot be read.
 *
 * @param unreadable the code of that last error
 */
export function sendFailure(
  reply: FastifyReply,
  outcome: Exclude<Outcome<unknown>, { kind: 'done' }>,
  retryAfterSeconds: number,
  unreadable: 'unreadable_group' | 'unreadable_key' = 'unreadable_group',
): FastifyReply {
  switch (outcome.kind) {
    case 'not_applied':
      return sendProblem(reply.header('retry-after', retryAfterSeconds), 'unavailable', {
        detail: `Nothing was changed, and nothing will be: ${outcome.reason}.`,
        outcome: 'not_applied',
      })
    case 'unreadable':
      return sendProblem(reply, unreadable, {
        detail: `Nothing was changed: ${outcome.reason}.`,
        outcome: 'not_applied',
      })
    case 'unknown':
      return sendProblem(reply, 'outcome_unknown', {
        detail: `The change may have been made: ${outcome.reason}. Read before you repeat it.`,
        outcome: 'unknown',
      })
    default:
      return outcome satisfies never
  }
}
