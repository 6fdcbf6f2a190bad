import type { Logger } from 'pino'
import type { Member, Mismatch } from '../rpc/messages.ts'

/** The largest number of remembered findings. A node that invents names must not fill the memory. */
const REPORTED_MAX = 256

/**
 * Logs that another node answers at the address of a member. Each finding is logged once.
 */
export class MismatchLog {
  readonly #logger: Pick<Logger, 'warn' | 'error'>
  readonly #reported = new Set<string>()

  constructor(logger: Pick<Logger, 'warn' | 'error'>) {
    this.#logger = logger
  }

  /** The node at the address of the expected member did not act on a batch, and gave its own id. */
  report({ nodeId, address }: Member, mismatch: Mismatch): void {
    const { clusterId, epoch } = mismatch.membership ?? {}
    const report = `${nodeId} ${address} ${mismatch.nodeId} ${clusterId} ${epoch}`
    if (this.#reported.has(report)) return
    this.#reported.add(report)
    const [oldest] = this.#reported
    if (this.#reported.size > REPORTED_MAX) this.#reported.delete(oldest!)
    const fields = {
      node: nodeId,
      address,
      foundNode: mismatch.nodeId,
      foundCluster: clusterId,
      foundEpoch: epoch,
    }
    if (mismatch.membership === undefined) {
      this.#logger.warn(
        fields,
        'an empty node answers at the address of this member: its disk was lost, or another data directory is in use',
      )
      return
    }
    this.#logger.error(
      fields,
      'the node at this address is not the expected member, or belongs to another cluster: it is not used, and its data ' +
        'are left alone. Start it with the data directory of this cluster',
    )
  }
}
