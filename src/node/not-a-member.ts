import { FaultError } from '../process/fault.ts'
import type { Membership } from '../rpc/messages.ts'

/** The fault of a node that is shown a newer membership of its cluster which does not name it. */
export function notAMember(nodeId: string, { clusterId, epoch }: Membership, newer: Membership): FaultError {
  return new FaultError(
    'not_a_member',
    `the node ${nodeId} is no longer a member of the cluster ${clusterId}: it was replaced or removed between the epochs ` +
      `${epoch} and ${newer.epoch}. It takes no further part, and its data are kept as they are; to use this machine ` +
      'again, start it with an empty data directory',
    undefined,
  )
}
