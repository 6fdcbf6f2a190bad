import { pino } from 'pino'
import { CohortEngine } from '../engines/cohort/cohort-engine.ts'
import type { Registry } from '../group/registry.ts'
import type { RequestBatch } from '../rpc/messages.ts'
import type { BatchStream, NodeTransport, StreamHandlers } from '../rpc/transport.ts'
import { ManualClock } from './manual-clock.ts'
import { pass } from './memory-cluster.ts'
import { MemoryNetwork } from './memory-network.ts'

const HOSTS = ['n1:1', 'n2:1', 'n3:1']
/** The operation timeout of the connectors. */
const TIMEOUT_MS = 2_000

function networkOf(clock: ManualClock): MemoryNetwork {
  const network = new MemoryNetwork(clock)
  for (const [index, address] of HOSTS.entries()) network.add(address, `id${index + 1}`)
  return network
}

/**
 * Two connectors in front of three nodes with real handlers, all in memory. Batches to a node can be late.
 * Time goes on only in `settle` and `during`.
 */
export class EngineWorld {
  readonly #clock = new ManualClock()
  readonly #network = networkOf(this.#clock)
  readonly engines = [this.#engine(1), this.#engine(2)]
  readonly #running = this.engines.map((engine) => engine.run())
  readonly #pending = new Set<Promise<unknown>>()
  /** By node: how long a batch is on its way. */
  readonly delaysMs = HOSTS.map(() => 0)

  #engine(seed: number): CohortEngine {
    let drawn = seed
    return new CohortEngine({
      hosts: HOSTS,
      timeoutMs: TIMEOUT_MS,
      replaceAfterMs: 600_000,
      clusterId: undefined,
      tombstoneGraceMs: 60_000,
      connect: (address) => this.#slowly(HOSTS.indexOf(address), this.#network.connect(address)),
      clock: this.#clock,
      random: () => {
        drawn += 1
        return (drawn * 0.618) % 1
      },
      logger: pino({ level: 'silent' }),
    })
  }

  /** Batches to a node take as long as `delaysMs` says, and arrive in their order. */
  #slowly(node: number, transport: NodeTransport): NodeTransport {
    const open = (handlers: StreamHandlers): BatchStream => {
      const stream = transport.open(handlers)
      let arrivesMs = 0
      let waitingCount = 0
      const send = (batch: RequestBatch) => {
        const nowMs = this.#clock.nowMs()
        arrivesMs = Math.max(arrivesMs, nowMs + this.delaysMs[node]!)
        if (waitingCount === 0 && arrivesMs === nowMs) return stream.send(batch)
        waitingCount += 1
        this.#clock.after(arrivesMs - nowMs, () => {
          waitingCount -= 1
          stream.send(batch)
        })
      }
      return { ...stream, send }
    }
    return { ...transport, open }
  }

  async start(): Promise<void> {
    while (!this.engines.every(({ readiness }) => readiness.isReady())) await pass(this.#clock, 20)
  }

  /** Begins an operation of a connector. It goes on while time passes. */
  begin<T>(connector: number, operation: (registry: Registry) => Promise<T>): Promise<T> {
    const { registry } = this.engines[connector]!
    const pending = operation(registry)
    this.#pending.add(pending)
    void pending.finally(() => this.#pending.delete(pending))
    return pending
  }

  /** Lets time pass until every operation has ended. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await pass(this.#clock, 10)
  }

  /** The result of an operation, while time passes. */
  async during<T>(operation: Promise<T>): Promise<T> {
    let isOver = false
    const done = operation.finally(() => {
      isOver = true
    })
    while (!isOver) await pass(this.#clock, 1)
    return done
  }

  async close(): Promise<void> {
    await this.settle()
    for (const engine of this.engines) engine.close()
    await this.during(Promise.all(this.#running))
  }
}
