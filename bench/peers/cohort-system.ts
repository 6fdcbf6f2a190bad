import { LocalCluster } from '../../test/cluster/local-cluster.ts'
import type { Service } from '../../test/cluster/service.ts'
import { until } from '../../test/cluster/waiting.ts'
import type { HttpClients, HttpRequest } from './http-load.ts'
import type { HttpSystem } from './http-peer.ts'

/** Cohort: three nodes and one connector. All nodes are equal. */
export class CohortSystem implements HttpSystem {
  readonly name = 'Cohort'
  readonly description = '3 nodes, 1 connector'
  readonly #cluster: LocalCluster

  private constructor(cluster: LocalCluster) {
    this.#cluster = cluster
  }

  static async start(): Promise<CohortSystem> {
    return new CohortSystem(await LocalCluster.start())
  }

  get url(): string {
    return this.#cluster.connectors[0]!.url
  }

  createRequest(groupId: string): HttpRequest {
    return { method: 'POST', path: '/v1/group', body: `{"groupId":"${groupId}"}` }
  }

  readRequest(groupId: string): HttpRequest {
    return { method: 'GET', path: `/v1/group/${groupId}` }
  }

  /** The connector merges the patch into the group as it is then: one request, and no change is lost. */
  async change(clients: HttpClients, index: number): Promise<void> {
    const contentType = 'application/merge-patch+json'
    const body = `{"description":"change ${index}"}`
    await clients.expect({ method: 'PATCH', path: '/v1/group/seed-1', body, contentType })
  }

  get #victim(): Service {
    return this.#cluster.nodes[2]!
  }

  stayClear(): void {}

  async signalWorst(signal: NodeJS.Signals): Promise<void> {
    this.#victim.signal(signal)
  }

  async killOther(): Promise<void> {
    await this.#victim.end('SIGKILL')
  }

  async heal(): Promise<void> {
    this.#victim.signal('SIGCONT')
    await this.#victim.end('SIGKILL')
    this.#victim.start()
    const isHealthy = async () => {
      const response = await fetch(`${this.url}/v1/cluster`)
      return ((await response.json()) as { verdict: string }).verdict === 'healthy'
    }
    await until('Cohort is healthy', 120_000, isHealthy)
  }

  close(): Promise<void> {
    return this.#cluster.stop()
  }
}
