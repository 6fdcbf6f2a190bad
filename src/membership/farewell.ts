import type { Clock } from '../process/clock.ts'
import type { Membership } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** How long a node may take to be told. */
const FAREWELL_TIMEOUT_MS = 2_000

/** Shows a node a membership that does not name it any more: it then stops by itself. Resolves when it was told, or not. */
export function tellRemoved(
  transport: NodeTransport,
  nodeId: string,
  membership: Membership,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    const stream = transport.open({ onAnswers: () => stream.close(), onClose: () => end() })
    const cancel = clock.after(FAREWELL_TIMEOUT_MS, () => stream.close())
    const end = (): void => {
      cancel()
      resolve()
    }
    const { clusterId, epoch } = membership
    stream.send({ batchId: 1, clusterId, epoch, nodeId, membership, sentMs: 0, lifeMs: 0, requests: [] })
  })
}
