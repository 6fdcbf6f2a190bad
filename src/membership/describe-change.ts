import type { Member } from '../rpc/messages.ts'
import type { TransferProgress } from './transfer-claim.ts'

/** Describes the change that is under way, as a sentence without its full stop. */
export function describeChange(
  joining: readonly Member[],
  leaving: readonly Member[],
  progress: TransferProgress | undefined,
): string {
  const [comes] = joining
  const [goes] = leaving
  const done =
    progress === undefined
      ? 'its transfer begins'
      : `${progress.done.toLocaleString('en-US')} of about ${progress.total.toLocaleString('en-US')} keys are done`
  if (comes !== undefined && goes !== undefined) {
    return `the node at ${comes.address} takes the place of ${goes.nodeId}: ${done}`
  }
  if (comes !== undefined) return `the node at ${comes.address} is joining: ${done}`
  return `${goes?.nodeId ?? 'a member'} is leaving: ${done}`
}
