import type {
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  HeldEntry,
  Member,
  ScanRange,
} from '../rpc/messages.ts'
import type { BatchStream, Connect, NodeTransport, StreamHandlers } from '../rpc/transport.ts'
import type { Sighting } from './sighting.ts'

/** How long a node may take to describe itself. */
const DESCRIBE_TIMEOUT_MS = 1_000

/**
 * The same for a node that was just started. A connector that has tried to reach it before tries
 * again within about a second.
 */
const NEWCOMER_TIMEOUT_MS = 3_000

/**
 * The largest number of transports. A cluster has up to 14 nodes while it changes, and as many hosts. All
 * other addresses come from outside: from nodes that may be wrong, or from requests for changes.
 */
const TRANSPORTS_MAX = 64

/** The largest number of remembered addresses, besides those that the membership names. */
const ADDRESSES_MAX = 64

/** Knows the addresses of nodes, and keeps one transport for each address that was used lately. */
export class NodeDirectory {
  readonly #connect: Connect
  /** By address, the one that was used last at the end. */
  readonly #transports = new Map<string, SharedTransport>()
  /** Transports that were replaced, and on which something has not ended. */
  readonly #retired = new Set<SharedTransport>()
  /** By nodeId: the last address of a node. The node that was seen last is at the end. */
  readonly #addresses = new Map<string, string>()

  constructor(connect: Connect) {
    this.#connect = connect
  }

  /** Where a node was last seen. If it was not seen yet: its address in the membership. */
  addressOf({ nodeId, address }: Member): string {
    return this.#addresses.get(nodeId) ?? address
  }

  noteAddress(nodeId: string, address: string): void {
    this.#addresses.delete(nodeId)
    this.#addresses.set(nodeId, address)
    const [oldest] = this.#addresses.keys()
    if (this.#addresses.size > ADDRESSES_MAX) this.#addresses.delete(oldest!)
  }

  transportOf(member: Member): NodeTransport {
    return this.transportTo(this.addressOf(member))
  }

  transportTo(address: string): NodeTransport {
    const transport = this.#transports.get(address) ?? new SharedTransport(this.#connect(address))
    // The last one in the map is the one that was used last.
    this.#transports.delete(address)
    this.#transports.set(address, transport)
    this.#closeUnused()
    return transport
  }

  /** Rejects when the node does not answer in time, and at once when it could not be reached a moment ago. */
  describe(address: string, timeoutMs = DESCRIBE_TIMEOUT_MS): Promise<Description> {
    return this.transportTo(address).describe(timeoutMs)
  }

  /** Asks a node that may have started a moment ago. Rejects when it does not answer in time. */
  describeNewcomer(address: string): Promise<Description> {
    return this.transportTo(address).describe(NEWCOMER_TIMEOUT_MS, true)
  }

  /** Asks at every address which node is there. An address where no node answers in time is left out. */
  async look(addresses: readonly string[]): Promise<Sighting[]> {
    const asked = [...new Set(addresses)].map(async (address) => {
      return { address, description: await this.describe(address) }
    })
    const results = await Promise.allSettled(asked)
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  /**
   * Makes a new connection to the node at an address. What has begun on the old one ends there: it
   * is closed after the last stream or call on it.
   */
  renew(address: string): void {
    const transport = this.#transports.get(address)
    if (transport === undefined) return
    this.#transports.set(address, new SharedTransport(this.#connect(address)))
    this.#retired.add(transport)
    transport.retire(() => this.#retired.delete(transport))
  }

  /** The addresses to which there are connections. */
  get addresses(): readonly string[] {
    return [...this.#transports.keys()]
  }

  close(): void {
    for (const transport of [...this.#transports.values(), ...this.#retired]) transport.close()
  }

  /** Closes the oldest transports without a stream, if there are too many. Calls under way on them fail. */
  #closeUnused(): void {
    let excess = this.#transports.size - TRANSPORTS_MAX
    for (const [address, transport] of this.#transports) {
      if (excess <= 0) return
      if (transport.streamCount > 0) continue
      this.#transports.delete(address)
      transport.close()
      excess -= 1
    }
  }
}

/** A transport that knows what is under way on it. */
class SharedTransport implements NodeTransport {
  readonly #transport: NodeTransport
  streamCount = 0
  /** Streams, questions and scans that have not ended. */
  #useCount = 0
  /** Set when the transport is replaced: it is closed after the last use. */
  #onIdle: (() => void) | undefined

  constructor(transport: NodeTransport) {
    this.#transport = transport
  }

  open(handlers: StreamHandlers): BatchStream {
    this.streamCount += 1
    this.#useCount += 1
    return this.#transport.open({
      ...handlers,
      onClose: (...args) => {
        this.streamCount -= 1
        this.#endUse()
        handlers.onClose(...args)
      },
    })
  }

  describe(timeoutMs: number, isPatient?: boolean): Promise<Description> {
    return this.#using(this.#transport.describe(timeoutMs, isPatient))
  }

  digest(request: DigestRequest, timeoutMs: number): Promise<DigestAnswer> {
    return this.#using(this.#transport.digest(request, timeoutMs))
  }

  changes(request: ChangesRequest, timeoutMs: number): Promise<ChangesAnswer> {
    return this.#using(this.#transport.changes(request, timeoutMs))
  }

  async *scan(range: ScanRange, signal?: AbortSignal): AsyncGenerator<readonly HeldEntry[]> {
    this.#useCount += 1
    try {
      yield* this.#transport.scan(range, signal)
    } finally {
      this.#endUse()
    }
  }

  /** Closes the transport as soon as nothing is under way on it. `onClosed` is called then. */
  retire(onClosed: () => void): void {
    this.#onIdle = () => {
      this.close()
      onClosed()
    }
    if (this.#useCount === 0) this.#onIdle()
  }

  close(): void {
    this.#transport.close()
  }

  async #using<T>(answer: Promise<T>): Promise<T> {
    this.#useCount += 1
    try {
      return await answer
    } finally {
      this.#endUse()
    }
  }

  #endUse(): void {
    this.#useCount -= 1
    if (this.#useCount === 0) this.#onIdle?.()
  }
}
