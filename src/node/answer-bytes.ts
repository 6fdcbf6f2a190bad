import { isDamage } from '../register/damage.ts'
import type { Reply, Request } from '../register/messages.ts'
import { sameWriteId } from '../register/state.ts'
import { MESSAGE_BYTES_MAX } from '../rpc/channel-options.ts'

/**
 * The largest size of an encoded answer without the value of its state: 18 pairs of integers and some tags.
 */
const BYTES_BESIDE_VALUE = 512

/** The largest size of the rest of an answer batch. */
const BYTES_BESIDE_ANSWERS = 64

/** The answers to one batch have at most this size, so that they fit into one message. */
export const ANSWER_BYTES_MAX = MESSAGE_BYTES_MAX - BYTES_BESIDE_ANSWERS

/**
 * An upper bound of the size of an encoded answer. A state that was in the request is not sent back.
 */
export function answerBytes(reply: Reply, request: Request): number {
  if (isDamage(reply)) return BYTES_BESIDE_VALUE
  const { state } = reply.record
  const isSameState = 'state' in request && sameWriteId(request.state.writeId, state.writeId)
  return BYTES_BESIDE_VALUE + (isSameState ? 0 : (state.value?.length ?? 0))
}
