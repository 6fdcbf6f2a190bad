import type { Clock } from '../process/clock.ts'
import type { Membership } from '../rpc/messages.ts'
import type { NodeDirectory } from './node-directory.ts'

/** How long it may take to tell a node. */
const FAREWELL_TIMEOUT_MS = 2_000

/** The largest number of remembered addresses of nodes that left. Every look asks each of them. */
const ADDRESSES_MAX = 16

/**
 * Tells nodes that they are no longer members. A node that does not answer is told when it is seen again.
 */
export class Farewells {
  readonly #directory: NodeDirectory
  readonly #clock: Clock
  readonly #addresses = new Set<string>()

  constructor(directory: NodeDirectory, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
  }

  /** The addresses of the nodes that have left since this connector started. */
  get addresses(): ReadonlySet<string> {
    return this.#addresses
  }

  /** Records that the node at an address has left the cluster, so that it is looked for at that address. */
  note(address: string): void {
    this.#addresses.delete(address)
    this.#addresses.add(address)
    const [oldest] = this.#addresses
    if (this.#addresses.size > ADDRESSES_MAX) this.#addresses.delete(oldest!)
  }

  /**
   * Shows a node a membership that does not name it, after which the node stops by itself. Resolves when the
   * node has answered, or after a timeout.
   */
  tell(nodeId: string, address: string, membership: Membership): Promise<void> {
    return new Promise((resolve) => {
      const stream = this.#directory
        .transportTo(address)
        .open({ onAnswers: () => stream.close(), onClose: () => end() })
      const cancel = this.#clock.after(FAREWELL_TIMEOUT_MS, () => stream.close())
      const end = (): void => {
        cancel()
        resolve()
      }
      const { clusterId, epoch } = membership
      stream.send({ batchId: 1, clusterId, epoch, nodeId, membership, sentMs: 0, lifeMs: 0, requests: [] })
    })
  }
}
