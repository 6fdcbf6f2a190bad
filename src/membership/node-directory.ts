import type { Description, Member } from '../rpc/messages.ts'
import type { Connect, NodeTransport } from '../rpc/transport.ts'
import type { Sighting } from './sighting.ts'

/** How long a node may take to describe itself. */
const DESCRIBE_TIMEOUT_MS = 1_000

/**
 * Knows the addresses of nodes, and keeps a transport for each address until the connector stops.
 */
export class NodeDirectory {
  readonly #connect: Connect
  readonly #transports = new Map<string, NodeTransport>()
  /** Where nodes were last seen, by nodeId. */
  readonly #addresses = new Map<string, string>()

  constructor(connect: Connect) {
    this.#connect = connect
  }

  /** Where a node was last seen. If it was not seen yet: its address in the membership. */
  addressOf({ nodeId, address }: Member): string {
    return this.#addresses.get(nodeId) ?? address
  }

  noteAddress(nodeId: string, address: string): void {
    this.#addresses.set(nodeId, address)
  }

  transportOf(member: Member): NodeTransport {
    return this.transportTo(this.addressOf(member))
  }

  transportTo(address: string): NodeTransport {
    const known = this.#transports.get(address)
    if (known !== undefined) return known
    const transport = this.#connect(address)
    this.#transports.set(address, transport)
    return transport
  }

  /** Rejects when the node does not answer in time. */
  describe(address: string, timeoutMs = DESCRIBE_TIMEOUT_MS): Promise<Description> {
    return this.transportTo(address).describe(timeoutMs)
  }

  /** Asks at every address which node is there. An address where no node answers in time is left out. */
  async look(addresses: readonly string[]): Promise<Sighting[]> {
    const asked = [...new Set(addresses)].map(async (address) => {
      return { address, description: await this.describe(address) }
    })
    const results = await Promise.allSettled(asked)
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  close(): void {
    for (const transport of this.#transports.values()) transport.close()
  }
}
